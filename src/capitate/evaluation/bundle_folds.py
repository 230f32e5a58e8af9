"""Which of a bundle's networks may answer for a film, so that none is judged on what it learnt from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from capitate.errors import UsageError
from capitate.runtime.bundle import Bundle
from capitate.training.folds import fold_of

__all__ = ["REPORTED_APART", "BundleFolds", "FoldModels"]

Model = TypeVar("Model")

REPORTED_APART = "leave --out-of-fold out: films seen in training are then reported apart"
"""What to do about a bundle without a network a fold, where films seen in training have a group of their own."""


class BundleFolds:
    """The folds of a bundle's training."""

    def __init__(self, bundle: Bundle, *, out_of_fold: bool = False, instead: str) -> None:
        """Look at the bundle.

        Args:
            bundle: with its training ids, and perhaps a network a fold.
            out_of_fold: run for every film of the bundle's training only what never saw it; see `Bundle.held_out`.
            instead: what to do where the bundle has no network a fold, for the error.

        Raises:
            UsageError: if the bundle has no network a fold and `out_of_fold` is asked for.
        """
        held_out = set(bundle.held_out) - {None}
        self._bundle, self._count, self._out_of_fold = bundle, len(held_out), out_of_fold
        if out_of_fold and (self._count < 2 or held_out != set(range(self._count))):
            raise UsageError(
                f"out of fold needs a bundle with a network for each fold, got {bundle.name!r} with "
                f"{len(bundle.networks)}; {instead}"
            )

    def seen(self, film: str) -> bool:
        """Whether the film of this file stem took part in training."""
        return film in self._bundle.training_ids

    def member(self, film: str) -> int | None:
        """Give the fold whose networks answer for a film, None for those that any other film is given to.

        Raises:
            UsageError: if every network learnt from the film, as in a bundle of some of the folds.
        """
        if not self._out_of_fold or not self.seen(film):
            return None
        given = self._bundle.training_folds
        if given and film not in given:
            raise UsageError(
                f"no network of {self._bundle.name!r} held out the film {film!r}; leave it out, or export the runs of "
                "all folds as one bundle"
            )
        return given[film] if given else fold_of(film, folds=self._count)


class FoldModels(Generic[Model]):
    """A bundle's models by the fold that answers for a film, each loaded when it is first needed."""

    def __init__(
        self,
        bundle: Bundle,
        load: Callable[..., Model],
        *,
        out_of_fold: bool = False,
        instead: str,
        threads: int | None = None,
    ) -> None:
        """Look at the bundle; nothing is loaded yet.

        Args:
            bundle: see `BundleFolds`.
            load: makes a model of the bundle, with `threads` and the fold `member`.
            out_of_fold: see `BundleFolds`.
            instead: see `BundleFolds`.
            threads: for one network.

        Raises:
            UsageError: as of `BundleFolds`.
        """
        self._bundle, self._load, self._threads = bundle, load, threads
        self._folds = BundleFolds(bundle, out_of_fold=out_of_fold, instead=instead)
        self._models: dict[int | None, Model] = {}

    @property
    def whole(self) -> Model:
        """What answers for films that the training has not seen."""
        return self._of(None)

    def seen(self, film: str) -> bool:
        """Whether the film of this file stem took part in training."""
        return self._folds.seen(film)

    def answering(self, film: str) -> Model:
        """Give what answers for the film of this file stem."""
        return self._of(self._folds.member(film))

    def _of(self, member: int | None) -> Model:
        if member not in self._models:
            self._models[member] = self._load(self._bundle, threads=self._threads, member=member)
        return self._models[member]
