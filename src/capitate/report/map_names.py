"""Which maps an assessment can have, and the names of their files."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from capitate.explain import ActivationMap

__all__ = ["MapKind", "MapPart", "map_ending", "map_endings", "named_maps"]


class MapKind(StrEnum):
    """What a map is of, as the key under `maps` of an assessment."""

    BONE_AGE = "bone_age"
    ABNORMALITY = "abnormality"
    GRADES = "grades"


class MapPart(StrEnum):
    """The two files of a map: a picture of the film with the map over it, and the numbers."""

    PICTURE = "png"
    ARRAY = "npz"


def map_ending(kind: MapKind, part: MapPart) -> str:
    """Return what follows the film's name, `-map-bone-age.png`."""
    return f"-map-{kind.replace('_', '-')}.{part}"


def map_endings() -> tuple[str, ...]:
    """Return the endings of all files that maps may have."""
    return tuple(map_ending(kind, part) for kind in MapKind for part in MapPart)


def named_maps(maps: Mapping[str, ActivationMap], *, stem: str) -> Mapping[str, str | None]:
    """Return what an assessment says of its maps: the names of their pictures by kind, None where there is no map.

    The numbers lie beside each picture under the same name with the ending `.npz`.

    Args:
        maps: by kind.
        stem: the film's part of the names.
    """
    return {kind.value: f"{stem}{map_ending(kind, MapPart.PICTURE)}" if kind in maps else None for kind in MapKind}
