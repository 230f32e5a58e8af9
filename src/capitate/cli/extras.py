"""Parts that training or the service need and assessment does not, named when they are missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from capitate.errors import MissingExtraError

__all__ = ["service_parts", "training_parts"]

_PARTS = frozenset(
    {
        "torch",
        "torchvision",
        "onnx",
        "timm",
        "safetensors",
        "lightning_fabric",
        "tensorboard",
        "kornia",
        "cv2",
        "optuna",
    }
)


_SERVICE_PARTS = frozenset(
    {"fastapi", "starlette", "uvicorn", "sqlalchemy", "alembic", "python_multipart", "prometheus_client", "psycopg"}
)


def service_parts(what: str) -> AbstractContextManager[None]:
    """Turn a missing library of the service into a sentence with the install command.

    Args:
        what: what was asked for, a noun phrase that starts the sentence.

    Raises:
        MissingExtraError: if one is missing.
    """
    return _needing(_SERVICE_PARTS, what, extra="serve")


def training_parts(what: str) -> AbstractContextManager[None]:
    """Turn a missing training library into a sentence with the install command; arguments as of `service_parts`.

    Raises:
        MissingExtraError: if one is missing.
    """
    return _needing(_PARTS, what, extra="train")


@contextmanager
def _needing(parts: frozenset[str], what: str, *, extra: str) -> Iterator[None]:
    """Name an extra in place of a part that is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in parts:
            raise
        raise MissingExtraError(what=what, extra=extra) from error
