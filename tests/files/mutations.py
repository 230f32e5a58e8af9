"""Damage the bytes of films and read them; run in a process of its own, so that a crash of a decoder is seen.

`python -m files.mutations COUNT SEED FILE...` prints what happened as JSON.
"""

from __future__ import annotations

import json
import random
import re
import resource
import sys
import time
import zlib
from collections import Counter
from pathlib import Path

from capitate.errors import FilmError
from capitate.files import read

_HEADER_BYTES = 1200


def mutate(data: bytes, *, chance: random.Random) -> bytes:
    """Damage bytes in one of the ways in which files get damaged; PNG checksums are mended half of the time."""
    damage = chance.choice((_flip_bits, _flip_bits, _edit_header, _edit_header, _truncate, _splice))
    damaged = damage(bytearray(data), chance)
    return _mended_png(damaged) if damaged.startswith(b"\x89PNG") and chance.random() < 0.5 else bytes(damaged)


def _flip_bits(data: bytearray, chance: random.Random) -> bytearray:
    for _ in range(chance.choice((1, 1, 3, 20))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return data


def _edit_header(data: bytearray, chance: random.Random) -> bytearray:
    for _ in range(chance.choice((1, 1, 4))):
        at, length = chance.randrange(min(len(data), _HEADER_BYTES)), chance.choice((1, 2, 4))
        value = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        data[at : at + length] = bytes([value]) * min(length, len(data) - at)
    return data


def _truncate(data: bytearray, chance: random.Random) -> bytearray:
    return data[: chance.randrange(len(data))]


def _splice(data: bytearray, chance: random.Random) -> bytearray:
    start, to = chance.randrange(len(data)), chance.randrange(len(data))
    piece = data[start : start + chance.randrange(1, 200)]
    if chance.random() < 0.5:
        data[to:to] = piece
    else:
        del data[to : to + len(piece)]
    return data


def _mended_png(data: bytearray) -> bytes:
    """Give each chunk the checksum of what it holds now, so that the damage reaches the decoder."""
    at = 8
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        if end + 4 > len(data):
            break
        data[end : end + 4] = zlib.crc32(data[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
    return bytes(data)


def main(count: int, seed: int, paths: list[str]) -> None:
    """Read `count` damaged copies of each file."""
    outcomes: Counter[str] = Counter()
    slowest = 0.0
    for path in paths:
        data = Path(path).read_bytes()
        for index in range(count):
            damaged = mutate(data, chance=random.Random(f"{seed} {index}"))
            start = time.perf_counter()
            try:
                film = read(damaged)
                outcomes["read"] += 1
                assert film.pixels.min() >= 0
                assert film.pixels.max() <= 1
            except FilmError as error:
                outcomes[type(error).__name__] += 1
            except Exception as error:
                outcomes[f"FOREIGN {type(error).__name__} {error} at mutation {index}"] += 1
            slowest = max(slowest, time.perf_counter() - start)
    print(json.dumps({"outcomes": outcomes, "slowest_s": slowest, "peak_bytes": _peak_bytes()}))


def _peak_bytes() -> int:
    """Give the most memory that this process has held.

    Linux counts what the parent held before the program began in `ru_maxrss`, so its own record is read there.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
