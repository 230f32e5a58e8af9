"""`python -m capitate.runtime.lap_onnxruntime TASK.json`: measure one combination with onnxruntime."""

from __future__ import annotations

import sys
from pathlib import Path

from capitate.runtime.laps import Opener, Task, perform

__all__ = ["library"]


def library() -> Opener:
    """Import onnxruntime."""
    from capitate.runtime.session import Session

    def opened(task: Task, path: Path) -> Session:
        return Session(path, threads=task.threads)

    return opened


if __name__ == "__main__":
    sys.exit(perform(Path(sys.argv[1]), library))
