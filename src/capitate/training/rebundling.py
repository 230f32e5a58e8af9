"""A bundle made of a bundle: its card said anew, and if wanted networks that explain themselves or in 8-bit integers.

What networks compute, calibration, figures and training ids stay as they are, to the byte.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from capitate.errors import UsageError
from capitate.runtime.bundle import FOLDS_FILE, Bundle, is_bundle, load_bundle
from capitate.training.base_features import EXPLAINED_TASKS, explain_networks
from capitate.training.bundle_folder import BundleOptions, fresh_bundle
from capitate.training.card_text import card_text
from capitate.training.cards import described
from capitate.training.demographics import NO_AGES, demographics
from capitate.training.explained_file import same_network
from capitate.training.export import write_bundle
from capitate.training.film_views import fitting_store
from capitate.training.folds import FOLDS
from capitate.training.int8_measured import Quantised, write_int8
from capitate.training.view_store import ViewStore

__all__ = ["rebundle"]


def rebundle(name: str, out: Path, *, options: BundleOptions | None = None) -> Bundle:
    """Copy a bundle with today's card.

    Args:
        name: of the bundle, or its folder.
        out: folder of the copy; the bundle's own to replace it.
        options: name, what the maker says, maps and 8-bit integers; nothing else of them applies.

    Returns:
        The copy, verified.

    Raises:
        UsageError: if something is asked for that needs the runs.
    """
    options = options or BundleOptions()
    _check(options)
    bundle = load_bundle(name)
    card = {**bundle.card, "name": options.name or bundle.name}
    own = "networks_of" not in card
    with fresh_bundle(out) as fresh:
        for precision in ("networks", *(["int8"] if "int8" in card and not options.int8 else [])):
            for file in card["int8"]["networks"] if precision == "int8" else card[precision]:
                shutil.copyfile(bundle.folder / file, fresh / file)
        if options.maps:
            card |= _explained(bundle, fresh, out, data=options.data)
        for file in (*card.get("familiarity", {}).get("files", ()), FOLDS_FILE):
            if (bundle.folder / file).exists():
                shutil.copyfile(bundle.folder / file, fresh / file)
        store = fitting_store(options.data, card) if options.data and "view" in card else None
        if card["task"] != "bone-age":
            card["demographics"] = dict(NO_AGES)
        elif store is not None or "demographics" not in card:
            held_out = list(card["training"].get("folds held out", []))
            card["demographics"] = demographics(bundle.training_ids, card["coverage"], held_out=held_out, store=store)
        if options.int8:
            if card["task"] != "bone-age" or not own or store is None:
                raise UsageError(
                    f"8-bit integers are for bone-age bundles with networks of their own and need --data, got "
                    f"{bundle.name!r} of the task {card['task']} and --data {options.data}"
                )
            card["int8"] = write_int8(fresh, card, _quantised(bundle, store), store, most=options.int8_films)
        card = described(card, training_ids=bundle.training_ids, about=options.about)
        write_bundle(fresh, card=card, card_text=card_text(card), training_ids=bundle.training_ids)
    return load_bundle(str(out))


def _explained(bundle: Bundle, fresh: Path, out: Path, *, data: Path | None) -> dict[str, Any]:
    """Make the networks' files explain their answers; gives what changes in the card.

    Raises:
        UsageError: if the task has no maps, or the bundle whose networks these are lies beside `out` with others.
    """
    card = bundle.card
    if card["task"] not in EXPLAINED_TASKS:
        raise UsageError(
            f"maps are for bundles of the tasks {', '.join(sorted(EXPLAINED_TASKS))}, got {bundle.name!r} of the task "
            f"{card['task']}; leave --maps out"
        )
    if "networks_of" not in card:
        paths = [fresh / name for name in card["networks"]]
        maps = explain_networks(paths, card, data=data)
        if not all(same_network(path, bundle.folder / path.name) for path in paths):
            raise UsageError(f"a network of {bundle.name!r} would compute something else; report it with the bundle")
        return {"maps": maps}
    beside = out.parent / card["networks_of"]["name"]
    if not is_bundle(str(beside)) or "maps" not in load_bundle(str(beside)).card:
        raise UsageError(
            f"{bundle.name!r} uses the networks of another bundle; export that one to {beside} with --maps first"
        )
    other = load_bundle(str(beside))
    pairs = zip(other.networks, bundle.networks, strict=True)
    if not all(same_network(one, another) for one, another in pairs):
        raise UsageError(f"the networks of {beside} are not those that {bundle.name!r} was made for; export them again")
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in other.networks]
    return {"networks_of": {**card["networks_of"], "sha256": digests}, "maps": other.card["maps"]}


def _quantised(bundle: Bundle, store: ViewStore) -> list[Quantised]:
    """Say which films of a store each network learnt from, and which it never saw."""
    known = np.isin(store.ids, sorted(bundle.training_ids))
    folds = store.folds(FOLDS)
    members = len(bundle.networks) > 1
    unseen = [~known | (folds == fold) if members and fold is not None else ~known for fold in bundle.held_out]
    return [
        Quantised(path, np.flatnonzero(~rows), np.flatnonzero(rows))
        for path, rows in zip(bundle.networks, unseen, strict=True)
    ]


def _check(options: BundleOptions) -> None:
    """Refuse what only runs can give."""
    plain = BundleOptions()
    allowed = replace(
        plain,
        name=options.name,
        about=options.about,
        data=options.data,
        int8=options.int8,
        int8_films=options.int8_films,
        maps=options.maps,
    )
    if options != allowed:
        raise UsageError(
            "a bundle is copied with --name, --about, --data, --maps, --int8 and --int8-films alone; the other options "
            "need the runs that it was made of"
        )
