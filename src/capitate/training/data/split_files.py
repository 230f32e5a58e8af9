"""Splits written as tables, and proved from what was written."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from capitate.errors import UsageError
from capitate.training.data.crops import read_crops
from capitate.training.data.splitting import SplitProof, assign, items_of_crops, items_of_studies, prove
from capitate.training.manifest import Study, read_manifest, write_manifest

__all__ = ["split_crops", "split_studies"]


def split_studies(
    studies: Sequence[Study],
    copies: Sequence[tuple[str, str]],
    out: Path,
    *,
    shares: Mapping[str, float],
    seed: int,
) -> SplitProof:
    """Write a manifest with the column `split`, read it again, and prove it.

    Args:
        studies: films.
        copies: pairs of ids that must not be parted.
        out: the CSV file.
        shares: of the films by split.
        seed: of the order.

    Raises:
        UsageError: if the films cannot be split so, or the proof fails.
        OSError: if the file cannot be written.
    """
    items = items_of_studies(studies, copies=copies)
    chosen = assign(items, shares=shares, seed=seed)
    write_manifest([replace(study, split=chosen[study.id]) for study in studies], out)
    names = {study.path: study.id for study in studies}
    rows = [(names[study.path], study.split or "") for study in read_manifest(out)]
    return _proved(prove(items, rows, shares=shares))


def split_crops(folder: Path, out: Path, *, shares: Mapping[str, float], seed: int) -> SplitProof:
    """Write `path, joint, grade, hand, split` of graded crops; all crops of a hand are in one split.

    Raises:
        UsageError: if the crops cannot be split so, or the proof fails.
        OSError: if the file cannot be written.
    """
    crops = read_crops(folder)
    items = items_of_crops(crops)
    chosen = assign(items, shares=shares, seed=seed)
    with out.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("path", "joint", "grade", "hand", "split"))
        for crop in crops:
            name = crop.path.relative_to(folder).as_posix()
            writer.writerow((name, crop.joint, crop.grade, crop.hand, chosen[crop.path.as_posix()]))
    with out.open(encoding="utf-8", newline="") as stream:
        rows = [((folder / row["path"]).as_posix(), row["split"]) for row in csv.DictReader(stream)]
    return _proved(prove(items, rows, shares=shares))


def _proved(proof: SplitProof) -> SplitProof:
    if not proof.disjoint:
        raise UsageError(
            f"the split is not disjoint: {len(proof.shared_films)} films and {len(proof.shared_groups)} groups stand "
            "on two sides; report this"
        )
    return proof
