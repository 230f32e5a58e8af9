"""Worker processes that read and assess films, and draw pictures and reports of them; no HTTP, no database.

`pool` keeps the processes, `process` is one of them with its pipe, `films` is what runs in one that assesses, and
`drawings` what runs in one that draws.
"""

from capitate.service.work.films import Desk, FilmTask, FilmWork
from capitate.service.work.pool import Pool, Task
from capitate.service.work.process import Call, CancelledWorkError, TimedOutError, WorkerDiedError, WorkFailedError

__all__ = [
    "Call",
    "CancelledWorkError",
    "Desk",
    "FilmTask",
    "FilmWork",
    "Pool",
    "Task",
    "TimedOutError",
    "WorkFailedError",
    "WorkerDiedError",
]
