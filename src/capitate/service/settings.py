"""How a service runs: one table of settings, each an option of `capitate serve` and a variable of the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from capitate.errors import UsageError

__all__ = ["PREFIX", "ServiceSettings", "Setting", "is_loopback", "read_settings", "settings_table"]

PREFIX = "CAPITATE_"
"""What the names of environment variables begin with."""
_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Setting:
    """One row of the table.

    Attributes:
        name: field of `ServiceSettings`.
        option: of `capitate serve`.
        variable: of the environment.
        default: as the help shows it.
        help: one sentence.
    """

    name: str
    option: str
    variable: str
    default: str
    help: str


def _setting(default: Any, help: str, *, least: float | None = None, shown: str | None = None) -> Any:  # noqa: ANN401
    """Declare a setting: a field with its help and its least value."""
    return field(default=default, metadata={"help": help, "least": least, "shown": shown})


def _own_folder() -> Path:
    """Give the folder of the user's data that the XDG base directory specification names."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "capitate"


def _own_workers() -> int:
    """Leave one core to the service itself where there are several."""
    return max(1, (os.cpu_count() or 1) - 1)


@dataclass(frozen=True)
class ServiceSettings:
    """Everything that can be set; the defaults serve one reader on this machine."""

    host: str = _setting("127.0.0.1", "Address to listen on; others than loopback need --tokens.")
    port: int = _setting(8470, "Port to listen on; 0 takes a free one.", least=0)
    folder: Path = field(
        default_factory=_own_folder,
        metadata={"help": "Folder of films, maps and the SQLite file.", "shown": "~/.local/share/capitate"},
    )
    database: str | None = _setting(
        None, "Database by URL, such as postgresql+psycopg://user@host/name.", shown="SQLite in the folder"
    )
    workers: int = field(
        default_factory=_own_workers,
        metadata={"help": "Processes that assess films, one film each.", "least": 1, "shown": "cores less one"},
    )
    queue: int = _setting(64, "Films that may wait for a worker; more are refused with 503.", least=1)
    wait_seconds: float = _setting(30.0, "How long a request waits for its film before it answers 202.", least=0)
    film_seconds: float = _setting(300.0, "How long one film may take before it has failed.", least=1)
    film_megabytes: float = _setting(100.0, "Largest film that is taken, millions of bytes.", least=0.001)
    archive_megabytes: float = _setting(1000.0, "Largest zip archive, packed and unpacked.", least=0.001)
    archive_films: int = _setting(200, "Most films in one archive.", least=1)
    tokens: Path | None = _setting(  # noqa: RUF009 - a field
        None, "File of tokens: a line each with name, read or write, and sha256."
    )
    session_hours: float = _setting(12.0, "How long a browser stays signed in.", least=0.01)
    rate_per_minute: int = _setting(1200, "Requests of one client in a minute; 0 sets no limit.", least=0)
    retention_days: float = _setting(0.0, "Days after which assessments and films are deleted; 0 keeps them.", least=0)
    model: str = _setting("bone-age", "Bone-age bundle, by name or folder.")

    def __post_init__(self) -> None:
        """Refuse values below the least, and an open address without tokens."""
        for one in fields(self):
            least, value = one.metadata.get("least"), getattr(self, one.name)
            if least is not None and value < least:
                raise UsageError(f"{_option(one.name)} must be {least:g} or more, got {value:g}; give a larger number")
        if self.port > 65535:
            raise UsageError(f"--port must be at most 65535, got {self.port}; give another port")
        if self.tokens is None and not is_loopback(self.host):
            raise UsageError(
                f"--host {self.host!r} can be reached from other machines, and no tokens are asked for; "
                "give --tokens FILE, or listen on 127.0.0.1"
            )

    @property
    def database_url(self) -> str:
        """The database by URL."""
        return self.database or f"sqlite:///{self.folder.resolve() / 'capitate.db'}"

    @property
    def film_bytes(self) -> int:
        """Largest film, bytes."""
        return int(self.film_megabytes * _MEGABYTE)

    @property
    def archive_bytes(self) -> int:
        """Largest archive, bytes."""
        return int(self.archive_megabytes * _MEGABYTE)


def is_loopback(host: str) -> bool:
    """Whether an address or name is of this machine alone."""
    if host.casefold() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def settings_table() -> tuple[Setting, ...]:
    """List every setting, in the order of the help."""
    return tuple(
        Setting(one.name, _option(one.name), _variable(one.name), _shown(one), one.metadata["help"])
        for one in fields(ServiceSettings)
    )


def read_settings(options: Mapping[str, Any], *, environment: Mapping[str, str] | None = None) -> ServiceSettings:
    """Bring settings together: an option outweighs the environment, and that the default.

    Args:
        options: by field, those that were given; None is none.
        environment: variables, those of the process if None.

    Raises:
        UsageError: if a value cannot be used; it names the variable.
    """
    variables = os.environ if environment is None else environment
    chosen = {name: value for name, value in options.items() if value is not None}
    for name, kind in _KINDS.items():
        text = variables.get(_variable(name), "").strip()
        if text and name not in chosen:
            try:
                chosen[name] = kind(text)
            except ValueError:
                raise UsageError(
                    f"the variable {_variable(name)} must be {_KIND_NAMES[kind]}, got {text!r}; correct or unset it"
                ) from None
    return ServiceSettings(**chosen)


_KINDS: Mapping[str, type] = {
    one.name: {"str": str, "str | None": str, "int": int, "float": float}.get(str(one.type), Path)
    for one in fields(ServiceSettings)
}
_KIND_NAMES: Mapping[type, str] = {str: "a text", int: "a whole number", float: "a number", Path: "a path"}


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _variable(name: str) -> str:
    return f"{PREFIX}{name.upper()}"


def _shown(one: Any) -> str:  # noqa: ANN401 - a field of dataclasses
    if one.metadata.get("shown"):
        return str(one.metadata["shown"])
    return "none" if one.default is None else f"{one.default:g}" if isinstance(one.default, float) else str(one.default)
