"""`capitate data split` and `data boxes`: who is learnt from and who is tested on, and label files that say so."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capitate.cli.options import QuietOption
from capitate.errors import UsageError

if TYPE_CHECKING:
    from capitate.training.data.splitting import SplitProof
    from capitate.training.manifest import Study

__all__ = ["boxes", "split"]


class BoxForm(StrEnum):
    """Forms in which boxes are written."""

    VOC = "voc"
    YOLO = "yolo"


def split(
    *,
    source: Annotated[
        Path, typer.Argument(metavar="SOURCE", help="Table of films, or a folder of graded crops (JOINT/GRADE/).")
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="CSV", dir_okay=False, help="Table with the split; its proof beside it.")
    ],
    folds: Annotated[
        int, typer.Option("--folds", min=2, metavar="N", help="Number of equal folds, named 0, 1, ...")
    ] = 5,
    share: Annotated[
        list[str] | None,
        typer.Option("--share", metavar="NAME=PART", help="Named parts instead of folds: train=0.8; several times."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same split.")] = 0,
    copies: Annotated[
        bool, typer.Option("--copies", help="Look at every film and keep copies of one film together, too.")
    ] = False,
    quiet: QuietOption = False,
) -> None:
    """Split by patient so that ages and sexes are alike, and prove that nothing stands on two sides."""
    from capitate.cli.writing import writing
    from capitate.training.data import crops
    from capitate.training.data.split_files import split_crops, split_studies

    shares = _shares(share) if share else {str(k): 1.0 for k in range(folds)}
    if out.exists():
        raise UsageError(f"{str(out)!r} is there already; a split that films were trained by is never overwritten")
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir() and crops.is_crop_folders(source):
            proof = split_crops(source, out, shares=shares, seed=seed)
        else:
            proof = split_studies(*_films(source, copies=copies, quiet=quiet), out, shares=shares, seed=seed)
        beside = out.with_suffix(".proof.json")
        about = {"source": source.name, "seed": seed, "shares": shares, **proof.to_json()}
        beside.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    print(_told(proof))
    print(f"Written to {out}; the proof: {beside}")


def boxes(
    *,
    table: Annotated[Path, typer.Argument(metavar="BOXES", help="Table of boxes: id, joint, x_center, y_center, ...")],
    films: Annotated[
        Path, typer.Option("--films", metavar="MANIFEST", help="Table of the films; its splits become the lists.")
    ],
    form: Annotated[BoxForm, typer.Option("--form", help="Form of the labels.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", file_okay=False, help="New folder for the labels.")],
    leave_out_wrong: Annotated[
        bool, typer.Option("--leave-out-wrong", help="Leave out hands with wrong boxes instead of stopping.")
    ] = False,
) -> None:
    """Write boxes as VOC or YOLO labels, with a list of films for each split."""
    from capitate.cli.writing import writing
    from capitate.training.data.box_files import write_labels
    from capitate.training.layouts import read_any

    if out.exists() and any(out.iterdir()):
        raise UsageError(f"{str(out)!r} holds files already; give a new folder as --out")
    with writing(out):
        written = write_labels(table, read_any(films), out, voc=form is BoxForm.VOC, leave_out_wrong=leave_out_wrong)
    lists = ", ".join(f"{name} {count}" for name, count in written.lists.items())
    print(f"{written.boxes} boxes of {written.films} films written to {out}; lists: {lists}")
    if written.wrong:
        print(f"{len(written.wrong)} films with wrong boxes were left out: {', '.join(sorted(written.wrong))}")
    if written.without_film:
        print(f"{written.without_film} labelled films are not in {films.name} and were left out")


def _shares(texts: list[str]) -> dict[str, float]:
    shares: dict[str, float] = {}
    for text in texts:
        name, equals, part = text.partition("=")
        try:
            shares[name.strip()] = float(part)
        except ValueError as error:
            raise UsageError(f"--share takes NAME=PART such as train=0.8, got {text!r}") from error
        if not equals or not name.strip():
            raise UsageError(f"--share takes NAME=PART such as train=0.8, got {text!r}")
    return shares


def _films(source: Path, *, copies: bool, quiet: bool) -> tuple[list[Study], list[tuple[str, str]]]:
    """Read the films, without the split that they have, and find the copies among them if asked to."""
    from dataclasses import replace

    from capitate.cli.output import counted
    from capitate.training.checks.duplicates import copies_of
    from capitate.training.checks.film_facts import look_at_films
    from capitate.training.layouts import read_whole, settled

    studies = settled(read_whole(source), path=source)
    studies = [replace(study, split=None) for study in studies]
    if not copies:
        return studies, []
    with counted(total=len(studies), quiet=quiet) as step:
        facts, _ = look_at_films(studies, progress=step)
    return studies, copies_of(facts)


def _told(proof: SplitProof) -> str:
    """Say what was proved."""
    parts = ", ".join(
        f"{name}: {proof.films[name]} films of {proof.groups[name]} groups" for name in sorted(proof.films)
    )
    return (
        f"{parts}. {len(proof.shared_films)} films and {len(proof.shared_groups)} groups on two sides; shares of age "
        f"and sex are met within {proof.largest_deviation:.1%}"
    )
