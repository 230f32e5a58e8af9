"""`python -m capitate.runtime.lap_openvino TASK.json`: measure one combination with OpenVINO."""

from __future__ import annotations

import sys
from pathlib import Path

from capitate.runtime.laps import Opener, Task, perform

__all__ = ["library"]


def library() -> Opener:
    """Import OpenVINO.

    Raises:
        MissingExtraError: if it is not installed.
    """
    from capitate.runtime.openvino_session import OpenVinoSession

    def opened(task: Task, path: Path) -> OpenVinoSession:
        return OpenVinoSession(path, threads=task.threads, precision=task.precision)

    return opened


if __name__ == "__main__":
    sys.exit(perform(Path(sys.argv[1]), library))
