"""Capitate reads paediatric hand radiographs: bone age with an honest interval, offline.

    >>> import capitate
    >>> capitate.assess("film.png", sex="female").bone_age.text  # doctest: +SKIP
    '10 years 6 months (126.5 months)'

`assess` and `Assessor` are loaded when they are first used, so that importing the package costs nothing.
"""

from typing import TYPE_CHECKING, Any

from capitate.types import Sex, Side

if TYPE_CHECKING:
    from capitate.assessor import Assessor, assess

__version__ = "0.1.0"
__all__ = ["Assessor", "Sex", "Side", "__version__", "assess"]


def __getattr__(name: str) -> Any:  # noqa: ANN401  (module attributes are of any type)
    """Load the assessor when it is asked for."""
    if name in ("Assessor", "assess"):
        from capitate import assessor

        return getattr(assessor, name)
    raise AttributeError(f"module 'capitate' has no attribute {name!r}")
