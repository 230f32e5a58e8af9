"""A reader whose answers are the truth plus known noise, for tests that know what has to come out."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from capitate.assessment import Assessment, BoneAge, Distribution, ModelReference, Quality, Refusal, Source, Subject
from capitate.errors import CorruptFileError
from capitate.training.manifest import Study
from capitate.types import Interval, Sex, age_text

MODEL = ModelReference(name="fake", version="1.0", sha256="0" * 64, licence="none")


def studies(count: int, *, seed: int = 0) -> list[Study]:
    generator = np.random.default_rng(seed)
    ages = np.clip(generator.normal(127, 41, count), 12, 228).round()
    sexes = generator.choice([Sex.FEMALE, Sex.MALE], count)
    return [
        Study(path=Path(f"/films/{k}.png"), id=str(k), listed=f"{k}.png", sex=Sex(sexes[k]), bone_age_months=ages[k])
        for k in range(count)
    ]


def gaussian(mean: float, sd: float) -> Distribution:
    edges = np.arange(-0.5, 300.5)
    below = np.array([0.5 * (1 + math.erf((edge - mean) / (sd * math.sqrt(2)))) for edge in edges])
    mass = np.diff(below)
    return Distribution(start_months=0, step_months=1, probabilities=tuple((mass / mass.sum()).tolist()))


def answer(study: Study, months: float, *, sd: float) -> Assessment:
    return Assessment(
        source=Source(name=study.path.name, sha256=None),
        subject=Subject(sex=study.sex, sex_source="table"),
        quality=Quality(accepted=True),
        bone_age=BoneAge(
            months=months,
            text=age_text(max(months, 0)),
            standard="Greulich-Pyle",
            mature=False,
            interval=Interval(low=months - 1.645 * sd, high=months + 1.645 * sd, level=0.9),
            distribution=gaussian(months, sd),
        ),
        models=(MODEL,),
    )


class NoisyTruth:
    """Answers truth + bias + normal noise; refuses some films, one way or the other."""

    def __init__(
        self,
        rows: Sequence[Study],
        *,
        sd: float = 8.0,
        bias: float = 0.0,
        raises: Collection[str] = (),
        refuses: Collection[str] = (),
        trained_on: Collection[str] = (),
        seed: int = 1,
    ) -> None:
        noise = np.random.default_rng(seed).normal(bias, sd, len(rows))
        self.noise = {row.id: float(value) for row, value in zip(rows, noise, strict=True)}
        self.sd, self.raises, self.refuses, self.trained_on = sd, raises, refuses, trained_on

    def predict(self, row: Study, /) -> Assessment:
        if row.id in self.raises:
            raise CorruptFileError("damaged")
        if row.id in self.refuses:
            quality = Quality(accepted=False)
            source, subject = Source(row.path.name, None), Subject(row.sex, "table")
            return Assessment(source=source, subject=subject, quality=quality, error=Refusal("no_hand", "No hand."))
        assert row.bone_age_months is not None
        return answer(row, row.bone_age_months + self.noise[row.id], sd=self.sd)

    def seen(self, film: str, /) -> bool:
        return film in self.trained_on
