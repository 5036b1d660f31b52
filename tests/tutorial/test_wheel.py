"""The built wheel, installed without the clone: what it holds, and a project made with it."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from glance_pipeline.template import PATTERNS
from helpers.fitting import short_parameters
from helpers.project import PROJECT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the repository, built in a copy, so that nothing is left in the clone."""
    folder = tmp_path_factory.mktemp("wheel")
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        check=True,
        capture_output=True,
    )
    for name in filter(None, tracked.stdout.decode().split("\0")):
        if (PROJECT / name).is_file() and not name.startswith(("tests/", "docs/", "benchmarks/")):
            (folder / "copy" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "copy" / name).write_bytes((PROJECT / name).read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q"]
    subprocess.run([*command, "-w", str(folder), str(folder / "copy")], check=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of an environment with the wheel, and with this one's libraries."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    # Of a folder that a .pth file names, the .pth files are not read: no editable install here.
    libraries = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    (site / "libraries.pth").write_text("\n".join(libraries) + "\n")
    python = folder / "bin" / "python"
    kedro = f"#!{python}\nfrom kedro.framework.cli import main\n\nmain()\n"
    (folder / "bin" / "kedro").write_text(kedro)  # as installing Kedro into it writes it
    (folder / "bin" / "kedro").chmod(0o755)
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "-qI"]
    subprocess.run([*pip, str(wheel)], check=True)
    return folder / "bin"


def run(
    installed: Path, folder: Path, *command: str, fails: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run a command of the environment in a folder; it must succeed, or fail in a line or two."""
    environment = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
    environment["PATH"] = f"{installed}:{os.environ['PATH']}"
    environment["DO_NOT_TRACK"] = "1"
    ran = subprocess.run(
        [shutil.which(command[0], path=environment["PATH"]) or command[0], *command[1:]],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    said = ran.stdout + ran.stderr
    assert (ran.returncode != 0) == fails, said
    assert not fails or "Traceback" not in said, said
    return ran


def test_the_wheel_holds_the_configuration_of_the_repository_and_no_data(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = "glance_pipeline/template/files/"
        held = {
            name.removeprefix(inside): archive.read(name)
            for name in archive.namelist()
            if name.startswith(inside)
        }
    wanted = {
        path.relative_to(PROJECT).as_posix(): path.read_bytes()
        for pattern in PATTERNS
        for path in PROJECT.glob(pattern)
    }
    assert len(wanted) > 40
    assert {name: held.get(name) for name in wanted} == wanted
    assert held.keys() - wanted.keys() == {"README.md", "pyproject.toml"}
    environments = {name.split("/")[1] for name in held if name.startswith("conf/")}
    assert environments == {
        *(path.name for path in (PROJECT / "conf").iterdir() if path.name in environments)
    }
    assert {name for name in held if name.startswith("data/")} == {
        path.relative_to(PROJECT).as_posix() for path in PROJECT.glob("data/*/.gitkeep")
    }


def test_the_tutorial_works_as_it_is_written(installed: Path, tmp_path: Path) -> None:
    where = run(
        installed, tmp_path, "python", "-c", "import glance_pipeline as g; print(g.__file__)"
    )
    assert Path(where.stdout.strip()).is_relative_to(installed.parent)
    page = (PROJECT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```(bash|python)\n(.*?)```", page, re.DOTALL)
    assert [kind for kind, _ in blocks] == ["bash", "bash", "bash", "python"]
    (tmp_path / "first.py").write_text(blocks.pop()[1])
    lines = [line for _, block in blocks for line in block.splitlines()]
    typed = [line for line in lines if not line.startswith("pip install")]
    script = "\n".join(["set -e", *typed, "python ../first.py", "glance init --help"])
    said = run(installed, tmp_path, "bash", "-c", script).stdout
    reports = list(tmp_path.glob("mine/build/test-data/08_reporting/report.html/*/report.html"))
    assert len(reports) == 1 and reports[0].name in said
    assert "--images" in said


def test_an_explainer_is_fitted_without_a_project(installed: Path, tmp_path: Path) -> None:
    script = f"""
import numpy as np
from torch import nn

from glance_pipeline import Explainer

images = np.random.default_rng(0).integers(0, 256, (60, 1, 8, 8), dtype=np.uint8)
network = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
explainer = Explainer.fit(
    network,
    images,
    {{"ink": images.mean((1, 2, 3))}},
    specification={{"class_names": ["a", "b"]}},
    parameters={short_parameters(8)!r},
)
explainer.save("twin")
print(Explainer.load("twin", classifier=network).explain(0)[0].sentence)
"""
    (tmp_path / "fit.py").write_text(script)
    said = run(installed, tmp_path, "python", "fit.py").stdout
    assert "Predicted" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fit.py", "twin"]


def test_nothing_is_written_over(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    refused = run(installed, tmp_path, "glance", "new", "mine", fails=True)
    assert "mine is not empty: it holds thesis.txt. Nothing was written" in refused.stderr
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_a_command_for_a_project_says_where_there_is_none(installed: Path, tmp_path: Path) -> None:
    refused = run(installed, tmp_path, "glance", "init", "--yes", fails=True)
    assert "lies in no project of the GLANCE pipeline" in refused.stderr
