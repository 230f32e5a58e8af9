"""Capitate reads paediatric hand radiographs: bone age with an honest interval, offline."""

from capitate.types import Sex, Side

__version__ = "0.1.0"
__all__ = ["Sex", "Side", "__version__"]
