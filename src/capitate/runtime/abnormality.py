"""The abnormality screen of a bundle: a probability a film, and that of a study, as the card calibrates it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from capitate.errors import UsageError
from capitate.explain import ActivationMap
from capitate.explain.integrated import contributions
from capitate.explain.placing import PlacedCells, spread
from capitate.explain.readings import logit_of_mean
from capitate.runtime.bundle import Bundle
from capitate.runtime.familiarity import Familiarity
from capitate.runtime.logistic import LogisticCalibration
from capitate.runtime.picture_model import PictureModel, way_back

__all__ = ["FALSE_ALARMS", "AbnormalityScreen", "FilmAnswers", "StudyAnswer"]

FALSE_ALARMS = "share of films called"
"""Name of the figure that a card's `false_alarms` is taken from."""
_MAP_TOLERANCE = 0.005
"""By how much the parts of a map may miss the logit minus its base: a probability of 1/2 moves by 0.00125."""


@dataclass(frozen=True, eq=False)
class FilmAnswers:
    """What the networks say about films, before calibration.

    Attributes:
        probabilities: float64 (n,), mean over the networks, as they give them.
        strangeness: float64 (n,), distance from the training films in units of the one up to which a film is familiar,
            mean over the networks; NaN where the bundle does not tell.
    """

    probabilities: NDArray[np.float64]
    strangeness: NDArray[np.float64]


@dataclass(frozen=True)
class StudyAnswer:
    """What the screen says about one study.

    Attributes:
        probability: of the study, calibrated: the mean of what the networks say about its films.
        abnormal: whether it reaches the bundle's threshold.
        films: calibrated probability of each film, in the order given.
        familiar: whether each film looks like those of the training, None where the bundle does not tell.
    """

    probability: float
    abnormal: bool
    films: tuple[float, ...]
    familiar: tuple[bool | None, ...]


class AbnormalityScreen(PictureModel):
    """The screening networks of a bundle.

    Attributes:
        threshold: calibrated probability from which a study counts as abnormal; the card says how it was chosen.
        regions: parts of the body that the training data had, as they name them; empty where they did not tell.
        calibration: from the networks' mean probability to the one that is shown.
    """

    task = "abnormality"

    def __init__(self, bundle: Bundle, *, threads: int | None = None, member: int | None = None) -> None:
        """Load the networks.

        Args:
            bundle: of the task `abnormality`.
            threads: see `PictureModel`, as for errors.
            member: use the networks that held out this fold alone (out-of-fold evaluation).
        """
        super().__init__(bundle, threads=threads, member=member)
        card = bundle.card
        self.threshold = float(card["threshold"]["value"])
        self.regions = frozenset(str(name) for name in card.get("regions", ()))
        self.calibration = LogisticCalibration.from_card(card.get("calibration"))
        folds = card.get("calibration", {}).get("by_fold", {})
        self._by_fold = {int(fold): LogisticCalibration.from_card(one) for fold, one in folds.items()}

    @cached_property
    def familiarity(self) -> tuple[Familiarity, ...]:
        """Where training films lie, by network; nothing where the card has none.

        Raises:
            BundleDamagedError: if a file cannot be read.
        """
        files = self.bundle.card.get("familiarity", {}).get("files", ())
        return tuple(Familiarity.load(self.bundle.folder / files[k]) for k in self.members if files)

    def asked(self, pictures: NDArray[np.uint8], *, member: int | None = None) -> FilmAnswers:
        """Ask the networks.

        Args:
            pictures: uint8 (n, height, width), from `picture`.
            member: fold that the networks asked have to have held out; all networks if None.
        """
        chosen = [k for k, fold in enumerate(self.held_out) if member is None or fold == member]
        outputs = [self._sessions[k].run({"picture": pictures[:, None]}) for k in chosen]
        probabilities = np.mean([found[0].astype(np.float64).reshape(-1) for found in outputs], axis=0)
        return FilmAnswers(probabilities, self._strangeness(chosen, [found[1:] for found in outputs], len(pictures)))

    def _strangeness(
        self, chosen: Sequence[int], pooled: Sequence[Sequence[NDArray[np.float32]]], films: int
    ) -> NDArray[np.float64]:
        """Average over networks how far films lie from the training, as shares of the limit; NaN where none can tell.

        Args:
            chosen: numbers of the networks.
            pooled: by network its averaged features (films, channels), in a list; older files gave none.
            films: how many.
        """
        told = [
            self.familiarity[k].distances(each[0]) / self.familiarity[k].limit
            for k, each in zip(chosen, pooled, strict=True)
            if self.familiarity
        ]
        return np.mean(told, axis=0) if told else np.full(films, np.nan)

    def films(self, pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Give the calibrated probability that each film is abnormal.

        Args:
            pictures: uint8 (n, height, width), from `picture`.

        Returns:
            float64 (n,).
        """
        return self.calibration(self.asked(pictures).probabilities)

    def explained(self, pixels: NDArray[np.float32]) -> tuple[StudyAnswer, ActivationMap]:
        """Judge a film, and map in the same pass what raises and lowers its probability.

        The calibration is linear in the networks' logit, and so are the parts that it is shared out into.

        Args:
            pixels: float32 (rows, columns), the film.

        Returns:
            What `study` says of this film alone, and a map in calibrated logits.

        Raises:
            NoMapError: if the bundle's networks carry no feature maps, or the parts do not sum up.
        """
        fitted = self.rule.fitted(pixels)
        mean, features = self._mean_and_features({"picture": fitted.pixels[None, None]})
        seen = [network.seen(one) for network, one in zip(self._explained, features, strict=True)]
        found = contributions(seen, logit_of_mean, tolerance=_MAP_TOLERANCE)
        cells = [PlacedCells(one[0], fitted.pixels.shape, way_back(fitted)) for one in found.cells]
        slope, intercept = self.calibration.slope, self.calibration.intercept
        pooled = [[one.mean(axis=(2, 3))] for one in features]
        judged = self.of_study(FilmAnswers(mean.reshape(-1), self._strangeness(range(len(pooled)), pooled, 1)))
        answer = float(np.log(judged.probability) - np.log1p(-judged.probability))
        values = spread(cells, pixels.shape) * np.float32(slope)
        base = slope * found.base + intercept
        return judged, ActivationMap(self.bundle.name, "abnormality", "logit", values, base, answer)

    def study(self, pictures: NDArray[np.uint8]) -> StudyAnswer:
        """Judge a study by all its films.

        Args:
            pictures: uint8 (films, height, width).

        Raises:
            UsageError: if there is none: a study without a readable film has no answer.
        """
        if not len(pictures):
            raise UsageError("a study needs a film that can be read to be screened, got none; refuse the study instead")
        return self.of_study(self.asked(pictures))

    def of_study(self, films: FilmAnswers, *, member: int | None = None) -> StudyAnswer:
        """Put the answers for the films of one study together.

        Args:
            films: of `asked`, at least one.
            member: fold for which the networks were asked; its calibration was fitted on the other folds.
        """
        calibration = self.calibration if member is None else self._by_fold.get(member, self.calibration)
        probability = calibration.of(float(films.probabilities.mean()))
        familiar = tuple(None if np.isnan(one) else bool(one <= 1) for one in films.strangeness.tolist())
        each = tuple(calibration(films.probabilities).tolist())
        return StudyAnswer(probability, probability >= self.threshold, each, familiar)

    def knows(self, region: str) -> bool | None:
        """Say whether the training had films of a region; None where region or card do not tell."""
        names = {name.casefold() for name in self.regions}
        return region.casefold() in names if region and names else None
