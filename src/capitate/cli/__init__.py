"""The command line: arguments, progress, printing. Nothing else in Capitate prints.

Exit codes: 0 everything was assessed; 1 at least one film was refused, the others are written; 2 wrong usage, damaged
weights, or a folder or output that cannot be written; 70 a fault in Capitate itself; 130 interrupted.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence

from capitate.errors import CapitateError, FilmError

__all__ = ["FAULT", "INTERRUPTED", "OK", "REFUSED", "USAGE", "main"]

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""What the system says of a full disk, such as one that standard output goes to."""

OK, REFUSED, USAGE, FAULT, INTERRUPTED = 0, 1, 2, 70, 130


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit; every expected error is one sentence on standard error.

    Args:
        arguments: those of the process if None.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(_run(words))


def _run(words: list[str]) -> int:
    """Run the application and turn what it raises into an exit code."""
    from capitate.cli.app import app

    try:
        app(words, prog_name="capitate")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else OK if end.code is None else FAULT
    except CapitateError as error:
        print(f"capitate: {error}", file=sys.stderr)
        return REFUSED if isinstance(error, FilmError) else USAGE
    except KeyboardInterrupt:
        print("capitate: interrupted", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _FULL:
            print(f"capitate: what was to be written has no room: {error.strerror}; free space there", file=sys.stderr)
            return USAGE
        if "--debug" in words:
            raise
        from capitate.cli.faults import sentence

        print(f"capitate: {sentence(error)}", file=sys.stderr)
        return FAULT
    return OK
