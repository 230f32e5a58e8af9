"""Plain values to frozen dataclasses: unknown keys, missing entries and wrong types are errors that name the key."""

from __future__ import annotations

import tomllib
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from enum import Enum
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from capitate.errors import UsageError

__all__ = ["build", "put", "read_override"]

T = TypeVar("T")


def build(default: T, values: Mapping[str, Any], *, where: str = "") -> T:
    """Replace values of a dataclass.

    Args:
        default: what holds where nothing is said.
        values: from TOML, JSON or `dataclasses.asdict`.
        where: path of the table with its final point, for errors.

    Raises:
        UsageError: naming the unknown key or the wrong type.
    """
    hints = get_type_hints(type(default))
    known = {one.name for one in fields(default)}  # type: ignore[arg-type]
    _refuse_unknown(values, known, where)
    made = {
        name: _convert(value, hints[name], f"{where}{name}", getattr(default, name)) for name, value in values.items()
    }
    return replace(default, **made)  # type: ignore[type-var]


def read_override(text: str) -> tuple[str, Any]:
    """Read `a.b=value`: the dotted key, and the value in TOML syntax or as plain text.

    Raises:
        UsageError: if there is no `=`.
    """
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--set takes KEY=VALUE, got {text!r}")
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value


def put(values: dict[str, Any], key: str, value: object) -> None:
    """Put a value by its dotted key into nested tables, in place.

    Raises:
        UsageError: naming the part of the key that is no table.
    """
    *parents, last = key.split(".")
    for parent in parents:
        values = values.setdefault(parent, {})
        if not isinstance(values, dict):
            raise UsageError(f"{key} cannot be set: {parent} is no table; got {values!r} there")
    values[last] = value


def _refuse_unknown(values: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(values) - known)
    if unknown:
        raise UsageError(f"unknown key {where}{unknown[0]}; known here: {', '.join(sorted(known))}")


def _convert(value: object, kind: Any, where: str, default: object = None) -> object:  # noqa: ANN401  any annotation
    """Bring one value to the type that its field states."""
    if isinstance(kind, types.UnionType):
        if value is None:
            return None
        return _convert(value, next(one for one in get_args(kind) if one is not type(None)), where, default)
    if is_dataclass(kind):
        if not isinstance(value, Mapping):
            raise UsageError(f"{where} must be a table, got {value!r}")
        return build(default, value, where=f"{where}.")
    if get_origin(kind) is tuple:
        return _list(value, get_args(kind)[0], where)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _choice(value, kind, where)
    return _plain(value, kind, where)


def _plain(value: object, kind: type, where: str) -> object:
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise UsageError(f"{where} must be {kind.__name__}, got {value!r}")
    return value


def _choice(value: object, kind: type[Enum], where: str) -> Enum:
    try:
        return kind(value)
    except ValueError as error:
        names = ", ".join(str(one.value) for one in kind)
        raise UsageError(f"{where} must be one of {names}, got {value!r}") from error


def _list(value: object, kind: Any, where: str) -> tuple[object, ...]:  # noqa: ANN401
    """Read a list of plain values, or of records that are tables or lists in the order of their fields."""
    if is_dataclass(kind):
        names = [one.name for one in fields(kind)]
        required = [one.name for one in fields(kind) if one.default is MISSING]
        needed = f"{where} must be a list of [{', '.join(required)}], got {value!r}"
        if not isinstance(value, (list, tuple)):
            raise UsageError(needed)
        tables = [_table(one, names, needed) for one in value]
        if not all(set(required) <= set(table) for table in tables):
            raise UsageError(needed)
        return tuple(_record(kind, table, f"{where}[{k}].") for k, table in enumerate(tables))
    right = {int, float} if kind is float else {kind}
    if not isinstance(value, (list, tuple)) or not all(type(one) in right for one in value):
        raise UsageError(f"{where} must be a list of {kind.__name__}, got {value!r}")
    return tuple(kind(one) for one in value)


def _table(value: object, names: list[str], needed: str) -> Mapping[str, Any]:
    """Give a record's values by name."""
    if isinstance(value, Mapping):
        return value
    if is_dataclass(value):
        return {name: getattr(value, name) for name in names}
    if not isinstance(value, (list, tuple)) or len(value) > len(names):
        raise UsageError(needed)
    return dict(zip(names, value, strict=False))


def _record(kind: Any, values: Mapping[str, Any], where: str) -> object:  # noqa: ANN401
    hints = get_type_hints(kind)
    _refuse_unknown(values, set(hints), where)
    return kind(**{name: _convert(value, hints[name], f"{where}{name}") for name, value in values.items()})
