"""`capitate data phantoms`: drawn films with a manifest, or drawn joints of known grade, to test and to learn from.

They never count in figures about real films.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capitate.cli.drawn_joints import JointRequest, draw_joints
from capitate.cli.options import QuietOption
from capitate.cli.writing import make_folder, writing
from capitate.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

__all__ = ["phantoms"]


def phantoms(
    *,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", file_okay=False, help="Folder for films and manifest.")
    ] = None,
    joints: Annotated[
        Path | None,
        typer.Option("--joints", metavar="DIR", file_okay=False, help="Draw joints into DIR/JOINT/GRADE/ instead."),
    ] = None,
    count: Annotated[int, typer.Option("--count", min=1, help="Number of films or joints.")] = 200,
    joint: Annotated[
        list[str] | None, typer.Option("--joint", help="With --joints: a joint of RUS-CHN; repeat it. All by default.")
    ] = None,
    size: Annotated[int, typer.Option("--size", min=16, max=1024, help="With --joints: rows of a picture.")] = 128,
    height: Annotated[int, typer.Option("--height", min=200, max=4000, help="Rows of a film.")] = 800,
    seed: Annotated[int, typer.Option("--seed", help="The same seed draws the same films.")] = 0,
    quiet: QuietOption = False,
) -> None:
    """Draw hand films of evenly spread ages, both sexes and sides, many poses and exposures, with a manifest.

    With --joints, draw single joints instead: evenly spread grades in JOINT/GRADE/ folders, which `capitate train
    configs/joint-grades.toml` takes, and joints.csv with what is known about each.
    """
    if joints is not None and out is None:
        _draw_joints(JointRequest(joints, count, tuple(joint or ()), size, seed), quiet=quiet)
    elif out is not None and joints is None:
        if joint:
            raise UsageError(f"--joint belongs to --joints, got {joint[0]!r} with --out; leave it out")
        _draw_films(out, count, height, seed, quiet=quiet)
    else:
        got = "neither" if out is None else "both"
        raise UsageError(f"choose one of --out DIR for films and --joints DIR for joints, got {got}")


def _draw_joints(request: JointRequest, *, quiet: bool) -> None:
    """Draw joints and say where they are."""
    from capitate.cli.output import counted

    make_folder(request.folder)
    with counted(total=request.count, quiet=quiet) as step:
        table = draw_joints(request, step=step)
    print(f"{request.count} drawn joints and their measures: {table}")


def _draw_films(out: Path, count: int, height: int, seed: int, *, quiet: bool) -> None:
    """Draw films and write their manifest."""
    import numpy as np

    from capitate.cli.output import counted

    make_folder(out)
    generator = np.random.default_rng(seed)
    ages = np.linspace(6, 216, count)
    rows = []
    with counted(total=count, quiet=quiet) as step:
        for number, months in enumerate(ages):
            rows.append(_draw(out, number, float(months), height, generator))
            step()
    with writing(out / "manifest.csv"), (out / "manifest.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    print(f"{count} drawn films and their manifest: {out / 'manifest.csv'}")


def _draw(folder: Path, number: int, months: float, height: int, generator: np.random.Generator) -> dict[str, str]:
    """Draw one film and return its row."""
    import numpy as np
    from PIL import Image

    from capitate.phantom import FilmLook, Pose, draw
    from capitate.types import Sex, Side

    sex = (Sex.FEMALE, Sex.MALE)[number % 2]
    side = Side.RIGHT if generator.random() < 0.2 else Side.LEFT
    pose = Pose(rotation_degrees=float(generator.normal(0, 6)), spread_degrees=float(generator.normal(0, 2)))
    phantom = draw(
        age_months=months,
        sex=sex,
        side=side,
        pose=pose,
        height=height,
        seed=generator,
        maturity_scatter_months=3.0,
        look=FilmLook().varied(generator),
    )
    name = f"phantom-{number:04d}.png"
    pixels = np.rint(phantom.radiograph.pixels * 255).astype(np.uint8)
    with writing(folder / name):
        Image.fromarray(pixels).save(folder / name)
    return {"path": name, "sex": str(sex), "bone_age_months": f"{months:.1f}", "side": str(side)}
