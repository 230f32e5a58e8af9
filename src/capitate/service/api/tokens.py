"""Tokens of clients: a file with a line each, which holds digests and no token."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from capitate.errors import UsageError

__all__ = ["LOCAL", "Client", "Role", "Tokens", "read_tokens"]

_LINE = re.compile(r"(?P<name>[\w.@-]{1,64})\s+(?P<role>read|write)\s+(?P<digest>[0-9a-fA-F]{64})")
_WANTED = "a line is: NAME read|write SHA256-OF-THE-TOKEN"


class Role(StrEnum):
    """What a client may do; `write` includes `read`."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True)
class Client:
    """Who asks: the token's name, which the audit log shows, and its role."""

    name: str
    role: Role


LOCAL = Client("local", Role.WRITE)
"""Whoever sits at this machine, where no tokens are asked for."""


@dataclass(frozen=True)
class Tokens:
    """The tokens that are known, by the sha256 of each."""

    clients: dict[str, Client]

    def client(self, token: str) -> Client | None:
        """Give who has a token; None if nobody has."""
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
        found = [client for known, client in self.clients.items() if hmac.compare_digest(known, digest)]
        return found[0] if found else None


def read_tokens(path: Path) -> Tokens:
    """Read a file of tokens; empty lines and those that begin with # say nothing.

    Raises:
        UsageError: if it cannot be read, holds no token, or a line is none; the line is not quoted.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the tokens {str(path)!r} cannot be read ({type(error).__name__}); {_WANTED}") from error
    clients: dict[str, Client] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _LINE.fullmatch(line.strip())
        if found is None:
            raise UsageError(f"line {number} of the tokens {str(path)!r} is none; {_WANTED}")
        clients[found["digest"].lower()] = Client(found["name"], Role(found["role"]))
    if not clients:
        raise UsageError(f"the tokens {str(path)!r} hold none; {_WANTED}")
    return Tokens(clients)
