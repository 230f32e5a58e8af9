"""The wheel holds what it needs and works offline without torch; the pins cover every dependency."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
BUNDLES = ROOT / "src" / "capitate" / "runtime" / "bundles"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def requirements() -> list[Requirement]:
    lists = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    return [Requirement(text) for lines in lists for text in lines]


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonical(name): version for name, version in pairs}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_dependency_is_pinned_to_a_version_that_it_allows():
    for requirement in requirements():
        version = pins().get(canonical(requirement.name))
        assert version is not None, requirement.name
        assert requirement.specifier.contains(version), str(requirement)


def test_pins_are_plain_versions():
    assert all(re.fullmatch(r"[0-9][0-9a-z.]*", version) for version in pins().values())


def test_core_needs_no_torch():
    assert not {"torch", "timm", "kornia"} & {Requirement(text).name for text in PROJECT["dependencies"]}


def test_versions_agree():
    from capitate import __version__

    assert PROJECT["version"] == __version__
    assert f"\nversion: {__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_two_commands_are_the_same_with_and_without_make():
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    done = subprocess.run([sys.executable, ROOT / "tasks.py"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert targets is not None
    assert done.stderr.strip() == f"usage: python tasks.py {'|'.join(targets.group(1).split())}"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT]
    subprocess.run(command, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.mark.slow
def test_wheel_holds_bundles_templates_tables_and_licences(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    source = ROOT / "src"
    data = {
        path.relative_to(source).as_posix()
        for path in (source / "capitate").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert data <= names
    assert {f"capitate/runtime/bundles/{path.parent.name}/SHA256SUMS" for path in BUNDLES.glob("*/SHA256SUMS")} <= names
    licences = {Path(name).name for name in names if ".dist-info/licenses/" in name}
    assert licences == {"LICENSE", "LICENSE-WEIGHTS.md"}


def core_distributions() -> list[metadata.Distribution]:
    """The core dependencies as they are installed here, with theirs."""
    wanted, found = [Requirement(text) for text in PROJECT["dependencies"]], {}
    while wanted:
        requirement = wanted.pop()
        if canonical(requirement.name) in found or (
            requirement.marker and not requirement.marker.evaluate({"extra": ""})
        ):
            continue
        distribution = metadata.distribution(requirement.name)
        found[canonical(requirement.name)] = distribution
        wanted += [Requirement(text) for text in distribution.requires or ()]
    return list(found.values())


def link_core_dependencies(folder: Path) -> None:
    """Make a folder to import the core dependencies from, and nothing else."""
    folder.mkdir()
    for distribution in core_distributions():
        for top in {Path(str(file)).parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}:
            place = Path(str(distribution.locate_file(top)))
            if not (folder / top).exists():
                (folder / top).symlink_to(place, target_is_directory=place.is_dir())


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="links need rights that Windows users rarely have")
def test_wheel_assesses_a_film_in_an_empty_environment_without_torch(wheel, tmp_path):
    from capitate.phantom import demo_film

    environment = tmp_path / "venv"
    venv.create(environment, with_pip=False)
    python = environment / "bin" / "python"
    link_core_dependencies(tmp_path / "core")
    demo_film(tmp_path / "film.png")
    install = ["-m", "pip", "--python", python, "install", "--no-index", "--no-deps", "--quiet", wheel]
    subprocess.run([sys.executable, *install], check=True, capture_output=True, cwd=tmp_path)
    variables = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    variables["PYTHONPATH"] = str(tmp_path / "core")

    def call(*words: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(words, env=variables, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert call(python, "-c", "import torch").returncode != 0
    where = call(python, "-c", "import capitate; print(capitate.__file__)").stdout
    assert str(environment) in where
    done = call(environment / "bin" / "capitate", "assess", "film.png", "--sex", "female", "--format", "json")
    assert done.stderr == ""
    assert done.returncode == 0
    assert json.loads(done.stdout)["bone_age"]["months"] > 0
