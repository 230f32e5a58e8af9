"""Fresh processes: one to make a name ready, one for each combination; what goes wrong in them stays in them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from capitate.evaluation.inference.plan import Runtime

__all__ = ["PREPARE", "module_of", "result_of"]

PREPARE = "capitate.training.inference.prepare"
_MODULES = {
    Runtime.ONNXRUNTIME: "capitate.runtime.lap_onnxruntime",
    Runtime.OPENVINO: "capitate.runtime.lap_openvino",
    Runtime.TORCH: "capitate.training.inference.lap_torch",
}
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def module_of(runtime: Runtime) -> str:
    """Name the module that measures with a runtime."""
    return _MODULES[runtime]


def result_of(module: str, order: Path, result: Path, *, threads: int, patience: float) -> dict[str, Any]:
    """Run a module in a new process and read what it wrote.

    Args:
        module: to run.
        order: its one argument.
        result: JSON file that it writes.
        threads: that libraries may start for products.
        patience: seconds after which it is ended.

    Returns:
        The content of `result`; `{"failed": reason}` where the process left none.
    """
    result.unlink(missing_ok=True)
    limits = dict.fromkeys(_THREADS, str(threads))
    command = [sys.executable, "-m", module, str(order)]
    try:
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=patience, env={**os.environ, **limits}
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"the process was ended after {patience:g} seconds"}
    if not result.exists():
        return {"failed": _ending(done)}
    values: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    return values


def _ending(done: subprocess.CompletedProcess[str]) -> str:
    """Say how a process ended that wrote nothing."""
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        memory = "; the computer may have run out of memory" if name == "SIGKILL" else ""
        return f"the process was ended by {name}{memory}"
    lines = done.stderr.strip().splitlines()
    return f"the process ended with code {done.returncode}" + (f": {lines[-1][:300]}" if lines else "")
