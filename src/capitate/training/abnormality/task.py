"""The screen as the loop sees it: films in, logits out; a threshold by films kept back, figures by study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from capitate.errors import UsageError
from capitate.evaluation.abnormality.predictions import CURVES, PREDICTIONS, StudyPredictions
from capitate.evaluation.logistic_fit import fit_logistic
from capitate.evaluation.roc import choose_threshold
from capitate.runtime.familiarity import Familiarity
from capitate.runtime.logistic import LogisticCalibration
from capitate.training.abnormality.batches import ScreenBatch, ScreenFeeder
from capitate.training.abnormality.familiar import FAMILIARITY, fit_familiarity
from capitate.training.abnormality.films import ScreenFilms, read_screen_films
from capitate.training.abnormality.losses import ScreenAnswer, mean_loss, places_loss, taught_loss, unlabelled_loss
from capitate.training.abnormality.network import AbnormalityNetwork
from capitate.training.abnormality.places import with_places
from capitate.training.abnormality.ranking import CELLS, histograms, ranking_error
from capitate.training.abnormality.teachers import Teachers
from capitate.training.losses.binary import positive_weight
from capitate.training.pictures.network import begun
from capitate.training.pictures.reading import labels_digest
from capitate.training.pictures.source import PictureSource
from capitate.training.run_card import Figure
from capitate.training.runs import read_json, write_json
from capitate.training.settings.abnormality import AbnormalityConfig, ScreenLoss, TeacherSees, UnlabelledUse
from capitate.training.settings.pictures import film_rule
from capitate.training.task import Task

__all__ = ["THRESHOLD", "AbnormalityTask", "open_abnormality"]

THRESHOLD = "threshold.json"
_BATCH = 64
_FEATURES_OF = 4096
"""Films learnt from, at most, whose features tell what is familiar: eleven for each channel of a small network."""


class AbnormalityTask(Task[ScreenBatch, ScreenAnswer]):
    """An experiment of the screen with its films."""

    name = "abnormality"
    judged_by = "ranking_error"
    terms = 2 + 2 * CELLS

    def __init__(self, films: ScreenFilms, config: AbnormalityConfig, *, teachers: Teachers | None = None) -> None:
        """Bring films, experiment and perhaps teachers together; no picture is read yet."""
        self.films, self._config, self._teachers = films, config, teachers
        self.source = PictureSource(films.items, rule=film_rule(config, config.reading), config=config.reading)
        self.ids = self.source.ids
        self._weight = config.loss.positive_weight or 1.0
        self._unseen: list[str] = []

    @property
    def config(self) -> AbnormalityConfig:
        """Give the experiment."""
        return self._config

    @cached_property
    def taught(self) -> NDArray[np.float32] | None:
        """The teachers' answers for every film, (films,), if they answer for films; see `Teachers.of_films`."""
        asked = self._teachers is not None and self.config.distillation.sees is TeacherSees.FILM
        return self._teachers.of_films(self.films.items, self.config.reading) if asked and self._teachers else None

    def prepare(self) -> None:
        """Let the teachers answer."""
        _ = self.taught

    def network(self) -> AbnormalityNetwork:
        """Build the network, randomly initialised."""
        return AbnormalityNetwork(self.config.network)

    def first_weights(self, rows: NDArray[np.int64]) -> dict[str, Tensor] | None:
        """Give the backbone's published weights, where the experiment wants them."""
        return begun(self.network())

    def folds(self) -> NDArray[np.int64]:
        """Give the fold of every film, that of its patient, source or study, or the table's."""
        return self.films.folds(self.config.folds)

    def digests(self) -> dict[str, str | None]:
        """Give sha256 of ids, studies, groups, labels and boxes; pictures are read from the films themselves."""
        parts = (self.ids, self.films.studies, self.films.groups, self.films.labels)
        lines: list[tuple[object, ...]] = list(zip(*(part.tolist() for part in parts), strict=True))
        lines += [(row, *boxes.ravel().tolist()) for row, boxes in self.films.boxes.items()]
        return {"labels_sha256": labels_digest(lines), "views_sha256": None}

    def groups(self, rows: NDArray[np.int64]) -> list[str]:
        """Name each film's patient, source or study."""
        groups: list[str] = self.films.groups[rows].tolist()
        return groups

    def feeder(
        self, rows: NDArray[np.int64], *, rank: int = 0, processes: int = 1, device: torch.device | None = None
    ) -> ScreenFeeder:
        """Give what makes augmented batches of some films, whose labels set the weight of positives."""
        made = ScreenFeeder(
            self.films,
            self.source,
            rows,
            self.config,
            rank=rank,
            processes=processes,
            device=device,
            taught=self.taught,
        )
        if self.config.loss.name is ScreenLoss.WEIGHTED_BCE and not self.config.loss.positive_weight:
            self._weight = positive_weight(torch.from_numpy(self.films.labels[made.rows]))
        return made

    def plain(self, rows: NDArray[np.int64], *, size: tuple[int, int]) -> ScreenBatch | None:
        """Give labelled films as they are; those that cannot be read are left out."""
        rows = rows[self.films.labelled[rows]]
        readable, pictures = self.source.pictures(rows, size=size)
        if not readable.any():
            return None
        none, labels = pictures[:0], torch.from_numpy(self.films.labels[rows[readable]])
        taught = torch.full_like(labels, torch.nan)
        return ScreenBatch(pictures, labels, none, none, taught, none, none, len(labels))

    def answer(self, network: nn.Module, batch: ScreenBatch) -> ScreenAnswer:
        """Let the network answer all films of a batch at once."""
        every = torch.cat([batch.pictures, batch.weak, batch.strong, batch.shown])
        found = network(every.contiguous(memory_format=torch.channels_last), len(batch.shown))
        logits, cells = found if len(batch.shown) else (found, found.new_zeros(0, 1, 1))
        shown = self.config.distillation.sees is TeacherSees.PICTURE and network.training
        taught = self._teachers.of_pictures(batch.pictures) if self._teachers is not None and shown else batch.taught
        labelled, weak, strong = logits.split([len(batch), len(batch.weak), len(batch.strong)])
        return ScreenAnswer(labelled, weak, strong, taught, cells)

    def loss(self, answer: ScreenAnswer, batch: ScreenBatch) -> Tensor:
        """Give the loss of labelled films by labels and teachers, and those of the others by their weights."""
        loss = mean_loss(answer.logits, batch.labels, self.config.loss, weight=self._weight)
        told = self.config.distillation
        if not answer.taught.isnan().all():
            apart = taught_loss(answer.logits, answer.taught, temperature=told.temperature)
            loss = (1 - told.share) * loss + told.share * apart
        if len(answer.cells):
            loss = loss + self.config.places.weight * places_loss(answer.cells, batch.boxes)
        if not len(answer.weak):
            return loss
        return loss + self.config.unlabelled.weight * unlabelled_loss(
            answer.weak, answer.strong, self.config.unlabelled
        )

    def sums(self, answer: ScreenAnswer, batch: ScreenBatch, loss: Tensor) -> Tensor:
        """Sum labelled films, loss, and films by label and logit."""
        counts = histograms(answer.logits.detach(), batch.labels)
        films = counts.new_full((), len(batch))
        return torch.cat([torch.stack([films, loss.detach().double() * films]), counts])

    def figures(self, sums: Sequence[float]) -> dict[str, float]:
        """Read loss and ranking_error, which is 1 less the area under the ROC curve of single films."""
        return {"loss": sums[1] / sums[0], "ranking_error": ranking_error(sums[2:])}

    def complete(self, network: nn.Module, rows: NDArray[np.int64], folder: Path) -> None:
        """Choose the threshold and calibrate on the studies kept back inside the training folds."""
        config = self.config.threshold
        found = self.predict(network, rows)
        both = found.labels.any() and not found.labels.all()
        value, how = 0.5, "none: the studies kept back have labels of one kind"
        if both:
            value = choose_threshold(found.probabilities, found.labels, choice=config.choice, least=config.least)
            how = str(config.choice) if config.choice == "youden" else f"{config.choice} of {config.least:g} at least"
        counts = {"studies": len(found.labels), "positives": int(found.labels.sum())}
        regions = [str(name) for name in np.unique(self.films.regions[self.films.labelled]) if name]
        fitted = fit_logistic(found.probabilities, found.labels)
        calibration = None if fitted is None else fitted.to_card()
        told = {"value": value, "choice": how, **counts, "calibration": calibration, "regions": regions}
        write_json(folder / THRESHOLD, told)
        seen = frozenset((folder / "training-ids.txt").read_text(encoding="utf8").splitlines())
        learnt = np.setdiff1d(np.flatnonzero(np.isin(self.ids, list(seen))), rows)
        labelled = self.films.labelled
        familiar = self.familiarity(network, learnt=learnt[labelled[learnt]], kept_back=rows[labelled[rows]])
        if familiar is not None:
            familiar.save(folder / FAMILIARITY)

    def familiarity(
        self, network: nn.Module, *, learnt: NDArray[np.int64], kept_back: NDArray[np.int64]
    ) -> Familiarity | None:
        """Say where the films of the training lie among the network's features.

        Args:
            network: trained.
            learnt: films learnt from; of very many, some are drawn.
            kept_back: films that set the limit.
        """
        if learnt.size > _FEATURES_OF:
            learnt = np.sort(np.random.default_rng(self.config.seed).choice(learnt, _FEATURES_OF, replace=False))
        return fit_familiarity(self._features(network, learnt), self._features(network, kept_back))

    def _features(self, network: nn.Module, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Give the averaged features (films, channels) of films as they are."""
        screen = cast("AbnormalityNetwork", network.eval())
        found = [np.zeros((0, screen.width), dtype=np.float32)]
        for part in np.array_split(rows, max(1, -(-rows.size // _BATCH))):
            readable, pictures = self.source.pictures(part)
            if readable.any():
                with torch.no_grad():
                    pooled = screen.pooled(pictures.to(next(screen.parameters()).device))
                found.append(pooled.float().cpu().numpy())
        return np.concatenate(found)

    def held_out(self, network: nn.Module, rows: NDArray[np.int64], folder: Path) -> Mapping[str, Figure]:
        """Judge studies that the network never saw, each by all its films as they are."""
        chosen = read_json(folder / THRESHOLD)
        threshold = float(chosen["value"])
        found = self.predict(network, rows, threshold=threshold)
        if not found.labels.size:
            raise UsageError(
                f"none of {rows.size} held-out films has a label and can be read; see `capitate data check`"
            )
        unread = sorted(set(self.films.studies[rows[self.films.labelled[rows]]]) - set(found.studies))
        self._unseen = [str(name) for name in unread]
        found.save(folder / PREDICTIONS)
        calibrated = found.calibrated(LogisticCalibration.from_card(chosen["calibration"]))
        write_json(folder / CURVES, calibrated.curves())
        return {**calibrated.figures(), "threshold": threshold, "studies_without_a_film": float(len(unread))}

    def predict(
        self, network: nn.Module, rows: NDArray[np.int64], *, threshold: float = float("nan")
    ) -> StudyPredictions:
        """Judge labelled films, averaged by study; those that cannot be read are left out.

        Args:
            network: trained.
            rows: films; those without a label are passed over.
            threshold: that was chosen for the network, kept with its predictions.
        """
        network.eval()
        device = next(network.parameters()).device
        kept, found = [np.zeros(0, dtype=np.int64)], [np.zeros(0)]
        rows = rows[self.films.labelled[rows]]
        for part in np.array_split(rows, max(1, -(-rows.size // _BATCH))):
            readable, pictures = self.source.pictures(part)
            if readable.any():
                with torch.no_grad():
                    found.append(network(pictures.to(device)).double().sigmoid().cpu().numpy())
                kept.append(part[readable])
        return StudyPredictions.of_films(self.films, np.concatenate(kept), np.concatenate(found), threshold=threshold)

    def notes(self) -> Sequence[str]:
        """Name what was left out: films that could not be read, and studies of which none could."""
        names = sorted(self.source.refused)
        films = f"{len(names)} films could not be read and were left out: {', '.join(names)}."
        studies = f"{len(self._unseen)} held-out studies have no film that can be read: {', '.join(self._unseen)}."
        told = [*([films] if names else []), *([studies] if self._unseen else [])]
        return (*self.films.notes, *told)


def open_abnormality(config: AbnormalityConfig, data: Path) -> AbnormalityTask:
    """Bring an experiment of the screen and its films together.

    Raises:
        TableError: if the data cannot be understood.
        UsageError: naming studies that contradict themselves, where a run is to stop.
    """
    films = read_screen_films(data, config.data, folds_from_table=config.reading.folds_from_table)
    if config.unlabelled.use is UnlabelledUse.NONE:
        films = films.only_labelled()
    return AbnormalityTask(with_places(films, data, config.places) if config.places.films else films, config)
