"""Many experiments from one file, run one after another and compared in one table."""

from capitate.training.sweeping.listing import Planned
from capitate.training.sweeping.outcome import Outcome, State
from capitate.training.sweeping.plan import SweepPlan, load_sweep
from capitate.training.sweeping.run import run_sweep
from capitate.training.sweeping.table import pareto_front, to_markdown

__all__ = ["Outcome", "Planned", "State", "SweepPlan", "load_sweep", "pareto_front", "run_sweep", "to_markdown"]
