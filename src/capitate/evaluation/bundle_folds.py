"""Which of a bundle's networks may answer for a film, so that none is judged on what it learnt from."""

from __future__ import annotations

from capitate.errors import UsageError
from capitate.runtime.bundle import Bundle
from capitate.training.folds import fold_of

__all__ = ["BundleFolds"]


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
        """Give the fold whose networks answer for a film, None for those that any other film is given to."""
        if not self._out_of_fold or not self.seen(film):
            return None
        given = self._bundle.training_folds.get(film)
        return fold_of(film, folds=self._count) if given is None else given
