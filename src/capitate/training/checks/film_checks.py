"""Faults of the films: missing, damaged, copies, odd sizes, no contrast, negatives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from capitate.training.checks.duplicates import Pair
from capitate.training.checks.fault import Fault, Gravity, fault
from capitate.training.checks.film_facts import FilmFacts
from capitate.training.data.film_finder import films_in, is_place
from capitate.training.manifest import Study
from capitate.training.prepare import Refused

__all__ = ["check_copies", "check_pictures", "check_readable", "check_unlisted"]

_FLAT_SD = 10 / 255
_SIZE_FACTOR = 3.0
_LABELS_APART_MONTHS = 6.0
_BRIGHT = 0.5


def check_readable(refused: Sequence[Refused]) -> list[Fault]:
    """Report films that are missing, and those that cannot be read."""
    missing = [f"film {one.id}" for one in refused if one.code == "missing_film"]
    others = [f"film {one.id}: {one.code}: {one.message}" for one in refused if one.code != "missing_film"]
    return [
        *fault(
            "missing_film",
            Gravity.ERROR,
            "The table names films that are not there. Find them, or remove their rows.",
            missing,
        ),
        *fault(
            "unreadable_film",
            Gravity.ERROR,
            "A film cannot be read. Copy it again, or remove its row.",
            others,
        ),
    ]


def check_unlisted(studies: Sequence[Study]) -> list[Fault]:
    """Report films that lie beside those of the table and that no row names."""
    listed = {study.path for study in studies}
    places = {path.parent for path in listed}
    beside = sorted(film for place in places if is_place(place) for film in films_in(place) if film not in listed)
    message = "Films lie beside those of the table and no row names them. Add rows, or keep them elsewhere."
    return fault("film_without_row", Gravity.NOTE, message, [film.name for film in beside])


def check_pictures(facts: Sequence[FilmFacts]) -> list[Fault]:
    """Report films whose type, size or grey values stand out."""
    types = Counter(f"{one.format}, {one.bits} bit" for one in facts)
    mixed = [f"{name}: {count} films" for name, count in types.most_common()] if len(types) > 1 else []
    flat = [f"film {one.id}: SD {one.sd * 255:.1f} of 255" for one in facts if one.sd < _FLAT_SD]
    bright = [one for one in facts if one.rim > _BRIGHT and one.rim > one.middle]
    framed = [f"film {one.id}" for one in bright if one.margin < one.rim / 2]
    negative = [
        f"film {one.id}: surroundings {one.margin:.2f}, middle {one.middle:.2f}"
        for one in bright
        if one.margin >= one.rim / 2 and one.margin > one.middle
    ]
    odd = [f"film {one.id}" for one in facts if "extension_mismatch" in one.findings]
    coloured = [f"film {one.id}" for one in facts if "coloured" in one.findings]
    return [
        *fault("wrong_extension", Gravity.WARNING, "A file's name claims another type than its bytes have.", odd),
        *fault("coloured", Gravity.WARNING, "A picture is coloured. Check that it is a film.", coloured),
        *fault("mixed_types", Gravity.NOTE, "Films are stored in several types or depths.", mixed),
        *fault(
            "odd_size",
            Gravity.WARNING,
            f"A film's width or height is more than {_SIZE_FACTOR:g} times off the set's median, either way.",
            _odd_sizes(facts),
        ),
        *fault(
            "little_contrast",
            Gravity.WARNING,
            "A film uses little of the grey scale. Views are stretched; check that 8 bits did not lose the bones.",
            flat,
        ),
        *fault(
            "bright_surroundings",
            Gravity.WARNING,
            "A film is brighter around than in the middle, as a negative is. The hand locator turns negatives round; "
            "other preprocessing does not.",
            negative,
        ),
        *fault(
            "white_frame", Gravity.NOTE, "A film has a thin white frame, which moves its brightest grey values.", framed
        ),
    ]


def check_copies(
    identical: Sequence[tuple[str, ...]], pairs: Sequence[Pair], studies: Mapping[str, Study]
) -> list[Fault]:
    """Report films that show the same, and those of them whose labels differ."""
    same = {frozenset((a, b)) for ids in identical for a in ids for b in ids if a != b}
    near = [pair for pair in pairs if frozenset((pair.first, pair.second)) not in same]
    couples = [(ids[0], other) for ids in identical for other in ids[1:]] + [(p.first, p.second) for p in near]
    differ = [text for a, b in couples if (text := _differing(studies[a], studies[b]))]
    return [
        *fault(
            "identical_films",
            Gravity.WARNING,
            "Files are equal to the byte. Keep one.",
            [" = ".join(ids) for ids in identical],
        ),
        *fault(
            "near_duplicates",
            Gravity.WARNING,
            "Films show the same though their files differ. Keep one, or keep them in one split (`data split`).",
            [
                f"{p.first} ~ {p.second} (correlation {p.correlation:.3f}{', turned or mirrored' if p.turn else ''})"
                for p in near
            ],
        ),
        *fault("copies_with_other_labels", Gravity.ERROR, "Copies of one film have different labels.", differ),
    ]


def _odd_sizes(facts: Sequence[FilmFacts]) -> list[str]:
    if not facts:
        return []
    sizes = np.array([(one.width, one.height) for one in facts], dtype=np.float64)
    ratio = sizes / np.median(sizes, axis=0)
    odd = np.any((ratio > _SIZE_FACTOR) | (ratio < 1 / _SIZE_FACTOR), axis=1)
    return [f"film {facts[k].id}: {facts[k].width} x {facts[k].height}" for k in np.flatnonzero(odd).tolist()]


def _differing(one: Study, other: Study) -> str:
    """Say how the labels of two copies differ, or nothing."""
    parts = []
    if one.sex is not other.sex:
        parts.append(f"{one.sex.value} and {other.sex.value}")
    ages = (one.bone_age_months, other.bone_age_months)
    if ages[0] is not None and ages[1] is not None and abs(ages[0] - ages[1]) > _LABELS_APART_MONTHS:
        parts.append(f"{ages[0]:g} and {ages[1]:g} months")
    if one.abnormal is not None and other.abnormal is not None and one.abnormal != other.abnormal:
        parts.append("abnormal and normal")
    return f"{one.id} and {other.id}: {', '.join(parts)}" if parts else ""
