"""Options of `capitate bench`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "Batches",
    "Changes",
    "Data",
    "Film",
    "Height",
    "Inference",
    "Names",
    "Out",
    "Precisions",
    "Runs",
    "Runtimes",
    "Seconds",
    "Threads",
    "Training",
    "Width",
]

_INFERENCE, _TRAINING = "With --inference", "With --training"


class RuntimeName(StrEnum):
    """Runtimes; those of `capitate.evaluation.inference.Runtime`, which is imported later."""

    ONNXRUNTIME = "onnxruntime"
    OPENVINO = "openvino"
    TORCH = "torch"


class PrecisionName(StrEnum):
    """Precisions; those of `capitate.runtime.precision.InferencePrecision`, which is imported later."""

    FP32 = "fp32"
    BF16 = "bf16"
    INT8 = "int8"


Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME]...",
        show_default=False,
        help="With --inference, bundles and networks of timm, every released bundle if left out; with --training, the "
        "TOML file of an experiment, the defaults if left out.",
    ),
]
Inference = Annotated[bool, typer.Option("--inference", help="Measure networks in every runtime and precision.")]
Training = Annotated[bool, typer.Option("--training", help="Measure every part of training.")]
Film = Annotated[
    Path | None,
    typer.Option(
        "--film",
        metavar="FILE",
        help="Film to measure with, or with --training a folder of them; drawn ones of two megapixels if left out.",
    ),
]
Runs = Annotated[int, typer.Option("--runs", min=1, metavar="N", help="Runs of which medians are taken.")]
Seconds = Annotated[
    float,
    typer.Option(
        "--seconds",
        min=0.01,
        metavar="S",
        help="With --inference or --training, time after which a figure has runs enough, once it has three.",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="PATH", help="Also write the figures as JSON; with --inference, a folder for all."),
]
Threads = Annotated[
    list[int] | None,
    typer.Option(
        "--threads",
        min=1,
        metavar="N",
        show_default=False,
        help="With --inference, of a network, several times, 1 and 2 if left out; with --training, of torch, 1.",
    ),
]
Runtimes = Annotated[
    list[RuntimeName] | None,
    typer.Option(
        "--runtime", rich_help_panel=_INFERENCE, show_default=False, help="Runtime, several times; all if left out."
    ),
]
Precisions = Annotated[
    list[PrecisionName] | None,
    typer.Option(
        "--precision", rich_help_panel=_INFERENCE, show_default=False, help="Precision, several times; all if left out."
    ),
]
Batches = Annotated[
    list[int] | None,
    typer.Option(
        "--batch",
        min=1,
        metavar="N",
        rich_help_panel=_INFERENCE,
        show_default=False,
        help="Views of a run, several times; 1, 2, 4, 8, 16 and 32 if left out.",
    ),
]
Height = Annotated[
    int,
    typer.Option(
        "--height", min=16, metavar="ROWS", rich_help_panel=_INFERENCE, help="Rows of a view for a network of timm."
    ),
]
Width = Annotated[
    int,
    typer.Option("--width", min=16, metavar="COLUMNS", rich_help_panel=_INFERENCE, help="Columns of a view for these."),
]
Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="STORE",
        rich_help_panel=_TRAINING,
        help="Views of `data prepare`, or a table of films to read while training; drawn if left out.",
    ),
]
Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="A.B=VALUE",
        rich_help_panel=_TRAINING,
        show_default=False,
        help="Change a value of the configuration; several times.",
    ),
]
