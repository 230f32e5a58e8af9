"""A running service on a free port, in a thread."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from capitate.service.api import Service, create_app
from capitate.service.settings import ServiceSettings

SECONDS = 120.0
"""A worker that was ended needs its imports again, which takes long where other tests run too."""


class Served:
    """A service, and a client of it."""

    def __init__(self, url: str, service: Service, film: bytes) -> None:
        self.url, self.service, self.film = url, service, film
        self.client = httpx.Client(base_url=url, timeout=SECONDS)

    def send(
        self, name: str = "hand.png", *, film: bytes | None = None, wait: bool = True, **more: Any
    ) -> httpx.Response:
        """Upload a film; `headers` and form fields in `more`."""
        headers = {} if wait else {"Prefer": "respond-async"}
        headers |= more.pop("headers", {})
        content = self.film if film is None else film
        return self.client.post("/v1/assessments", files={"film": (name, content)}, data=more, headers=headers)

    def made(self, name: str = "hand.png", **more: Any) -> dict[str, Any]:
        """Upload a film, and give the finished record."""
        answer = self.send(name, **more)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def until(self, assessment_id: str, reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Read a record until it is as it should be."""
        deadline = time.monotonic() + SECONDS
        while not reached(record := self.client.get(f"/v1/assessments/{assessment_id}").json()):
            assert time.monotonic() < deadline, record
            time.sleep(0.02)
        return record


@contextmanager
def serving(settings: ServiceSettings, film: bytes) -> Iterator[Served]:
    """Run a service until the context ends."""
    app = create_app(settings)
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="on", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    served = Served(f"http://127.0.0.1:{listening.getsockname()[1]}", app.state.service, film)
    try:
        deadline = time.monotonic() + SECONDS
        while not server.started or served.client.get("/ready").status_code != 200:
            assert thread.is_alive()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield served
    finally:
        served.client.close()
        app.state.service.begin_to_stop()
        server.should_exit = True
        thread.join(SECONDS)
        listening.close()


def settings_for(folder: Path, **changes: Any) -> ServiceSettings:
    """Settings for tests: small limits, and no limit of rates."""
    chosen = {
        "folder": folder,
        "workers": 1,
        "wait_seconds": SECONDS,
        "rate_per_minute": 0,
        "film_megabytes": 2.0,
        "archive_films": 5,
    }
    return ServiceSettings(**(chosen | {"archive_megabytes": 4.0} | changes))
