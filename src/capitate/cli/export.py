"""`capitate export`: from runs to a bundle that `assess` runs, measured before it leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from capitate.cli.extras import training_parts
from capitate.cli.options import ChangesOption
from capitate.errors import UsageError

__all__ = ["export"]

_CARD, _MEASURED = "The card", "Measured at the export"
_Sources = Annotated[
    list[Path],
    typer.Argument(metavar="RUN...", help="Run folders of `capitate train`; or one bundle, to copy with another card."),
]
_Name = Annotated[str | None, typer.Option("--name", help="Name of the bundle; the experiment's if left out.")]
_Calibration = Annotated[
    Path | None,
    typer.Option("--calibration", metavar="JSON", help="Report of `calibrate --out`; from the runs if left out."),
]
_Shares = Annotated[
    str | None,
    typer.Option("--shares", metavar="NAME", help="Bundle that holds the same networks; leave them out here."),
]
_Figures = Annotated[
    Path | None,
    typer.Option(
        "--figures", metavar="JSON", rich_help_panel=_CARD, help="Further figures for the card, a list of objects."
    ),
]
_About = Annotated[
    Path | None,
    typer.Option(
        "--about", metavar="TOML", rich_help_panel=_CARD, help="Developer, contact, funding and what else no run knows."
    ),
]
_Data = Annotated[
    Path | None,
    typer.Option(
        "--data", metavar="STORE", rich_help_panel=_MEASURED, help="Views that the runs were trained on, for all below."
    ),
]
_Agreement = Annotated[
    Path | None,
    typer.Option(
        "--agreement",
        metavar="STORE|FILMS",
        rich_help_panel=_MEASURED,
        help="Compare files with torch on this store of views or table of films; drawn hands without it and --data.",
    ),
]
_Films = Annotated[
    int, typer.Option("--agreement-films", min=1, metavar="N", rich_help_panel=_MEASURED, help="Films of it at most.")
]
_HeldOut = Annotated[
    list[Path] | None,
    typer.Option(
        "--held-out",
        metavar="RUN",
        rich_help_panel=_CARD,
        help="Run of the same recipe that held a fold out; several times. Their figures are joined over the folds.",
    ),
]
_Limit = Annotated[
    float | None,
    typer.Option(
        "--agreement-limit",
        min=0,
        metavar="MONTHS",
        rich_help_panel=_MEASURED,
        help="Largest difference that passes; 0.05 if left out, of a locator 0.01 hand lengths.",
    ),
]
_Int8 = Annotated[
    bool,
    typer.Option("--int8", rich_help_panel=_MEASURED, help="Also write the networks in 8-bit integers; needs --data."),
]
_Int8Films = Annotated[
    int,
    typer.Option("--int8-films", min=1, metavar="N", rich_help_panel=_MEASURED, help="Films a network for their loss."),
]
_Maps = Annotated[
    bool,
    typer.Option(
        "--maps",
        help="Of a bundle that is copied: let its networks' files say what answers rest on; --data gives the films "
        "that maps are counted from. Networks of runs do so always.",
    ),
]


def export(
    *,
    runs: _Sources,
    out: Annotated[Path, typer.Option("--out", metavar="BUNDLE", file_okay=False, help="Folder of the bundle.")],
    name: _Name = None,
    version: Annotated[str, typer.Option("--version", help="Version of the weights.")] = "1",
    calibration: _Calibration = None,
    changes: ChangesOption = None,
    shares: _Shares = None,
    figures: _Figures = None,
    held_out: _HeldOut = None,
    about: _About = None,
    data: _Data = None,
    agreement: _Agreement = None,
    agreement_films: _Films = 60,
    agreement_limit: _Limit = None,
    int8: _Int8 = False,
    int8_films: _Int8Films = 500,
    maps: _Maps = False,
) -> None:
    """Make a bundle: ONNX networks, calibration, model card, training ids and sums.

    The files are compared with torch before the bundle is complete; one that answers otherwise is not written.
    """
    with training_parts("Exporting a bundle"):
        from capitate.runtime.bundle import is_bundle
        from capitate.training.bundle_folder import BundleOptions
        from capitate.training.bundling import bundle_runs
        from capitate.training.card_about import read_about
        from capitate.training.pooled import pooled_figures
        from capitate.training.rebundling import rebundle
        from capitate.training.threads import use_threads

        use_threads(1)
        options = BundleOptions(
            name=name,
            version=version,
            calibration=calibration,
            figures=(*pooled_figures(held_out or []), *(() if figures is None else _read_figures(figures))),
            changes=tuple(changes or ()),
            shares=shares,
            about=None if about is None else read_about(about),
            data=data,
            agreement=agreement,
            films=agreement_films,
            limit=agreement_limit,
            held_out=tuple(held_out or ()),
            int8=int8,
            int8_films=int8_films,
            maps=maps,
        )
        if len(runs) == 1 and is_bundle(str(runs[0])):
            bundle = rebundle(str(runs[0]), out, options=options)
        else:
            bundle = bundle_runs(runs, out, options=options)
    print(f"{bundle.name} {bundle.reference.version}: {bundle.size_bytes / 1e6:.1f} MB in {out}")
    for line in _told(bundle.card):
        print(line)


def _told(card: dict[str, object]) -> list[str]:
    """Say what was measured."""
    told = []
    found = card.get("agreement")
    if isinstance(found, dict):
        told.append(
            f"agreement with torch on {found['on']}: largest difference {found['largest']:g} {found['unit']}, "
            f"median {found['median']:g}, limit {found['limit']:g}"
        )
    maps = card.get("maps")
    if isinstance(maps, dict):
        told.append(f"maps: counted from {maps['base']}" if "base" in maps else f"no maps: {maps['unexplained']}")
    int8 = card.get("int8")
    if isinstance(int8, dict):
        loss, speed = int8["loss"], int8["speed"]
        change = loss.get("mae_change")
        told.append(
            f"int8: {speed['times_as_fast']:g} times as fast, ages move by {loss['median_change_months']:g} months in "
            f"the median and {loss['largest_change_months']:g} at most on {loss['on']}"
        )
        if change:
            told.append(
                f"int8: mean absolute error {loss['mae_fp32']:g} -> {loss['mae_int8']:g} months, change "
                f"{change['value']:+.3f} ({change['low']:+.3f} to {change['high']:+.3f})"
            )
    return told


def _read_figures(path: Path) -> list[dict[str, object]]:
    """Read further figures.

    Raises:
        UsageError: if the file is no list of objects with a name and a value.
    """
    try:
        values = json.loads(path.read_text(encoding="utf8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read figures from {path}: {error}; give a JSON list of objects") from error
    if not isinstance(values, list) or not all(isinstance(v, dict) and {"name", "value"} <= v.keys() for v in values):
        raise UsageError(f"figures in {path} must be a list of objects with name and value, got {str(values)[:80]}")
    return values
