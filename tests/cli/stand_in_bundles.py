"""Bundles without trained weights: a detector whose answers are given, a grader that answers by category alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from capitate.hand import BoneClass, Joint, bone_class_of
from capitate.phantom import draw
from capitate.runtime.bundle import write_sums
from capitate.runtime.grade_categories import CATEGORIES, MOST_GRADES
from capitate.runtime.joint_boxes import FoundJoint
from capitate.types import Sex, Side

JOINT_CARD = {
    "name": "drawn-detector",
    "version": "1",
    "task": "joint-detector",
    "licence": "none",
    "networks": ["joints.onnx"],
    "classes": [bone.value for bone in BoneClass],
    "detect": {"threshold": 0.3, "counts": []},
}


def detector_bundle(folder: Path, *, trained_on: Mapping[str, int] | None = None, folds: int = 0) -> Path:
    """Write a bundle of the task joint-detector; its networks are read by `DrawnDetector`, as which fold they held out.

    Args:
        folder: to make.
        trained_on: films of its training, with the fold that each was on.
        folds: networks of folds beside the released one.
    """
    folder.mkdir(parents=True)
    names = ["joints.onnx", *(f"fold-{k}.onnx" for k in range(folds))]
    for name in names:
        (folder / name).write_text(name, encoding="utf-8")
    card = JOINT_CARD | {"networks": names, "held_out": [None, *range(folds)]}
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    (folder / "card.md").write_text("# drawn\n", encoding="utf-8")
    films = trained_on or {}
    (folder / "training-ids.txt").write_text("".join(f"{film}\n" for film in films), encoding="utf-8")
    lines = [f"{fold} {film}\n" for film, fold in films.items()]
    (folder / "training-folds.txt").write_text("".join(lines), encoding="utf-8")
    write_sums(folder)
    return folder


class DrawnDetector:
    """Stands for `JointDetector`: it answers with the joints of the drawn film that it is shown.

    Films are told apart by their pixels. A network that held out a fold gives every joint a score of 0.5 + fold / 10,
    so that tests see which network answered; the released one says 0.9.
    """

    drawn: ClassVar[dict[tuple[int, int, float], Any]] = {}
    asked: ClassVar[list[tuple[int | None, Any]]] = []

    def __init__(self, bundle: Any, *, threads: int | None = None, member: int | None = None) -> None:
        self.bundle, self.member = bundle, member
        self.classes = tuple(bundle.card["classes"])
        self.threshold = float(bundle.card["detect"]["threshold"])

    def detect(self, pixels: Any, frame: Any = None, *, square: Any = None, threshold: float = 0) -> list[FoundJoint]:
        self.asked.append((self.member, frame))
        film = self.drawn[key(pixels)]
        score = 0.9 if self.member is None else 0.5 + self.member / 10
        return [
            FoundJoint(bone_class_of(Joint(one.name)).value, score, one.box, _middle(one.box)) for one in film.joints
        ]


def _middle(box: Any) -> tuple[float, float]:
    return box.x + box.width / 2, box.y + box.height / 2


def key(pixels: Any) -> tuple[int, int, float]:
    return (*pixels.shape, round(float(np.mean(pixels)), 4))


def drawn_films(folder: Path, films: Mapping[str, Side]) -> dict[str, Any]:
    """Write drawn films as PNG, and let `DrawnDetector` know them."""
    from PIL import Image

    from capitate import files

    found = {}
    for seed, (name, side) in enumerate(films.items()):
        film = draw(age_months=100 + seed, sex=Sex.FEMALE, side=side, height=420, seed=seed)
        Image.fromarray(np.round(film.radiograph.pixels * 255).astype(np.uint8)).save(folder / f"{name}.png")
        pixels = files.read(folder / f"{name}.png").pixels
        DrawnDetector.drawn |= {key(pixels): film, key(1 - pixels): film}
        found[name] = film
    return found


def grader_bundle(
    folder: Path, answers: Mapping[str, Mapping[int, float]], *, trained_on: tuple[str, ...] = ()
) -> Path:
    """Write a bundle of the task joint-grades whose network gives each category the same probabilities always.

    Args:
        folder: to make.
        answers: by category, the probability of some grades; a category that is not named is surely 1.
        trained_on: ids of its training.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    table = np.zeros((len(CATEGORIES), MOST_GRADES + 1), dtype=np.float32)
    for row, name in enumerate(CATEGORIES):
        for grade, probability in answers.get(name, {1: 1.0}).items():
            table[row, grade] = probability
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "category"], ["probabilities"], axis=0)],
        "grader",
        [
            helper.make_tensor_value_info("picture", TensorProto.UINT8, ["n", 1, 16, 16]),
            helper.make_tensor_value_info("category", TensorProto.INT64, ["n"]),
        ],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", MOST_GRADES + 1])],
        [numpy_helper.from_array(table, "table")],
    )
    folder.mkdir(parents=True)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(folder / "model.onnx"))
    picture = {"height": 16, "width": 16, "fit": "pad", "percentiles": [0.5, 99.5], "margin": 0.25}
    card = {
        "name": "constant-grader", "version": "1", "task": "joint-grades", "licence": "none",
        "networks": ["model.onnx"], "picture": picture, "categories": dict(CATEGORIES),
    }  # fmt: skip
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    (folder / "training-ids.txt").write_text("".join(f"{one}\n" for one in trained_on), encoding="utf-8")
    write_sums(folder)
    return folder
