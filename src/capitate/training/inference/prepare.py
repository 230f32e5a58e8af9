"""`python -m capitate.training.inference.prepare ORDER.json`: make a bundle or a network of timm ready to be measured.

In a process of its own as well: an export that runs out of memory costs the tool one name and not the others.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from capitate.errors import CapitateError, UsageError
from capitate.runtime.bone_age import view_rule
from capitate.runtime.bundle import Bundle, is_bundle, load_bundle
from capitate.runtime.laps import Inputs, Runnable, answer
from capitate.runtime.precision import InferencePrecision
from capitate.runtime.session import Session
from capitate.runtime.views import ViewRule
from capitate.training.export import export_network
from capitate.training.inference.drawn_films import DrawnFilms
from capitate.training.inference.file_costs import count_multiply_adds, count_parameters
from capitate.training.inference.inputs import bone_age_inputs, inputs_of_file, locator_inputs
from capitate.training.inference.order import COMPARED, Order
from capitate.training.inference.subject import Form, Subject
from capitate.training.inference.torch_network import TorchNetwork, keep, network_of_file
from capitate.training.int8 import quantise
from capitate.training.networks import BoneAgeNetwork
from capitate.training.settings.network import NetworkConfig
from capitate.training.sweeping.costs import multiply_adds

__all__ = ["prepare"]


@dataclass(frozen=True, eq=False)
class _Ready:
    """What `prepare` needs to know of a name: the subject so far, its films, and how torch comes by its networks."""

    subject: Subject
    films: Inputs
    networks: Callable[[], list[nn.Module]]


def prepare(order: Order) -> Subject:
    """Make a name ready; what cannot be made of it is said in its forms.

    Raises:
        CapitateError: if there is no such bundle and timm has no such network, or the bundle is damaged.
    """
    torch.set_num_threads(1)
    ready = (_bundle if is_bundle(order.name) else _timm)(order, DrawnFilms.load(Path(order.films)))
    subject, films, folder = ready.subject, ready.films, Path(order.folder)
    paths = [Path(one) for one in subject.plain.networks]
    compared = {name: values[:COMPARED] for name, values in films.items()}
    np.savez(subject.inputs, **compared)  # type: ignore[arg-type]  # numpy's types forbid names by mapping
    np.savez(subject.reference, answers=answer(_runnable(paths, ready), compared))
    if order.int8:
        others = {name: values[COMPARED:] for name, values in films.items()}
        subject = replace(subject, int8=_attempt(lambda: _int8(paths, folder, others)))
    if order.torch:
        subject = replace(subject, torch=_attempt(lambda: _torch(ready.networks(), folder, task=subject.task)))
    return subject


def _runnable(paths: list[Path], ready: _Ready) -> Sequence[Runnable]:
    """Open the float files for the answers that others are held against; torch's networks where there are none."""
    if paths:
        return [Session(path, threads=1) for path in paths]
    return [TorchNetwork(one, precision=InferencePrecision.FP32) for one in ready.networks()]


def _bundle(order: Order, drawn: DrawnFilms) -> _Ready:
    """Describe a bundle."""
    bundle = load_bundle(order.name)
    paths, task = bundle.networks, str(bundle.card["task"])
    films = _bundle_inputs(bundle, drawn)
    height, width = next(iter(films.values())).shape[-2:]
    try:
        counted = sum(count_multiply_adds(path) for path in paths)
    except ValueError:
        counted = None
    subject = _subject(
        order,
        kind="bundle",
        task=task,
        size=(height, width),
        views=len(bundle.card.get("test_views", (None,))),
        parameters=sum(count_parameters(path) for path in paths),
        multiply_adds=counted,
        megabytes=sum(path.stat().st_size for path in paths) / 1e6,
        plain=Form(tuple(map(str, paths))),
    )
    return _Ready(subject, films, lambda: [network_of_file(one, task=task, size=(height, width)) for one in paths])


def _bundle_inputs(bundle: Bundle, drawn: DrawnFilms) -> Inputs:
    """Give films as the networks of a bundle see them."""
    if bundle.card["task"] == "bone-age":
        removed = bool(bundle.card["surroundings_removed"])
        return bone_age_inputs(drawn, rule=view_rule(bundle.card), surroundings_removed=removed)
    if bundle.card["task"] == "hand-locator":
        return locator_inputs(drawn)
    return inputs_of_file(bundle.networks[0], films=len(drawn))


def _timm(order: Order, drawn: DrawnFilms) -> _Ready:
    """Build a bone-age network with a backbone of timm and random weights, and export it if that can be done."""
    torch.manual_seed(0)
    network = BoneAgeNetwork(NetworkConfig(backbone=order.name)).eval()
    path = Path(order.folder) / "network.onnx"
    plain = _attempt(lambda: _exported(network, path, order.size))
    parameters = sum(one.numel() for one in network.parameters())
    subject = _subject(
        order,
        kind="timm",
        task="bone-age",
        size=order.size,
        views=1,
        parameters=parameters,
        multiply_adds=multiply_adds(network, size=order.size),
        megabytes=path.stat().st_size / 1e6 if plain.networks else parameters * 4 / 1e6,
        plain=plain,
    )
    films = bone_age_inputs(drawn, rule=ViewRule(*order.size), surroundings_removed=True)
    return _Ready(subject, films, lambda: [network])


def _subject(
    order: Order,
    *,
    kind: str,
    task: str,
    size: tuple[int, int],
    views: int,
    parameters: int,
    multiply_adds: int | None,
    megabytes: float,
    plain: Form,
) -> Subject:
    """Put together what is known, and where films and their answers will lie."""
    folder = Path(order.folder)
    return Subject(
        name=order.name,
        kind=kind,
        task=task,
        height=size[0],
        width=size[1],
        views=views,
        parameters=parameters,
        multiply_adds=multiply_adds,
        megabytes=round(megabytes, 3),
        unit="months" if task == "bone-age" else "of the largest",
        inputs=str(folder / "films.npz"),
        reference=str(folder / "reference.npz"),
        plain=plain,
    )


def _exported(network: BoneAgeNetwork, path: Path, size: tuple[int, int]) -> Form:
    export_network(network, path, height=size[0], width=size[1])
    return Form((str(path),))


def _attempt(make: Callable[[], Form]) -> Form:
    """Make a form, or say why there is none."""
    try:
        return make()
    except UsageError as error:
        return Form(impossible=str(error))
    except Exception as error:  # of a foreign library, which may raise anything: the tool lists it and goes on
        return Form(failed=f"{type(error).__name__}: {' '.join(str(error).split())[:300]}")


def _int8(paths: list[Path], folder: Path, films: Inputs) -> Form:
    if not paths:
        raise UsageError("there is no ONNX file to quantise")
    made = [folder / f"int8-{number}.onnx" for number in range(len(paths))]
    for path, out in zip(paths, made, strict=True):
        quantise(path, out, films=films)
    return Form(tuple(map(str, made)))


def _torch(networks: list[nn.Module], folder: Path, *, task: str) -> Form:
    place = keep(networks, folder, task=task)
    return Form(tuple(str(folder / f"{number}.safetensors") for number in range(len(networks))), str(place))


def _main(path: Path) -> int:
    """Carry an order out and write the subject, or why there is none."""
    order = Order.load(path)
    place = Path(order.folder) / "subject.json"
    try:
        prepare(order).save(place)
    except CapitateError as error:
        place.write_text(json.dumps({"failed": str(error)}), encoding="utf-8")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1])))
