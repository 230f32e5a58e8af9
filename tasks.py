"""The project's commands, with nothing but Python: `python tasks.py demo|test|check|soak`.

They make a virtual environment in `.venv` (or in the folder that the variable VENV names), install into it when
`pyproject.toml` or `constraints.txt` has changed, and run.
"""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = Path(os.environ.get("VENV") or ROOT / ".venv")
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
LEAST = (3, 11)


def install(extras: str) -> None:
    """Make the environment and install Capitate with some extras, unless that has been done."""
    if sys.version_info < LEAST:
        sys.exit(
            f"Capitate needs Python {LEAST[0]}.{LEAST[1]} or later, got {sys.version.split()[0]}: {sys.executable}"
        )
    wanted = _state(extras)
    stamp = VENV / ".capitate-installed"
    if stamp.exists() and wanted in stamp.read_text(encoding="utf-8").split():
        return
    if not (VENV / "pyvenv.cfg").exists():
        venv.create(VENV, with_pip=True)
    target = f"{ROOT}[{extras}]" if extras else str(ROOT)
    run(
        "python", "-m", "pip", "install", "--quiet", "--constraint", str(ROOT / "constraints.txt"), "--editable", target
    )
    with stamp.open("a", encoding="utf-8") as stream:
        stream.write(wanted + "\n")


def run(program: str, *arguments: str) -> None:
    """Run a program of the environment in the project's folder, and end with its exit code where it fails."""
    done = subprocess.run([str(BIN / program), *arguments], cwd=ROOT, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def demo(arguments: list[str]) -> None:
    """Assess a drawn film."""
    install("")
    run("capitate", "demo", *arguments)


def test(arguments: list[str]) -> None:
    """Run the tests."""
    install("dev")
    run("python", "-m", "pytest", *arguments)


def check(arguments: list[str]) -> None:
    """Run the linter and the type checker."""
    install("dev")
    run("python", "-m", "ruff", "check", *arguments)
    run("python", "-m", "mypy")


def soak(arguments: list[str]) -> None:
    """Put load and faults on the whole service."""
    install("dev")
    run("python", "tests/soak", *arguments)


def _state(extras: str) -> str:
    """Give a digest that changes with what there is to install."""
    files = b"".join((ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt"))
    return hashlib.sha256(files + extras.encode() + os.fsencode(ROOT)).hexdigest()


TASKS = {"demo": demo, "test": test, "check": check, "soak": soak}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in TASKS:
        sys.exit(f"usage: python tasks.py {'|'.join(TASKS)}")
    TASKS[sys.argv[1]](sys.argv[2:])
