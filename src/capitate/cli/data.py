"""`capitate data`: films and labels looked at, converted, split, equalised and prepared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capitate.cli.data_audit import audit
from capitate.cli.data_copies import copies
from capitate.cli.data_fill import fill
from capitate.cli.data_joints import joints
from capitate.cli.data_measures import measures
from capitate.cli.data_prepare import prepare
from capitate.cli.data_split import boxes, split
from capitate.cli.graders import graders
from capitate.cli.options import QuietOption
from capitate.errors import UsageError

if TYPE_CHECKING:
    from capitate.training.checks.check import DataCheck

__all__ = ["data"]

data = typer.Typer(help="Look at films and labels, convert, split and prepare them.", no_args_is_help=True)

_Source = Annotated[
    Path,
    typer.Argument(metavar="SOURCE", help="Manifest, published table, folder or zip archive, also a table in one."),
]
_Films = Annotated[
    Path | None,
    typer.Option("--films", metavar="DIR", help="Folder or zip archive with the films, if not in a usual place."),
]
_Workers = Annotated[int, typer.Option("--workers", min=1, metavar="N", help="Processes that read films.")]
_SHOWN = 3


class FailOn(StrEnum):
    """From which gravity on `check` ends with exit code 1; those of `capitate.training.checks.fault.Gravity`."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class SourceForm(StrEnum):
    """Forms of a source; those of `capitate.training.data.importing.Form`."""

    FILMS = "films"
    CROPS = "crops"
    VOC = "voc"
    YOLO = "yolo"


@data.command(
    "import",
    epilog="Examples:\n\n  capitate data import rsna/boneage-training-dataset.csv --out rsna.csv\n\n"
    "  capitate data import MURA-v1.1.zip --out mura.csv\n\n  capitate data import crops --out graded\n\n"
    "  capitate data import VOCdevkit --form voc --out boxes.csv",
)
def import_(
    *,
    source: _Source,
    out: Annotated[Path, typer.Option("--out", metavar="PATH", help="CSV file; a folder for graded crops.")],
    films: _Films = None,
    form: Annotated[
        SourceForm | None, typer.Option("--form", help="Form of the source; told from what it holds if left out.")
    ] = None,
) -> None:
    """Turn a published or local form into a manifest, a table of boxes, or JOINT/GRADE/ folders."""
    from capitate.cli.writing import writing
    from capitate.training.data.importing import Form, import_data

    with writing(out):
        made = import_data(source, out, films=films, form=None if form is None else Form(form.value))
    what = {Form.FILMS: "films", Form.CROPS: "crops"}.get(made.form, "boxes")
    print(f"{made.count} {what} ({made.form}): {made.place}")


@data.command(
    epilog="Examples:\n\n  capitate data check manifest.csv --out check\n\n"
    "  capitate data check epiphyses/index.csv --films epiphyses/regions --out check\n\n"
    "  capitate data check boxes.csv --films films --out check --fail-on warning"
)
def check(
    *,
    source: _Source,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", file_okay=False, help="Folder for check.html and check.json.")
    ],
    films: _Films = None,
    fail_on: Annotated[FailOn, typer.Option("--fail-on", help="From which gravity on the exit code is 1.")] = (
        FailOn.ERROR
    ),
    samples: Annotated[
        int, typer.Option("--samples", min=0, metavar="N", help="Films of each split shown before and after CLAHE.")
    ] = 2,
    seed: Annotated[int, typer.Option("--seed", help="Which films these are.")] = 0,
    workers: _Workers = 1,
    quiet: QuietOption = False,
) -> None:
    """Look at a table and at every film: what is damaged, doubled, implausible or leaks between splits."""
    from capitate.cli import REFUSED
    from capitate.cli.writing import make_folder, writing
    from capitate.training.checks.fault import Gravity
    from capitate.training.checks.report import write_check

    make_folder(out)
    found = _checked(source, films=films, workers=workers, quiet=quiet)
    with writing(out):
        write_check(found, out, samples=samples, seed=seed)
    for one in found.faults:
        print(f"{one.gravity.value:8}{one.code:34}{one.count:7}  {'; '.join(one.places[:_SHOWN])}")
    read = f"{len(found.facts)} of {len(found.studies)} films read"
    print(f"{found.form}, {found.rows} rows, {read}; the whole list: {out / 'check.html'}")
    if found.has(Gravity(fail_on.value)):
        raise typer.Exit(REFUSED)


@data.command(
    epilog="Examples:\n\n  capitate data clahe manifest.csv --out equalised --clip 2 --tiles 8\n\n"
    "  capitate data clahe graded --out graded-clahe --tiles 3 --rotations 5"
)
def clahe(
    *,
    source: Annotated[
        Path,
        typer.Argument(metavar="SOURCE", help="Table of films, or a folder of graded crops. It is never written to."),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", file_okay=False, help="New folder for the films.")],
    films: _Films = None,
    clip: Annotated[
        float,
        typer.Option(
            "--clip",
            min=0.1,
            metavar="LIMIT",
            help="Most that one grey value may count in a tile, as a multiple of the mean: 1 changes little, 2 to 4 "
            "lift faint bones, 15 and more make texture of noise.",
        ),
    ] = 2.0,
    tiles: Annotated[
        int,
        typer.Option(
            "--tiles",
            min=1,
            metavar="N",
            help="Number of tiles across and down, not their size: 8 on a film of 1500 x 2000 gives 188 x 250 each, "
            "and tiles below 16 pixels are refused.",
        ),
    ] = 8,
    rotations: Annotated[
        int, typer.Option("--rotations", min=0, metavar="N", help="Turned copies of each crop (crops only).")
    ] = 0,
    degrees: Annotated[int, typer.Option("--degrees", min=1, max=180, help="Largest turn of a copy, either way.")] = 45,
    seed: Annotated[int, typer.Option("--seed", help="Which turns are drawn.")] = 0,
    quiet: QuietOption = False,
) -> None:
    """Equalise local contrast into a new folder, every split alike."""
    from capitate.cli import REFUSED
    from capitate.cli.output import counted
    from capitate.cli.writing import writing
    from capitate.training.data import crops as crop_folders
    from capitate.training.data.clahe import ClaheRule, Rotations, equalise_crops, equalise_films
    from capitate.training.layouts import read_any

    rule, turns = ClaheRule(clip=clip, tiles=tiles), Rotations(rotations, degrees, seed)
    if source.is_dir() and crop_folders.is_crop_folders(source):
        crops = crop_folders.read_crops(source)
        with writing(out), counted(total=len(crops), quiet=quiet) as step:
            count = equalise_crops(crops, out, source=source, rule=rule, rotations=turns, progress=step)
        print(f"{count} pictures of {len(crops)} crops written to {out}")
        return
    if rotations:
        raise UsageError("--rotations makes copies of crops in JOINT/GRADE/; whole films are turned while training")
    studies = read_any(source, films=films)
    with writing(out), counted(total=len(studies), quiet=quiet) as step:
        refused = equalise_films(studies, out, source=source, rule=rule, progress=step)
    print(f"{len(studies) - len(refused)} films and their manifest written to {out}; {len(refused)} films refused")
    if refused:
        raise typer.Exit(REFUSED)


data.command(
    epilog="Examples:\n\n  capitate data split manifest.csv --out folds.csv --folds 5\n\n"
    "  capitate data split manifest.csv --out split.csv --share train=0.8 --share val=0.1 --share test=0.1\n\n"
    "  capitate data split graded --out split.csv"
)(split)
data.command(
    epilog="Examples:\n\n  capitate data copies fractures/index.csv --out fracture-films\n\n"
    "  capitate data copies localisation/boxes.csv --out localisation-films --workers 2"
)(copies)
data.command(
    epilog="Examples:\n\n  capitate data boxes boxes.csv --films manifest.csv --form yolo --out yolo\n\n"
    "  capitate data boxes boxes.csv --films manifest.csv --form voc --out voc"
)(boxes)
data.command(
    epilog="Examples:\n\n  capitate data audit boxes-21.csv --out audit\n\n"
    "  capitate data audit boxes-21.csv --keypoints hand-keypoints-21.csv --films rsna/index.csv --out audit"
)(audit)
data.command(
    epilog="Examples:\n\n  capitate data measures rsna-highres/index.csv --boxes joints.csv --out measures\n\n"
    "  capitate data measures rsna/index.csv --boxes joints.csv --masks epiphyses/masks --aspects epiphyses/index.csv "
    "--out measures"
)(measures)
data.command(
    epilog="Examples:\n\n  capitate data prepare rsna/index.csv --out store\n\n"
    "  capitate data prepare rsna/index.csv --out store --height 160 --width 128 --workers 4\n\n"
    "  capitate data prepare folds.csv --out store --folds-from-table"
)(prepare)

data.command(
    epilog="Examples:\n\n  capitate data joints rsna-highres/index.csv --out crops\n\n"
    "  capitate data joints rsna/index.csv --films epiphyses/regions --masks epiphyses/masks --out crops"
)(joints)
data.command(
    epilog="Examples:\n\n  capitate data graders runs/by-age runs/drawn --data crops --graded graded\n\n"
    "  capitate data graders runs/by-age --data crops --measures measures.csv --out table.md"
)(graders)
data.command(
    epilog="Examples:\n\n  capitate data fill epiphyses/regions --masks epiphyses/masks --whole rsna-highres "
    "--whole rsna-train-299px --out filled"
)(fill)


def _checked(source: Path, *, films: Path | None, workers: int, quiet: bool) -> DataCheck:
    """Choose the check that fits a source."""
    from capitate.training.checks import label_checks
    from capitate.training.checks.check import check_data
    from capitate.training.data import crops, mura
    from capitate.training.table import read_table

    with _bar(quiet=quiet) as progress:
        if source.is_dir():
            if not mura.is_mura(source) and (crops.is_crop_folders(source) or crops.is_named_crops(source)):
                return label_checks.check_crops(source, workers=workers, progress=progress)
        elif source.suffix.lower() in {".csv", ".tsv"}:
            table = read_table(source)
            if label_checks.is_box_table(table) or label_checks.is_point_table(table):
                return label_checks.check_boxes(source, films=films, workers=workers, progress=progress)
        return check_data(source, films=films, workers=workers, progress=progress)


@contextmanager
def _bar(*, quiet: bool) -> Iterator[Callable[[int], Callable[[], None]]]:
    """Give a bar whose length is known only when the table has been read."""
    from contextlib import ExitStack

    from capitate.cli.output import counted

    with ExitStack() as stack:
        yield lambda total: stack.enter_context(counted(total=total, quiet=quiet))
