"""Which bundles read the joints, and what is said where one is not installed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from capitate.errors import UsageError
from capitate.runtime.bundle import Bundle, is_bundle, load_bundle

__all__ = ["RELEASED", "JointModels", "chosen_models"]

_FIELDS = {"joint-detector": "detector", "outlines": "outlines", "joint-grades": "grades"}
"""Task of a bundle, and which part it plays."""


@dataclass(frozen=True)
class JointModels:
    """Names or folders of the three bundles.

    Attributes:
        detector: finds the joints.
        outlines: outlines epiphyses and carpal bones.
        grades: grades the 13 joints of RUS-CHN.
    """

    detector: str = "joint-detector"
    outlines: str = "outlines"
    grades: str = "joint-grades"

    def load(self, part: str) -> Bundle | None:
        """Load one of the three; None if it is the released one and not installed.

        Raises:
            BundleNotFoundError: if it was named and is not there.
            BundleDamagedError: if it was changed.
            UsageError: if it is of another task.
        """
        name = str(getattr(self, part))
        if name == getattr(RELEASED, part) and not is_bundle(name):
            return None
        bundle = load_bundle(name)
        if _FIELDS.get(str(bundle.card["task"])) != part:
            wanted = next(task for task, field in _FIELDS.items() if field == part)
            raise UsageError(f"the bundle {name!r} does {bundle.card['task']}, not {wanted}; choose another")
        return bundle

    def absent(self, part: str) -> str:
        """Say that one of the three is not installed, and what helps; the end of a sentence."""
        return (
            f"no bundle {getattr(self, part)!r} is installed; update Capitate, or give a bundle's folder with --model."
        )


RELEASED = JointModels()


def chosen_models(names: Iterable[str], *, bone_age: str) -> tuple[str, JointModels]:
    """Sort bundles by what they do: the bone-age bundle, and those for joints.

    Args:
        names: of bundles, or their folders; each takes the place of the released one of its task.
        bone_age: the bone-age bundle if none of them is one.

    Raises:
        BundleError: if one is not there or was changed.
        UsageError: if one does something else, or two do the same.
    """
    parts: dict[str, str] = {}
    for name in names:
        task = "bone-age" if name == bone_age else str(load_bundle(name).card["task"])
        if task != "bone-age" and task not in _FIELDS:
            raise UsageError(f"the bundle {name!r} does {task}; an assessment takes bone-age, {', '.join(_FIELDS)}")
        if task in parts:
            raise UsageError(f"two bundles for {task}, got {parts[task]!r} and {name!r}; give one of them")
        parts[task] = name
    joints = replace(RELEASED, **{_FIELDS[task]: name for task, name in parts.items() if task in _FIELDS})
    return parts.get("bone-age", bone_age), joints
