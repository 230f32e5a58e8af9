"""`capitate data graders`: ways of teaching a grader, side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from capitate.cli.extras import training_parts

__all__ = ["graders"]


def graders(
    *,
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Finished runs that held a fold out.")],
    data: Annotated[Path, typer.Option("--data", metavar="CROPS", help="The crops that they learnt from.")],
    graded: Annotated[
        Path | None, typer.Option("--graded", metavar="DIR", help="Crops that somebody graded, to compare with.")
    ] = None,
    measures: Annotated[
        Path | None, typer.Option("--measures", metavar="CSV", help="Measures of the joints, by id and joint.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Markdown file for the table.")] = None,
) -> None:
    """Compare graders: RUS-CHN against bone ages, ranks, measures given age, exchanged joints, readers' grades."""
    with training_parts("Comparing graders"):
        from capitate.training.joint_grades.comparing import compare_graders, grader_table

        table = grader_table(compare_graders(runs, data, graded=graded, measures=measures))
    if out is not None:
        out.write_text(table, encoding="utf8")
    print(table, end="")
