"""Maps of a run's own network by its gradients, on a film that is read, located and cut as in assessment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from capitate.assessor.hand_on_film import HandOnFilm
from capitate.errors import UsageError
from capitate.explain.activation import ActivationMap
from capitate.explain.black_box import Meaning
from capitate.explain.placing import PlacedCells, spread
from capitate.explain.research.gradients import Differentiable, GradientMethod, gradient_cells
from capitate.radiograph import Radiograph
from capitate.runtime.bone_age import SEX_CODES
from capitate.runtime.view_mask import without_surroundings
from capitate.runtime.views import ViewRule
from capitate.training.abnormality.network import AbnormalityNetwork
from capitate.training.config import BoneAgeConfig
from capitate.training.networks.bone_age import BoneAgeNetwork
from capitate.training.pictures.exported import load_run
from capitate.training.run_views import view_card
from capitate.training.runs import Run
from capitate.training.settings.abnormality import AbnormalityConfig
from capitate.training.settings.pictures import film_rule
from capitate.types import Sex

__all__ = ["run_map"]

Affine = NDArray[np.float64]


def run_map(
    folder: Path, film: Radiograph, on_film: HandOnFilm, *, method: GradientMethod, sex: Sex, seed: int = 0
) -> ActivationMap:
    """Make a map of a film by a run's network.

    The answer is that of one picture as it is: the logit of a screen, the mean of a bone-age network's distribution.
    What the cells leave of it is the map's `base`.

    Args:
        folder: of a finished run of the task `bone-age` or `abnormality`.
        film: to look at.
        on_film: the hand on it, which bone ages need.
        method: of the gradients.
        sex: of the child, which bone ages need.
        seed: of SmoothGrad's noise.

    Raises:
        UsageError: if the run is not finished, or of another task.
    """
    run = Run.load(folder)
    if run.task == "abnormality":
        network, picture, to_film = _screened(run, film)
        meaning = Meaning(folder.name, "abnormality")
    elif run.task == "bone-age":
        network, picture, to_film = _aged(run, film, on_film, sex)
        meaning = Meaning(folder.name, "bone_age")
    else:
        raise UsageError(f"gradient maps are made of runs of bone-age and abnormality; {folder} is of {run.task}")
    cells, said = gradient_cells(network, picture, method=method, seed=seed)
    height, width = picture.shape
    placed = PlacedCells(cells, (height, width), to_film)
    return meaning.map(spread([placed], (film.height, film.width)), answer=said)


def _screened(run: Run, film: Radiograph) -> tuple[Differentiable, NDArray[np.uint8], Affine]:
    """Open a screen's run, and fit the film as its pictures are."""
    network, config = load_run(run, AbnormalityConfig, make=lambda one: AbnormalityNetwork(one.network))
    fitted = film_rule(config, config.reading).fitted(film.pixels)
    (across, down), (left, top) = fitted.scale, fitted.origin
    to_film = np.array([[1 / across, 0.0, -left / across], [0.0, 1 / down, -top / down]])

    def answer(cells: Tensor) -> Tensor:
        logits: Tensor = network.head(cells.mean((2, 3))).float().flatten()
        return logits

    return Differentiable(network.features, answer), fitted.pixels, to_film


def _aged(
    run: Run, film: Radiograph, on_film: HandOnFilm, sex: Sex
) -> tuple[Differentiable, NDArray[np.uint8], Affine]:
    """Open a bone-age run, and cut the film's view as its views are."""
    network, config = load_run(run, BoneAgeConfig, make=lambda one: BoneAgeNetwork(one.network))
    card = view_card([config], [run.folder])
    rule, frame = ViewRule.read(card["view"]), on_film.located.frame
    view = rule.view(rule.picture(film.pixels), frame)
    if card["surroundings_removed"]:
        view = without_surroundings(view)
    code = torch.tensor([SEX_CODES[sex]])

    def features(views: Tensor) -> Tensor:
        return network.features(views, code.expand(len(views)))

    def answer(cells: Tensor) -> Tensor:
        return network.answer(cells, code.expand(len(cells))).months

    return Differentiable(features, answer), view, rule.to_picture(frame, shape=film.pixels.shape)
