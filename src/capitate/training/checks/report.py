"""A check on disk: `check.json`, and a page that opens without a network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from numpy.typing import NDArray

from capitate.assessment import NOTICE
from capitate.evaluation.plots import COLOURS, Axes, nice_ticks
from capitate.training.checks.check import DataCheck
from capitate.training.checks.film_facts import GREY_BINS, FilmFacts
from capitate.training.checks.samples import SAMPLE_CLIP, SAMPLE_TILES, sample_pairs
from capitate.training.manifest import Study
from capitate.types import Sex

__all__ = ["html", "write_check"]

_SHOWN = 20
_BAND_MONTHS = 12


@dataclass(frozen=True)
class _Plot:
    svg: Markup
    caption: str


def write_check(check: DataCheck, folder: Path, *, samples: int = 2, seed: int = 0) -> None:
    """Write `check.json` and `check.html` into a folder.

    Args:
        check: what was found.
        folder: made if it is not there.
        samples: films of each split shown before and after local equalisation.
        seed: which films these are.

    Raises:
        OSError: if a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plain = json.dumps(check.to_json(), indent=1, ensure_ascii=False, allow_nan=False)
    (folder / "check.json").write_text(plain + "\n", encoding="utf-8")
    (folder / "check.html").write_text(html(check, samples=samples, seed=seed), encoding="utf-8")


def html(check: DataCheck, *, samples: int = 2, seed: int = 0) -> str:
    """Return the page; arguments as for `write_check`."""
    environment = Environment(
        loader=PackageLoader("capitate.training.checks"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    plain = check.to_json()
    facts = {one.id: one for one in check.facts}
    pictures = {name: _plots(group, facts) for name, group in check.splits().items()} if check.facts else {}
    return environment.get_template("check.html.j2").render(
        check=check,
        counts=plain["counts"],
        splits=plain["splits"],
        pictures=pictures,
        pairs=sample_pairs(check.splits(), count=samples, seed=seed),
        clip=SAMPLE_CLIP,
        tiles=SAMPLE_TILES,
        shown=_SHOWN,
        notice=NOTICE,
    )


def _plots(group: Sequence[Study], facts: dict[str, FilmFacts]) -> list[_Plot]:
    seen = [facts[study.id] for study in group if study.id in facts]
    plots = []
    if any(study.bone_age_months is not None for study in group):
        plots.append(_Plot(_ages(group), "Bone age by sex, in bands of twelve months."))
    if seen:
        plots.append(_Plot(_sizes(seen), "Width and height of every film."))
        plots.append(_Plot(_greys(seen), "Grey values: share of pixels, mean over the films."))
    return plots


def _ages(group: Sequence[Study]) -> Markup:
    """Plot how many girls and boys there are of each age."""
    by_sex = {
        sex: np.array([s.bone_age_months for s in group if s.sex is sex and s.bone_age_months is not None])
        for sex in Sex
    }
    most = max(float(ages.max(initial=0)) for ages in by_sex.values())
    edges = np.arange(0, most + 2 * _BAND_MONTHS, _BAND_MONTHS, dtype=np.float64)
    counts = {sex: np.histogram(ages, edges)[0] for sex, ages in by_sex.items() if len(ages)}
    top = 1.1 * max(1, *(int(values.max()) for values in counts.values()))
    axes = Axes((0, float(edges[-1])), (0, top), "bone age (months)", "films", "Bone ages by sex", height=300)
    axes.grid(nice_ticks(0, float(edges[-1]), step=24), nice_ticks(0, top, most=6))
    width = _BAND_MONTHS / max(1, len(counts))
    for number, (sex, values) in enumerate(counts.items()):
        for low, value in zip(edges[:-1], values.tolist(), strict=True):
            left = float(low) + number * width
            axes.bars([left, left + width], [value], colour=COLOURS[sex.value])
    axes.legend({sex.value: COLOURS[sex.value] for sex in counts})
    return axes.svg()


def _sizes(seen: Sequence[FilmFacts]) -> Markup:
    """Plot height over width."""
    width, height = (np.array([getattr(one, name) for one in seen], dtype=np.float64) for name in ("width", "height"))
    right, top = 1.08 * float(width.max()), 1.08 * float(height.max())
    axes = Axes((0, right), (0, top), "width (pixels)", "height (pixels)", "Sizes of films", height=300)
    axes.grid(nice_ticks(0, right, most=6), nice_ticks(0, top, most=6))
    axes.points(width, height, colour=COLOURS["male"], size=4, opacity=0.35)
    return axes.svg()


def _greys(seen: Sequence[FilmFacts]) -> Markup:
    """Plot the mean histogram of grey values, without the black that surrounds most films."""
    shares: NDArray[np.float64] = np.mean([one.counts / one.counts.sum() for one in seen], axis=0)
    edges = np.linspace(0, 1, GREY_BINS + 1)
    top = 1.15 * float(shares[1:].max(initial=1e-4))
    label = f"share of pixels (black: {shares[0]:.0%}, cut off)"
    axes = Axes((0, 1), (0, top), "grey value (fraction of full scale)", label, "Grey values", height=300)
    axes.grid(nice_ticks(0, 1, step=0.2), nice_ticks(0, top, most=6))
    axes.bars(edges.tolist(), np.minimum(shares, top).tolist())
    return axes.svg()
