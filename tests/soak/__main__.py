"""Run the soak: `python tests/soak`."""

import sys
from pathlib import Path

if __name__ == "__main__":
    # packages of tests: this one, and `service` with its PostgreSQL and its writers to kill
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    from soak.program import main

    sys.exit(main(sys.argv[1:]))
