"""Running the service under uvicorn: socket, log, and an end that loses nothing."""

from __future__ import annotations

import logging
import signal
import socket
import sys
from types import FrameType

import uvicorn

from capitate.errors import UsageError
from capitate.service.api import Service, create_app
from capitate.service.settings import ServiceSettings

__all__ = ["run"]

_GRACE_SECONDS = 5
_LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def run(settings: ServiceSettings) -> None:
    """Serve until a signal comes.

    Raises:
        UsageError: if the address cannot be listened on, or a setting cannot be used.
        StoreError: if the store cannot be used.
    """
    app = create_app(settings)
    listening = _listening(settings.host, settings.port)
    logging.basicConfig(level=logging.INFO, format=_LOG_FORMAT, stream=sys.stderr)
    config = uvicorn.Config(
        app,
        access_log=False,  # addresses may hold names; the service logs its routes itself
        log_config=None,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = _Server(config, service=app.state.service, shown=_url(listening))
    app.state.service.open_store()  # here, where what is wrong with it is one sentence
    server.run(sockets=[listening])


class _Server(uvicorn.Server):
    """A server that says when it listens, and lets nobody wait for films when it is stopped."""

    def __init__(self, config: uvicorn.Config, *, service: Service, shown: str) -> None:
        super().__init__(config)
        self._service, self._shown = service, shown

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen, and say so."""
        await super().startup(sockets)
        if self.started:
            print(f"Capitate serves on {self._shown} (stop with Ctrl+C)", flush=True)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End, once the requests that are being answered are; a second Ctrl+C does not wait for them.

        Uvicorn's own raises the signal again after a clean end, so that a service manager would read it as a crash.
        """
        self.force_exit = self.force_exit or (self.should_exit and sig == signal.SIGINT)
        self.should_exit = True
        self._service.begin_to_stop()


def _listening(host: str, port: int) -> socket.socket:
    """Listen on an address.

    Raises:
        UsageError: if that cannot be.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host.strip("[]"), port))
    except OSError as error:
        found.close()
        raise UsageError(
            f"cannot listen on {host}:{port}: {error.strerror}; end what uses the port, or give another with --port"
        ) from error
    found.set_inheritable(False)
    return found


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
