"""The commands and how `capitate --help` groups them; each command's own imports wait until it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from capitate import __version__
from capitate.cli.assess import assess
from capitate.cli.bench import bench
from capitate.cli.data import data
from capitate.cli.demo import demo
from capitate.cli.evaluate import evaluate
from capitate.cli.explain import explain
from capitate.cli.export import export
from capitate.cli.models import models
from capitate.cli.phantoms import phantoms
from capitate.cli.rescore import rescore
from capitate.cli.score import score
from capitate.cli.screen import screen
from capitate.cli.serve import serve
from capitate.cli.store import store
from capitate.cli.sweep import sweep
from capitate.cli.training import calibrate, predict, train

__all__ = ["app"]

FILMS, SERVICE, WORKBENCH = "Films", "Service", "Workbench"

app = typer.Typer(
    name="capitate",
    help="Bone age from paediatric hand radiographs, with an honest interval, offline.",
    epilog="Research software, not a medical device. Exit codes: 0 all assessed, 1 a film was refused, 2 wrong usage.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    """Print the version and end."""
    if wanted:
        typer.echo(f"capitate {__version__}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and end.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the whole traceback of a fault.")] = False,
) -> None:
    """Bone age from paediatric hand radiographs, with an honest interval, offline."""


def _examples(*lines: str) -> str:
    """Lay out examples below a command's help, one a line."""
    return "\n\n".join(("Examples:", *(f"  {line}" for line in lines)))


app.command(
    rich_help_panel=FILMS,
    epilog=_examples(
        "capitate assess film.png --sex female",
        "capitate assess film.dcm --age 10.5 --out reports",
        "capitate assess films --table studies.csv --format csv > ages.csv",
        "capitate assess --list films.txt --format json",
        "capitate assess film.png --model bundles/joint-detector --model bundles/joint-grades",
    ),
)(assess)
app.command(rich_help_panel=FILMS, epilog=_examples("capitate demo", "capitate demo --out demo-report"))(demo)
app.command(
    rich_help_panel=FILMS,
    epilog=_examples(
        "capitate screen films",
        "capitate screen test.csv --format kaggle --output submission.csv",
        "capitate screen MURA-v1.1/valid --format csv > screened.csv",
        "capitate screen rsna/index.csv --summary --format json --output false-alarms.json",
    ),
)(screen)
app.command(
    rich_help_panel=FILMS,
    epilog=_examples(
        "capitate score --sex male Radius=9 Ulna=8 MCPFirst=8 MCPThird=7 MCPFifth=7 PIPFirst=8 PIPThird=8 PIPFifth=8 "
        "MIPThird=8 MIPFifth=8 DIPFirst=8 DIPThird=8 DIPFifth=8",
        "capitate score --sex female --method tw3 Radius=G Ulna=F MCPFirst=G",
        "capitate score --table hands.csv > scores.csv",
    ),
)(score)
app.command(
    rich_help_panel=FILMS,
    epilog=_examples(
        "capitate rescore film.json --set Radius=9 Ulna=8 --out corrected.json",
        "capitate rescore corrected.json --clear Ulna --format text",
        "capitate rescore results.jsonl --film film2.png --set Radius=9 --by 'reader 2'",
        "capitate rescore corrected.json --crops graded --films films --corrected-only",
    ),
)(rescore)
app.command(
    rich_help_panel=SERVICE,
    epilog=_examples(
        "capitate serve",
        "capitate serve --folder /srv/capitate --workers 2 --retention-days 365",
        "capitate serve --host 0.0.0.0 --tokens tokens.txt --database postgresql+psycopg://capitate@localhost/capitate",
    ),
)(serve)
app.add_typer(store, name="store", rich_help_panel=SERVICE)
app.command(
    rich_help_panel=WORKBENCH,
    epilog=_examples(
        "capitate evaluate manifest.csv --task bone-age --out figures",
        "capitate evaluate manifest.csv --task bone-age --out-of-fold --out figures",
        "capitate evaluate manifest.csv --model runs/fold-0 --out figures",
        "capitate evaluate films.csv --task joints --boxes boxes.csv --keypoints points.csv --out figures",
        "capitate evaluate films --task joints --boxes boxes.csv --turn 0,90,180,270 --mirror --tilt 30 --out figures",
        "capitate evaluate graded --task grades --model bundles/mine --out figures",
        "capitate evaluate studies.csv --task abnormality --out figures",
        "capitate evaluate films.csv --task maps --model abnormality-screen --boxes boxes.csv --out figures",
    ),
)(evaluate)
app.command(
    rich_help_panel=WORKBENCH,
    epilog=_examples(
        "capitate explain film.png --sex female --out maps",
        "capitate explain film.png --model abnormality-screen --method occlusion --out maps",
        "capitate explain film.png --model runs/screen-0 --method grad-cam --out maps",
    ),
)(explain)
app.add_typer(models, name="models", rich_help_panel=WORKBENCH)
app.command(
    rich_help_panel=WORKBENCH,
    epilog=_examples(
        "capitate bench",
        "capitate bench --runs 50 --out speed.json",
        "capitate bench --inference bone-age resnet18 --threads 1 --out speed",
        "capitate bench --training configs/bone-age-299px.toml --data store",
    ),
)(bench)
data.command(
    epilog=_examples(
        "capitate data phantoms --out phantoms --count 200",
        "capitate data phantoms --joints drawn --count 20000 --joint Radius --joint Ulna",
    )
)(phantoms)
app.add_typer(data, name="data", rich_help_panel=WORKBENCH)
app.command(
    rich_help_panel=WORKBENCH,
    epilog=_examples(
        "capitate train configs/bone-age-299px.toml --data store --out runs/first-0 --fold 0",
        "capitate train configs/bone-age-continued.toml --data store --out runs/fold-0 --fold 0 --start runs/first-0",
        "capitate train configs/bone-age-consistent.toml --data store --out runs/on --fold 0 --start bone-age-ensemble",
        "capitate train configs/bone-age-299px.toml --data store --out runs/try --set optimiser.batch=32",
        "capitate train configs/hand-locator.toml --data rsna/index.csv --out runs/hand-locator",
    ),
)(train)
app.command(
    rich_help_panel=WORKBENCH,
    epilog=_examples(
        "capitate sweep configs/sweep-backbones.toml --data store --out sweeps/backbones",
        "capitate sweep configs/sweep-search.toml --data store --out sweeps/search --set optimiser.batch=32",
    ),
)(sweep)
app.command(
    rich_help_panel=WORKBENCH,
    epilog=_examples(
        "capitate predict runs/fold-0 --data store --out fold-0.npz",
        'capitate predict runs/fold-0 --data store --set "test_views=[[0, 0, false]]" --out one-view.npz',
    ),
)(predict)
app.command(
    rich_help_panel=WORKBENCH,
    epilog=_examples(
        "capitate calibrate runs/fold-0 runs/fold-1 runs/fold-2 runs/fold-3 runs/fold-4",
        "capitate calibrate out-of-fold.npz --out calibration.json",
    ),
)(calibrate)
app.command(
    rich_help_panel=WORKBENCH,
    epilog=_examples(
        "capitate export runs/fold-0 --out bundles/mine",
        "capitate export runs/fold-0 --data store --int8 --out bundles/mine",
        "capitate assess film.png --model bundles/mine@int8",
    ),
)(export)
