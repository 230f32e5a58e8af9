"""The inference-speed tool: every network in every runtime and precision, each figure in a process of its own."""

from capitate.evaluation.inference.plan import Combination, Plan, Runtime
from capitate.evaluation.inference.row import Row, State
from capitate.evaluation.inference.run import measure
from capitate.evaluation.inference.table import not_measured, to_csv, to_markdown, write_results

__all__ = [
    "Combination",
    "Plan",
    "Row",
    "Runtime",
    "State",
    "measure",
    "not_measured",
    "to_csv",
    "to_markdown",
    "write_results",
]
