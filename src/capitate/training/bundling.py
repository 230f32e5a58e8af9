"""From run folders to a bundle that `assess` runs without another step."""

from __future__ import annotations

import hashlib
import json
import shlex
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from capitate.errors import UsageError
from capitate.runtime.bundle import Bundle, load_bundle
from capitate.runtime.views import LOCATOR_SIZE
from capitate.training.abnormality.bundle import make_bundle as _abnormality
from capitate.training.calibrate import calibrate, fit
from capitate.training.cards import card_text, compose_card, figures_of
from capitate.training.config import changed
from capitate.training.ensemble import load_joined
from capitate.training.export import export, export_network, write_bundle
from capitate.training.joint_grades.bundle import make_bundle as _joint_grades
from capitate.training.locator_run import load_locator_run
from capitate.training.prepare import read_rule
from capitate.training.related_runs import load_bone_age_run
from capitate.training.runs import Run

__all__ = ["BundleOptions", "bundle_runs"]


@dataclass(frozen=True)
class BundleOptions:
    """What a bundle says beyond what its runs know.

    Attributes:
        name: of the bundle; the experiment's if None.
        version: of the weights.
        calibration: file of `capitate calibrate --out`; from the runs' own out-of-fold predictions if None.
        figures: further figures for the card, each with `name`, `value`, `low`, `high`, `unit`, `on`, `command`.
        notes: further entries of the card's `training`.
        changes: `a.b=value` of the runs' configuration: other test views, another smoothing.
        shares: name of a released bundle, or folder of one beside this, that has the same networks already; this one
            then holds a card alone.
    """

    name: str | None = None
    version: str = "1"
    calibration: Path | None = None
    figures: Sequence[Mapping[str, Any]] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)
    changes: Sequence[str] = ()
    shares: str | None = None


def bundle_runs(folders: Sequence[Path], out: Path, *, options: BundleOptions | None = None) -> Bundle:
    """Make a bundle: one run gives one network, several give an ensemble of folds, seeds or architectures.

    Args:
        folders: run folders of one task.
        out: the bundle's folder; an earlier bundle there is replaced once the new one is complete.
        options: name, version, calibration and figures.

    Returns:
        The bundle, verified.

    Raises:
        UsageError: if runs do not belong together, or calibration is missing.
    """
    options = options or BundleOptions()
    runs = [Run.load(folder) for folder in folders]
    tasks = sorted({run.task for run in runs})
    if len(tasks) != 1:
        raise UsageError(f"runs of one task make a bundle, got {', '.join(tasks) or 'no run'}")
    if out.exists() and any(out.iterdir()) and not (out / "SHA256SUMS").exists():
        raise UsageError(f"{out} holds something else than a bundle; choose another --out")
    fresh = out.with_name(f".{out.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    make = _MAKERS.get(tasks[0], _locator)
    try:
        make(runs, fresh, options)
        shutil.rmtree(out, ignore_errors=True)
        fresh.rename(out)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return load_bundle(str(out))


def _bone_age(runs: Sequence[Run], folder: Path, options: BundleOptions) -> None:
    """Write networks, calibration, card and training ids of a bone-age bundle."""
    runs = _in_order(runs)
    sizes, views = set(), set()
    names, held_out = _names(runs), [run.fold for run in runs]
    for run, name in zip(runs, names, strict=True):
        network, config = load_bone_age_run(run)
        config = changed(config, options.changes)
        last = config.optimiser.stages[-1]
        sizes.add((last.height, last.width))
        views.add((config.test_views, config.smoothing_months, config.surroundings_removed))
        export_network(network, folder / name, height=last.height, width=last.width)
    if len(sizes) != 1:
        raise UsageError(f"networks of one bundle see views of one size, got {sorted(sizes)}")
    if len(views) != 1:
        found = sorted((str([view.to_card() for view in each]), *rest) for each, *rest in views)
        raise UsageError(f"networks of one bundle share test views, smoothing and surroundings, got {found}")
    ((height, width),), ((test_views, smoothing, removed),) = sizes, views
    rule = read_rule(runs[0].folder)
    if any(read_rule(run.folder) != rule for run in runs):
        raise UsageError("networks of one bundle were trained on views cut by one rule; these runs differ in view.json")
    report = _calibration(runs, options)
    members = _member_calibrations(runs, level=float(report["calibration"]["level"]))
    view = replace(rule, height=height, width=width).to_card()
    ids = frozenset[str]().union(*(run.training_ids for run in runs))
    command = shlex.join(["capitate", "calibrate", *report["of"]])
    shared = _share(folder, names, options.shares) if options.shares else None
    card = compose_card(
        name=options.name or str(runs[0].config["name"]),
        version=options.version,
        task="bone-age",
        networks=[] if shared else names,
        training={
            "films": len(ids),
            "folds held out": held_out,
            **_origins(runs),
            "calibration and figures": f"predictions out of fold by {', '.join(report['of'])}",
            **_configurations(runs),
            **options.notes,
        },
        runtime={
            **({"networks_of": shared} if shared else {}),
            "view": view,
            "test_views": [view.to_card() for view in test_views],
            "smoothing_months": smoothing,
            "surroundings_removed": removed,
            "calibration": report["calibration"],
            **({"member_calibrations": members} if members else {}),
            **({"held_out": held_out} if len(runs) > 1 and held_out != list(range(len(runs))) else {}),
            **({"disagreement": report["disagreement"]} if len(runs) > 1 and "disagreement" in report else {}),
        },
        figures=[*options.figures, *figures_of(report, command=command)],
        coverage=report["coverage"],
    )
    write_bundle(folder, card=card, card_text=card_text(card), training_ids=ids)


def _share(folder: Path, names: Sequence[str], shares: str) -> dict[str, Any]:
    """Leave out networks that another bundle holds, and state whose they are.

    Raises:
        UsageError: if that bundle's networks are others.
    """
    other = load_bundle(shares)
    digests = [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names]
    theirs = [hashlib.sha256(path.read_bytes()).hexdigest() for path in other.networks]
    if digests != theirs:
        raise UsageError(f"the bundle {other.name} holds other networks than these runs give; export them to it first")
    for name in names:
        (folder / name).unlink()
    return {"name": other.name, "sha256": digests}


def _locator(runs: Sequence[Run], folder: Path, options: BundleOptions) -> None:
    """Write network, card and training ids of a locator bundle."""
    if len(runs) != 1:
        raise UsageError(f"a hand-locator bundle is made of one run, got {len(runs)}")
    (run,) = runs
    example = (torch.zeros(2, 1, LOCATOR_SIZE, LOCATOR_SIZE),)
    export(load_locator_run(run), example, folder / "locator.onnx", inputs=("film",), outputs=("outputs",))
    card = compose_card(
        name=options.name or str(run.config["name"]),
        version=options.version,
        task="hand-locator",
        networks=["locator.onnx"],
        training={"films": len(run.training_ids), "configuration": dict(run.config), **options.notes},
        figures=options.figures,
    )
    write_bundle(folder, card=card, card_text=card_text(card), training_ids=run.training_ids)


def _in_order(runs: Sequence[Run]) -> list[Run]:
    """Sort runs by fold.

    An ensemble is of all folds, each held out by as many runs (seeds, architectures), or of runs that learnt from
    every film.
    """
    if len(runs) == 1:
        return list(runs)
    found = Counter(run.fold for run in runs)
    whole = set(found) == {None}
    even = len(set(found.values())) == 1 and len(found) > 1 and set(found) == set(range(len(found)))
    if len({run.folder.resolve() for run in runs}) < len(runs) or not (whole or even):
        raise UsageError(
            f"the runs of an ensemble hold out folds 0 to {int(runs[0].split['folds']) - 1}, as many runs each, or "
            f"learn from every film, and each is given once; got folds {[run.fold for run in runs]}"
        )
    return sorted(runs, key=lambda run: run.fold or 0)


def _names(runs: Sequence[Run]) -> list[str]:
    """Name the networks by the fold that each held out, and number those of one fold."""
    if len(runs) == 1:
        return ["model.onnx"]
    folds = [run.fold for run in runs]
    stems = ["whole" if fold is None else f"fold-{fold}" for fold in folds]
    several = len(set(folds)) < len(folds)
    return [f"{stem}-{stems[:k].count(stem)}.onnx" if several else f"{stem}.onnx" for k, stem in enumerate(stems)]


def _configurations(runs: Sequence[Run]) -> dict[str, Any]:
    """Give the configuration that the runs share but for their seeds, or each of several."""
    found: list[dict[str, Any]] = []
    for run in runs:
        one = {key: value for key, value in run.config.items() if key != "seed"}
        if one not in found:
            found.append(one)
    return {"configuration": found[0]} if len(found) == 1 else {"configurations": found}


def _calibration(runs: Sequence[Run], options: BundleOptions) -> dict[str, Any]:
    """Read the calibration report, or make it from the runs' own out-of-fold predictions."""
    if options.calibration is not None:
        try:
            report: dict[str, Any] = json.loads(options.calibration.read_text(encoding="utf8"))
            report["of"], report["calibration"], report["coverage"], report["figures"], report["counts"]
        except (OSError, ValueError, KeyError) as error:
            raise UsageError(
                f"{options.calibration} is no calibration report ({error!r}); make it with --out"
            ) from error
        return report
    paths = _out_of_fold(runs)
    if len(paths) < len(runs):
        raise UsageError("a run that learnt from every film has nothing to calibrate on; give --calibration")
    joined = load_joined(paths)
    return {"of": [run.folder.name for run in runs], **calibrate(joined.films).to_json(), **joined.to_json()}


def _member_calibrations(runs: Sequence[Run], *, level: float) -> list[dict[str, Any]]:
    """Fit for each fold of an ensemble a calibration on the other folds, for use out of fold."""
    folds = sorted({run.fold for run in runs if run.fold is not None})
    if len(folds) < 2 or len(_out_of_fold(runs)) < len(runs):
        return []
    others = [_out_of_fold([run for run in runs if run.fold != fold]) for fold in folds]
    return [fit(load_joined(paths).films, level=level).to_card() for paths in others]


def _out_of_fold(runs: Sequence[Run]) -> list[Path]:
    """Files of predictions for held-out folds, of the runs that have one."""
    return [path for run in runs if (path := run.out_of_fold) is not None]


def _origins(runs: Sequence[Run]) -> dict[str, list[str]]:
    """Name the runs that these started from and were taught by."""
    started = [_start(run.split["start"]) for run in runs if "start" in run.split]
    taught = [teacher["run"] for run in runs for teacher in run.split.get("teachers", ())]
    named = {"started from": started, "taught by": list(dict.fromkeys(taught))}
    return {title: names for title, names in named.items() if names}


def _start(reference: Mapping[str, str]) -> str:
    """Name a run, or the network of a bundle."""
    return reference.get("run") or f"{reference['bundle']}/{reference['network']} ({reference['sha256'][:8]})"


_MAKERS: Mapping[str, Callable[[Sequence[Run], Path, BundleOptions], None]] = {
    "bone-age": _bone_age,
    "joint-grades": _joint_grades,
    "abnormality": _abnormality,
}
"""What writes the bundle of each task."""
