"""From run folders to a bundle that `assess` runs without another step."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from capitate.errors import UsageError
from capitate.runtime.bundle import Bundle, load_bundle
from capitate.runtime.session import Network, Session
from capitate.runtime.views import LOCATOR_SIZE
from capitate.training.abnormality import bundle as abnormality_bundle
from capitate.training.agreement import LIMIT_MONTHS, measure_agreement
from capitate.training.base_features import explain_networks
from capitate.training.bundle_folder import BundleOptions, fresh_bundle, write_folds
from capitate.training.calibrate import calibrate, fit, wilson
from capitate.training.card_text import card_text
from capitate.training.cards import compose_card, figures_of
from capitate.training.checkpoints import TorchNetwork
from capitate.training.config import changed
from capitate.training.demographics import NO_AGES, demographics
from capitate.training.ensemble import load_joined
from capitate.training.ensemble_folds import in_order
from capitate.training.explained_file import same_network
from capitate.training.export import WEIGHT_BITS, export, export_network, write_bundle
from capitate.training.film_views import films_for, fitting_store
from capitate.training.fractures import bundle as fractures_bundle
from capitate.training.int8_measured import Quantised, write_int8
from capitate.training.joint_grades import bundle as joint_grades_bundle
from capitate.training.joints import bundle as joints_bundle
from capitate.training.locator_agreement import LIMIT_LENGTHS, measure_locator
from capitate.training.locator_run import load_locator_run
from capitate.training.networks import BoneAgeNetwork
from capitate.training.outlines import bundle as outlines_bundle
from capitate.training.related_runs import load_bone_age_run
from capitate.training.run_views import view_card
from capitate.training.runs import Run
from capitate.training.view_store import ViewStore

__all__ = ["bundle_runs"]


def bundle_runs(folders: Sequence[Path], out: Path, *, options: BundleOptions | None = None) -> Bundle:
    """Make a bundle: one run gives one network, several give an ensemble of folds, seeds or architectures.

    Args:
        folders: run folders of one task.
        out: the bundle's folder; an earlier bundle there is replaced once the new one is complete.
        options: name, version, calibration, figures, and what is measured.

    Returns:
        The bundle, verified.

    Raises:
        UsageError: if runs do not belong together, calibration is missing, or a file answers otherwise than torch.
    """
    options = options or BundleOptions()
    runs = [Run.load(folder) for folder in folders]
    tasks = sorted({run.task for run in runs})
    if len(tasks) != 1:
        raise UsageError(f"runs of one task make a bundle, got {', '.join(tasks) or 'no run'}")
    if options.int8 and (tasks != ["bone-age"] or options.shares):
        raise UsageError("8-bit integers are for bone-age bundles with networks of their own; leave --int8 out")
    if options.int8 and options.data is None:
        raise UsageError("8-bit integers are calibrated on the training films; give their store as --data")
    with fresh_bundle(out) as fresh:
        _MAKERS[tasks[0]](runs, fresh, options)
    return load_bundle(str(out))


def _bone_age(runs: Sequence[Run], folder: Path, options: BundleOptions) -> None:
    """Write networks, calibration, card and training ids of a bone-age bundle."""
    runs = in_order(runs)
    names, held_out = _names(runs), [run.fold for run in runs]
    networks, configs = zip(*(load_bone_age_run(run) for run in runs), strict=True)
    configs = tuple(changed(config, options.changes) for config in configs)
    seen = view_card(configs, [run.folder for run in runs])
    report = _calibration(runs, options)
    members = _member_calibrations(runs, level=float(report["calibration"]["level"]))
    runtime = {
        **seen,
        "calibration": report["calibration"],
        **({"member_calibrations": members} if members else {}),
        **({"held_out": held_out} if len(runs) > 1 and held_out != list(range(len(runs))) else {}),
        **({"disagreement": report["disagreement"]} if len(runs) > 1 and "disagreement" in report else {}),
    }
    ids = frozenset[str]().union(*(run.training_ids for run in runs))
    store = fitting_store(options.data, runtime) if options.data else None
    files = {folder / name: network for name, network in zip(names, networks, strict=True)}
    agreement, figures = _write_networks(files, runtime, options)
    maps = explain_networks(list(files), {"task": "bone-age", **runtime}, data=options.data)
    measured: dict[str, Any] = {"agreement": agreement, "maps": maps}
    if options.int8 and store is not None:
        some = [_quantised(run, path, store) for path, run in zip(files, runs, strict=True)]
        measured["int8"] = write_int8(folder, runtime, some, store, most=options.int8_films)
    measured["demographics"] = demographics(ids, report["coverage"], held_out=held_out, store=store)
    shared = _share(folder, names, options.shares) if options.shares else None
    if options.shares:
        measured["maps"] = load_bundle(options.shares).card.get("maps")
        measured = {key: value for key, value in measured.items() if value is not None}
    command = shlex.join(["capitate", "calibrate", *report["of"]])
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
        runtime={**({"networks_of": shared} if shared else {}), **runtime},
        figures=[*options.figures, *figures, *figures_of(report, command=command)],
        coverage=report["coverage"],
        measured=measured,
        training_ids=ids,
        about=options.about,
    )
    write_folds(folder, runs)
    write_bundle(folder, card=card, card_text=card_text(card), training_ids=ids)


def _write_networks(
    networks: Mapping[Path, BoneAgeNetwork], runtime: Mapping[str, Any], options: BundleOptions
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Write files with weights of the fewest bits that agree with torch; give what was measured, and further figures.

    Raises:
        UsageError: if not even weights as they are agree.
    """
    view, limit = runtime["view"], LIMIT_MONTHS if options.limit is None else options.limit
    films = films_for(options.agreement or options.data, runtime, most=options.films)
    for bits in WEIGHT_BITS:
        pairs: dict[str, tuple[Network, Network]] = {}
        for path, network in networks.items():
            export_network(network, path, height=view["height"], width=view["width"], bits=bits)
            pairs[path.name] = (TorchNetwork(network), Session(path, threads=torch.get_num_threads()))
        agreement = measure_agreement(runtime, pairs, films.parts(), on=films.on, real=films.real)
        if agreement.all.max() <= limit:
            break
    agreement.check(limit=limit)
    refused = [] if films.refused is None else [_refused(films.refused, films.read, on=films.on)]
    return {**agreement.to_card(limit=limit), "weight_bits": bits}, refused


def _refused(refused: int, read: int, *, on: str) -> dict[str, Any]:
    """Give the share of films that were refused as a figure."""
    share = wilson(refused, read)
    values = {name: round(getattr(share, name), 4) for name in ("value", "low", "high")}
    return {"name": "films refused", **values, "unit": "share", "on": on, "category": "safety"}


def _quantised(run: Run, path: Path, store: ViewStore) -> Quantised:
    """Say which films of a store a run learnt from, and which it held out."""
    known = np.isin(store.ids, sorted(run.training_ids))
    held_out = store.folds(int(run.split["folds"])) == run.fold if run.fold is not None else np.zeros_like(known)
    return Quantised(path, np.flatnonzero(known & ~held_out), np.flatnonzero(held_out & ~known))


def _share(folder: Path, names: Sequence[str], shares: str) -> dict[str, Any]:
    """Leave out networks that another bundle holds, and state whose they are.

    Raises:
        UsageError: if that bundle's networks are others.
    """
    other = load_bundle(shares)
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in other.networks]
    pairs = list(zip(other.networks, (folder / name for name in names), strict=False))
    if len(names) != len(digests) or not all(same_network(one, another) for one, another in pairs):
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
    network, path = load_locator_run(run), folder / "locator.onnx"
    export(network, example, path, inputs=("film",), outputs=("outputs",))
    agreement = measure_locator(network, path, options.agreement, most=options.films)
    limit = LIMIT_LENGTHS if options.limit is None else options.limit
    agreement.check(limit=limit)
    card = compose_card(
        name=options.name or str(run.config["name"]),
        version=options.version,
        task="hand-locator",
        networks=["locator.onnx"],
        training={"films": len(run.training_ids), "configuration": dict(run.config), **options.notes},
        figures=options.figures,
        measured={
            "agreement": agreement.to_card(limit=limit),
            "demographics": dict(NO_AGES),
        },
        training_ids=run.training_ids,
        about=options.about,
    )
    write_bundle(folder, card=card, card_text=card_text(card), training_ids=run.training_ids)


_MAKERS: Mapping[str, Callable[[Sequence[Run], Path, BundleOptions], None]] = {
    "bone-age": _bone_age,
    "hand-locator": _locator,
    "joint-detector": joints_bundle.make_bundle,
    "outlines": outlines_bundle.make_bundle,
    "joint-grades": joint_grades_bundle.make_bundle,
    "abnormality": abnormality_bundle.make_bundle,
    "fractures": fractures_bundle.make_bundle,
}
"""What writes the bundle of each task."""


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
