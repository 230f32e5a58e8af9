"""Run the soak: `python tests/soak`."""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # packages of tests: `soak`, and `service` with its PostgreSQL

from soak.program import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
