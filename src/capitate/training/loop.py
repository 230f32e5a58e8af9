"""The training loop: one network, one fold held out, resumable at every epoch."""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from capitate.runtime.bone_age import TestView
from capitate.training import augment
from capitate.training.config import BoneAgeConfig
from capitate.training.losses import distillation, make_loss
from capitate.training.networks import Answer, BoneAgeNetwork, first_weights, freeze, parameter_groups, unfreeze
from capitate.training.view_store import ViewStore

__all__ = ["Result", "predict", "train"]

_log = logging.getLogger(__name__)

_AS_STORED = (TestView(0, 0, False),)


@dataclass(frozen=True, eq=False)
class Result:
    """A trained network (averaged weights) and the history, one dictionary an epoch."""

    network: BoneAgeNetwork
    history: list[dict[str, float]]


def train(
    store: ViewStore,
    rows: NDArray[np.int64],
    config: BoneAgeConfig,
    *,
    folder: Path,
    teacher: NDArray[np.float32] | None = None,
    start: dict[str, Tensor] | None = None,
) -> Result:
    """Train on `rows` of the store.

    Args:
        store: films.
        rows: which of them to learn from.
        config: the experiment.
        folder: for the checkpoint `last.pt`; training resumes from it if it is there.
        teacher: probabilities (len(store), 3, 240) by sex index, for distillation.
        start: weights to begin with instead of random ones.
    """
    torch.manual_seed(config.seed)
    if start is None and not (folder / "last.pt").exists():
        start = first_weights(config.network, store.months[rows])
    state = _State(config, rows.size, start)
    folder.mkdir(parents=True, exist_ok=True)
    state.resume(folder / "last.pt")
    stages = [stage for stage in config.optimiser.stages for _ in range(stage.epochs)]
    for epoch in range(state.epoch, len(stages)):
        began = time.perf_counter()
        (freeze if epoch < config.freezing.epochs else unfreeze)(state.network)
        generator = torch.Generator().manual_seed(config.seed * 100003 + epoch)
        order = rows[torch.randperm(rows.size, generator=generator).numpy()]
        size = (stages[epoch].height, stages[epoch].width)
        losses = [
            state.step(*_prepare(store, part, config, size, generator, teacher))
            for part in np.array_split(order, state.steps_an_epoch)
        ]
        seconds = time.perf_counter() - began
        state.history.append({"epoch": epoch, "loss": float(np.mean(losses)), "films_a_second": rows.size / seconds})
        _log.info(
            "%s epoch %d: loss %.3f, %.0f films a second", config.name, epoch, np.mean(losses), rows.size / seconds
        )
        state.save(folder / "last.pt", epoch + 1)
    return Result(state.average, state.history)


Batch = tuple[Tensor, Tensor, Callable[[Answer], Tensor]]


def _prepare(  # noqa: PLR0917
    store: ViewStore,
    rows: NDArray[np.int64],
    config: BoneAgeConfig,
    size: tuple[int, int],
    generator: torch.Generator,
    teacher: NDArray[np.float32] | None,
) -> Batch:
    """Augment a batch, hide some sexes, and bind its targets into a loss."""
    views, masks, months, sexes = store.batch(rows, size=size)
    views = augment.apply(views, masks, augment.draw(len(rows), config.augment, generator=generator))
    hidden = torch.rand(len(rows), generator=generator) < config.optimiser.unknown_sex
    sexes = torch.where(hidden, torch.full_like(sexes, 2), sexes)
    labels = make_loss(config.optimiser.loss, config.loss)
    if teacher is None:
        return views, sexes, lambda answer: labels(answer, months)
    share = config.optimiser.distil
    target = torch.from_numpy(teacher[rows, sexes.numpy()])
    return (
        views,
        sexes,
        lambda answer: share * distillation(answer.logits, target) + (1 - share) * labels(answer, months),
    )


class _State:
    """Everything that a checkpoint holds: network, its average, optimiser, schedule, epoch, history, random state."""

    def __init__(self, config: BoneAgeConfig, films: int, start: dict[str, Tensor] | None) -> None:
        """Set up the optimiser and its schedule for `films` films an epoch."""
        settings = config.optimiser
        self.settings = settings
        self.network = BoneAgeNetwork(config.network).to(memory_format=torch.channels_last)
        if start is not None:
            self.network.load_state_dict(start)
        self.average = copy.deepcopy(self.network).eval()
        self.steps_an_epoch = max(1, round(films / settings.batch))
        steps = self.steps_an_epoch * sum(stage.epochs for stage in settings.stages)
        groups = parameter_groups(
            self.network,
            learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
            layer_decay=config.freezing.layer_decay,
        )
        self.optimiser = torch.optim.AdamW(groups)
        rates = [group["lr"] for group in groups]
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, rates, steps, pct_start=settings.warm_up, cycle_momentum=False
        )
        self.epoch = 0
        self.history: list[dict[str, float]] = []

    def step(self, views: Tensor, sexes: Tensor, loss_of: Callable[[Answer], Tensor]) -> float:
        """Take one optimiser step and update the running average."""
        self.network.train()
        with torch.autocast("cpu", torch.bfloat16):
            answer = self.network(views.contiguous(memory_format=torch.channels_last), sexes, whole=True)
        loss = loss_of(answer)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip)
        self.optimiser.step()
        self.schedule.step()
        self._follow()
        return float(loss.detach())

    def _follow(self) -> None:
        """Move the running average; early steps count more so that it forgets the random start."""
        taken = self.schedule.last_epoch
        weight = 1 - min(self.settings.average, (1 + taken) / (10 + taken))
        for mean, now in zip(self.average.state_dict().values(), self.network.state_dict().values(), strict=True):
            if mean.dtype.is_floating_point:
                mean.lerp_(now, weight)
            else:
                mean.copy_(now)

    def save(self, path: Path, epoch: int) -> None:
        """Write the checkpoint in full, then put it in place of the previous one."""
        parts: dict[str, Any] = {
            name: getattr(self, name).state_dict() for name in ("network", "average", "optimiser", "schedule")
        }
        fresh = path.with_suffix(".new")
        random = torch.get_rng_state()
        torch.save({**parts, "epoch": epoch, "history": self.history, "random": random}, fresh)
        fresh.replace(path)

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint if there is one."""
        if not path.exists():
            return
        stored = torch.load(path, weights_only=True)
        for name in ("network", "average", "optimiser", "schedule"):
            getattr(self, name).load_state_dict(stored[name])
        self.epoch, self.history = stored["epoch"], stored["history"]
        if "random" in stored:
            torch.set_rng_state(stored["random"])  # dropout draws from it


def predict(
    network: BoneAgeNetwork,
    store: ViewStore,
    rows: NDArray[np.int64],
    *,
    sex: int | None = None,
    test_views: Sequence[TestView] = _AS_STORED,
    surroundings_removed: bool = False,
    size: tuple[int, int] | None = None,
    batch: int = 128,
) -> NDArray[np.float32]:
    """Give probabilities by month for rows of a store, never augmented.

    Args:
        network: set to evaluation by this call.
        store: films.
        rows: which of them.
        sex: index to give instead of the film's own, 2 for unknown.
        test_views: whose answers are averaged; the view as it is stored alone if left out.
        surroundings_removed: whether everything outside the dilated hand is black, as assessment has it.
        size: resolution, the store's own if None.
        batch: films at a time.

    Returns:
        float32 (len(rows), 240).
    """
    network.eval()
    answers = []
    for part in np.array_split(rows, max(1, -(-rows.size // batch))):
        views, masks, _, sexes = store.batch(part, size=size)
        if surroundings_removed:
            views = torch.where(masks, views, torch.zeros_like(views))
        sexes = sexes if sex is None else torch.full_like(sexes, sex)
        with torch.no_grad():
            each = [network(_seen(views, one), sexes).softmax(1) for one in test_views]
        answers.append(torch.stack(each).mean(0).numpy())
    return np.concatenate(answers)


def _seen(views: Tensor, test_view: TestView) -> Tensor:
    """Make a test view of every view (n, 1, height, width), float."""
    moved = torch.from_numpy(np.stack([test_view.of(view) for view in views[:, 0].numpy()]))
    return moved[:, None].float().contiguous(memory_format=torch.channels_last)
