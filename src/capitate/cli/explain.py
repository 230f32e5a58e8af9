"""`capitate explain`: a map of what an answer rests on, by the model's own parts or by research methods."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capitate.cli.extras import training_parts
from capitate.cli.options import SexOption, ThreadsOption
from capitate.cli.writing import make_folder, writing
from capitate.errors import UsageError

if TYPE_CHECKING:
    from capitate.assessor.hand_on_film import HandOnFilm
    from capitate.evaluation.maps import MapSubject
    from capitate.explain import ActivationMap
    from capitate.radiograph import Radiograph
    from capitate.types import Sex

__all__ = ["Method", "explain"]


class Method(StrEnum):
    """How a map is made."""

    ACTIVATION = "activation"
    OCCLUSION = "occlusion"
    LIME = "lime"
    GRADIENT = "gradient"
    SMOOTHGRAD = "smoothgrad"
    GRAD_CAM = "grad-cam"


@dataclass(frozen=True)
class Asking:
    """How a bundle is asked."""

    method: Method
    _: KW_ONLY
    sex: Sex
    cells: int
    samples: int
    seed: int


_OF_RUNS = frozenset({Method.GRADIENT, Method.SMOOTHGRAD, Method.GRAD_CAM})


def explain(
    *,
    film: Annotated[Path, typer.Argument(metavar="FILM", help="The film.")],
    model: Annotated[
        str,
        typer.Option(
            "--model",
            metavar="NAME",
            help="Bundle of the task bone-age or abnormality, by name or folder; for gradients the folder of a run.",
        ),
    ] = "bone-age",
    method: Annotated[
        Method,
        typer.Option(
            "--method",
            help="activation: the model's own map; occlusion, lime: its answers with parts of the film hidden; "
            "gradient, smoothgrad, grad-cam: of a run's network.",
        ),
    ] = Method.ACTIVATION,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", file_okay=False, help="Folder for the map.")],
    sex: SexOption = None,
    cells: Annotated[
        int, typer.Option("--cells", min=4, max=128, metavar="N", help="Occlusion: cells on the longer side.")
    ] = 16,
    samples: Annotated[
        int, typer.Option("--samples", min=1, metavar="N", help="LIME: films with parts hidden that are asked for.")
    ] = 1000,
    seed: Annotated[int, typer.Option("--seed", min=0, metavar="N", help="LIME and SmoothGrad: of their choice.")] = 0,
    threads: ThreadsOption = None,
) -> None:
    """Map what an answer rests on: an array and, over the film, a picture.

    Values are months, logits or grades that a place adds to the answer. Those of the activation map sum to the answer
    less a base; those of the other methods need not, and what they leave is told as the base.
    """
    from capitate import files
    from capitate.assessor.hand_on_film import find_hand
    from capitate.runtime.locator import HandLocator

    _refuse_other(model, method)
    stored = files.read(film)
    upright, on_film = find_hand(stored, HandLocator(threads=threads))
    shown = upright if on_film.certain else stored
    known = sex or stored.sex
    make_folder(out)
    if method in _OF_RUNS:
        made, version = _of_run(model, shown, on_film, method, sex=known, seed=seed, threads=threads)
    else:
        asking = Asking(method, sex=known, cells=cells, samples=samples, seed=seed)
        made, version = _of_bundle(model, shown, on_film, asking, threads=threads)
    _write(made, version, shown, out, name=f"{film.stem}-{method}")


def _refuse_other(model: str, method: Method) -> None:
    """Refuse a bundle where a run is needed, and a run where a bundle is.

    Raises:
        UsageError: saying which of the two the method takes.
    """
    is_run = (Path(model) / "config.json").is_file()
    if method in _OF_RUNS and not is_run:
        raise UsageError(
            f"{method} needs the gradients of a network, and {model!r} is no folder of a run; bundles only answer. "
            "Give the folder of a run of `capitate train`, or choose activation, occlusion or lime"
        )
    if method not in _OF_RUNS and is_run:
        raise UsageError(
            f"{method} takes a bundle, got the run {model!r}; capitate export {model} --out FOLDER makes one"
        )


def _of_run(
    model: str, film: Radiograph, on_film: HandOnFilm, method: Method, *, sex: Sex, seed: int, threads: int | None
) -> tuple[ActivationMap, str]:
    """Make a map by gradients, and tell the weights' sha256."""
    folder = Path(model)
    with training_parts(f"A map by {method}"):
        from capitate.explain.research.gradients import GradientMethod
        from capitate.training.run_maps import run_map
        from capitate.training.runs import Run
        from capitate.training.threads import use_threads

        use_threads(threads or 1)
        made = run_map(folder, film, on_film, method=GradientMethod(method.value), sex=sex, seed=seed)
        return made, Run.load(folder).reference["weights_sha256"]


def _of_bundle(
    model: str, film: Radiograph, on_film: HandOnFilm, asking: Asking, *, threads: int | None
) -> tuple[ActivationMap, str]:
    """Make a map of a bundle, and tell its version.

    Raises:
        UsageError: if its task has no maps.
    """
    from capitate.evaluation.maps import open_subject
    from capitate.explain.lime import lime_map
    from capitate.explain.occlusion import occlusion_map

    subject: MapSubject = open_subject(model, threads=threads)
    seen = subject.see(film, on_film, sex=asking.sex)
    made: ActivationMap | None
    if asking.method is Method.OCCLUSION:
        made = occlusion_map(film.pixels, seen.ask, meaning=subject.meaning, cells=asking.cells)
    elif asking.method is Method.LIME:
        made = lime_map(film.pixels, seen.ask, meaning=subject.meaning, seed=asking.seed, samples=asking.samples)
    else:
        made = seen.look().map
    if made is None:
        raise UsageError(f"{model!r} names places and has no map; choose occlusion, lime or another bundle")
    return made, subject.bundle.version


def _write(made: ActivationMap, version: str, film: Radiograph, out: Path, *, name: str) -> None:
    """Write the array and the overlay, and say what they tell."""
    import numpy as np

    from capitate.explain.arrays import StoredMap, npz_bytes
    from capitate.explain.overlay import laid_over

    x, y = made.peak()
    grey = np.clip(np.rint(film.pixels * 255), 0, 255).astype(np.uint8)
    with writing(out):
        (out / f"{name}.npz").write_bytes(npz_bytes(StoredMap(made, version, film.sha256)))
        laid_over(grey, made).save(out / f"{name}.png")
    print(f"{made.model}: {made.answer:.2f} {made.unit}, of which the map tells {made.answer - made.base:+.2f}")
    print(f"raised most at {100 * x:.0f} % from the left and {100 * y:.0f} % from the top")
    print(f"Written to {out}: {name}.npz, {name}.png")
