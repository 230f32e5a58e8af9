"""MURA's folders: `XR_WRIST/patient00001/study1_positive/image1.png`, with the reading in the study's name.

Source of the form: Rajpurkar et al. 2018, MURA: Large Dataset for Abnormality Detection in Musculoskeletal Radiographs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from capitate.training.data.film_finder import films_under
from capitate.training.manifest import Study

__all__ = ["MURA_FORM", "is_mura", "mura_studies"]

MURA_FORM = "MURA folders"
_STUDY = re.compile(r"(?P<study>[^/]+)_(?P<reading>positive|negative)", re.IGNORECASE)
_LOOKED_AT = 50
_SPLITS = frozenset({"train", "valid", "val", "test"})


def is_mura(place: Path) -> bool:
    """Whether a folder or zip archive holds films in MURA's form, judged by the first of its films."""
    return any(_STUDY.fullmatch(film.parent.name) for film in islice(_hidden_left_out(place), _LOOKED_AT))


def mura_studies(place: Path) -> Iterator[Study]:
    """Give every film with its patient, its examination, the part of the body, the reading and, where told, the split.

    The same patient's name in two regions is one patient. Films outside a study's folder are left out.
    """
    for film in _hidden_left_out(place):
        inner = film.relative_to(place).parts
        found = _STUDY.fullmatch(inner[-2]) if len(inner) >= 3 else None
        if found is None:
            continue
        above = inner[:-3]
        split = next((part for part in above if part.casefold() in _SPLITS), None)
        region = next((part for part in above if part.upper().startswith("XR_")), None)
        patient = inner[-3]
        study = "/".join(part for part in (region, patient, found["study"]) if part)
        yield Study(
            path=film.absolute(),
            id="/".join(inner),
            listed="/".join(inner),
            patient_id=patient,
            study_id=study,
            region=region[3:].casefold() if region else None,
            abnormal=found["reading"].casefold() == "positive",
            split=split,
        )


def _hidden_left_out(place: Path) -> Iterator[Path]:
    return (film for film in films_under(place) if not film.name.startswith("._"))
