"""What is to be measured: names, runtimes, precisions, threads and batches, and which of these cannot go together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from capitate.errors import UsageError
from capitate.runtime.bundle import bundle_names
from capitate.runtime.precision import InferencePrecision

__all__ = ["Combination", "Plan", "Runtime", "reason_against"]


class Runtime(StrEnum):
    """What computes a network."""

    ONNXRUNTIME = "onnxruntime"
    OPENVINO = "openvino"
    TORCH = "torch"


_REASONS = {
    (Runtime.ONNXRUNTIME, InferencePrecision.BF16): "onnxruntime has no bfloat16 convolution for the CPU",
    (Runtime.TORCH, InferencePrecision.INT8): "torch computes 8-bit convolutions only in a network rewritten for it; "
    "onnxruntime and openvino run the 8-bit file",
}


def reason_against(runtime: Runtime, precision: InferencePrecision) -> str:
    """Say why a runtime cannot compute in a precision on any CPU; empty if it can."""
    return _REASONS.get((runtime, precision), "")


@dataclass(frozen=True)
class Combination:
    """One figure to take.

    Attributes:
        name: of a bundle, or timm's.
        runtime: that computes.
        precision: that it computes in.
        threads: for one network.
        batch: views of one run.
    """

    name: str
    runtime: Runtime
    precision: InferencePrecision
    threads: int
    batch: int


@dataclass(frozen=True)
class Plan:
    """Everything that one call of the tool measures.

    Attributes:
        names: bundles by name or folder, and networks of timm; every released bundle if empty.
        runtimes: see `Runtime`.
        precisions: see `InferencePrecision`.
        threads: numbers of them.
        batches: sizes.
        size: rows and columns of a view for networks of timm.
        runs: most runs of a combination.
        seconds: after which a combination is not run again, once it was three times.
        patience: seconds after which a process is ended and its combination listed as failed.
        seed: of the drawn films.
    """

    names: tuple[str, ...] = ()
    runtimes: tuple[Runtime, ...] = tuple(Runtime)
    precisions: tuple[InferencePrecision, ...] = tuple(InferencePrecision)
    threads: tuple[int, ...] = (1, 2)
    batches: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    size: tuple[int, int] = (160, 128)
    runs: int = 20
    seconds: float = 5.0
    patience: float = 600.0
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be measured, and take every released bundle where none is named.

        Raises:
            UsageError: naming the value.
        """
        for name in ("threads", "batches", "size"):
            if not getattr(self, name) or min(getattr(self, name)) < 1:
                raise UsageError(f"{name} must be whole numbers of at least 1, got {list(getattr(self, name))}")
        if self.runs < 1 or self.seconds <= 0:
            raise UsageError(f"runs and seconds must be above 0, got {self.runs} and {self.seconds:g}")
        object.__setattr__(self, "names", self.names or tuple(bundle_names()))

    def combinations(self, name: str) -> Iterator[Combination]:
        """Give every combination of one name, possible or not, batches innermost."""
        parts = product(self.runtimes, self.precisions, self.threads, self.batches)
        yield from (Combination(name, *one) for one in parts)

    def __len__(self) -> int:
        sides = (self.names, self.runtimes, self.precisions, self.threads, self.batches)
        count = 1
        for side in sides:
            count *= len(side)
        return count
