"""`capitate evaluate`: how right the models are on films, boxes and crops with a reference."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from capitate.cli.evaluate_options import Task, refuse_others
from capitate.cli.options import QuietOption, ThreadsOption

__all__ = ["evaluate"]

_AGES, _JOINTS, _MAPS = "Task bone-age", "Task joints", "Task maps"

_Manifest = Annotated[
    Path,
    typer.Argument(
        metavar="MANIFEST",
        help="Manifest CSV, a published table, or a folder with one table; for joints also a folder of films, for "
        "grades the folder above JOINT/GRADE/, for abnormality a table or folder of studies.",
    ),
]
_Out = Annotated[
    Path,
    typer.Option(
        "--out", metavar="DIR", file_okay=False, help="Folder for metrics.json, predictions.csv, report.html."
    ),
]
_Model = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        metavar="NAME",
        help="Bundle by name or folder: bone-age (out of fold bone-age-ensemble; also for maps), joint-detector, "
        "joint-grades, abnormality-screen or fracture-localiser if left out. "
        "For bone ages also a run of `capitate train`, finished or not, or a file of its weights; several "
        "runs answer together.",
    ),
]
_OutOfFold = Annotated[
    bool, typer.Option("--out-of-fold", help="Run for each training film the network that never saw it.")
]
_GroupBy = Annotated[
    list[str] | None,
    typer.Option("--group-by", metavar="COLUMN", help="Also give figures by this column of the table."),
]
_Sample = Annotated[
    int | None, typer.Option("--sample", min=1, metavar="N", help="Only N films, drawn at random, always the same.")
]
_HiddenSex = Annotated[
    bool,
    typer.Option(
        "--hidden-sex/--no-hidden-sex", rich_help_panel=_AGES, help="Also predict every film with its sex hidden."
    ),
]
_Storage = Annotated[
    bool,
    typer.Option(
        "--storage", rich_help_panel=_AGES, help="Also store every film in other ways and say how far its age moves."
    ),
]
_Against = Annotated[
    Path | None,
    typer.Option(
        "--against",
        metavar="CSV",
        dir_okay=False,
        rich_help_panel=_AGES,
        help="predictions.csv of another run: compare errors film by film.",
    ),
]
_Boxes = Annotated[
    Path | None,
    typer.Option(
        "--boxes",
        metavar="CSV",
        dir_okay=False,
        rich_help_panel=_JOINTS,
        help="Labelled boxes: id, joint, x_center, y_center, width, height; seven classes or the 21 names. Of "
        "fractures, and for maps of anything: file or id, class, and the same.",
    ),
]
_KeyPoints = Annotated[
    Path | None,
    typer.Option(
        "--keypoints",
        metavar="CSV",
        dir_okay=False,
        rich_help_panel=_JOINTS,
        help="Key points: whose finger a box is, the side, and the centres on films without boxes.",
    ),
]
_Audit = Annotated[
    Path | None,
    typer.Option(
        "--audit",
        metavar="JSON",
        dir_okay=False,
        rich_help_panel=_JOINTS,
        help="audit.json of `capitate data audit`; left out, labels are audited here, except against the films.",
    ),
]
_LeaveOut = Annotated[
    bool,
    typer.Option(
        "--leave-out-wrong", rich_help_panel=_JOINTS, help="Leave films whose labels are wrong out of the figures."
    ),
]
_Turn = Annotated[
    str,
    typer.Option(
        "--turn", metavar="DEGREES", rich_help_panel=_JOINTS, help="Also turn every film, such as 0,90,180,270."
    ),
]
_Mirror = Annotated[bool, typer.Option("--mirror", rich_help_panel=_JOINTS, help="Also mirror every film.")]
_Tilt = Annotated[
    float,
    typer.Option(
        "--tilt", metavar="DEGREES", rich_help_panel=_JOINTS, help="Also tilt every film by a random angle up to this."
    ),
]
_Surroundings = Annotated[
    bool,
    typer.Option(
        "--surroundings/--no-surroundings",
        rich_help_panel=_MAPS,
        help="Also answer with everything outside the dilated hand replaced.",
    ),
]
_Randomise = Annotated[
    int,
    typer.Option(
        "--randomise",
        min=0,
        metavar="N",
        rich_help_panel=_MAPS,
        help="Also compare the maps of N films, drawn at random, with those of networks whose weights are randomised.",
    ),
]


def evaluate(
    context: typer.Context,
    *,
    manifest: _Manifest,
    task: Annotated[Task, typer.Option("--task", help="What to evaluate.")] = Task.BONE_AGE,
    out: _Out,
    out_of_fold: _OutOfFold = False,
    group_by: _GroupBy = None,
    sample: _Sample = None,
    model: _Model = None,
    hidden_sex: _HiddenSex = True,
    storage: _Storage = False,
    against: _Against = None,
    boxes: _Boxes = None,
    keypoints: _KeyPoints = None,
    audit: _Audit = None,
    leave_out_wrong: _LeaveOut = False,
    turn: _Turn = "",
    mirror: _Mirror = False,
    tilt: _Tilt = 0.0,
    surroundings: _Surroundings = True,
    randomise: _Randomise = 0,
    threads: ThreadsOption = None,
    quiet: QuietOption = False,
) -> None:
    """Compare bone ages, joints, grades, screened studies or fracture marks with their reference, or measure maps.

    Each figure has its bootstrap 95 % interval. Films that the model was trained on are reported apart, unless each is
    run out of fold.
    """
    refuse_others(context, task)
    if task is Task.BONE_AGE:
        from capitate.cli.evaluate_bone_age import BoneAgeOptions, evaluate_bone_age

        ages = BoneAgeOptions(out_of_fold, group_by, hidden_sex, storage, against, sample, model, threads, quiet)
        evaluate_bone_age(manifest, out, ages)
    elif task is Task.JOINTS:
        from capitate.cli.evaluate_joints import JointOptions, evaluate_task_joints

        labels = (boxes, keypoints, audit, leave_out_wrong)
        joints = JointOptions(*labels, turn, mirror, tilt, out_of_fold, group_by, sample, model, threads, quiet)
        evaluate_task_joints(manifest, out, joints)
    elif task is Task.MAPS:
        from capitate.cli.evaluate_maps import MapOptions, evaluate_task_maps

        maps = MapOptions(boxes, surroundings, randomise, out_of_fold, sample, model, threads, quiet)
        evaluate_task_maps(manifest, out, maps)
    elif task is Task.ABNORMALITY:
        from capitate.cli.evaluate_screen import ScreenOptions, evaluate_task_abnormality

        evaluate_task_abnormality(manifest, out, ScreenOptions(out_of_fold, sample, model, threads, quiet))
    elif task is Task.FRACTURES:
        from capitate.cli.evaluate_fractures import FractureOptions, evaluate_task_fractures

        marks = FractureOptions(boxes, out_of_fold, sample, model, threads, quiet)
        evaluate_task_fractures(manifest, out, marks)
    else:
        from capitate.cli.evaluate_grades import evaluate_task_grades

        evaluate_task_grades(manifest, out, models=model, threads=threads, quiet=quiet)
