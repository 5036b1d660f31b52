"""The real command line: what a user types, and what the run makes of what was written."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kedro.framework.cli.utils import find_run_command

from glance_pipeline.onboarding.terminal.user_paths import place_of
from helpers.onboarding import COUNT, UsersProject
from helpers.project import PROJECT


def kedro(root: Path, *arguments: str) -> str:
    """Run Kedro in a process of its own, nobody at its terminal."""
    environment = {**os.environ, "PYTHONPATH": str(PROJECT / "src")}
    code = "from kedro.framework.cli.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=root,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_what_is_written_is_what_kedro_run_takes(users: UsersProject, migrated_store: Path) -> None:
    (users.root / "mlflow.db").write_bytes(migrated_store.read_bytes())
    given = [part for option in users.options.items() for part in option]
    said = kedro(users.root, "glance", "init", *given)
    assert "Next:    kedro run --env pets --pipeline own_data" in said
    assert "Expected of a run, from" in said and "\n  memory" in said
    kedro(users.root, "run", "--env", "pets", "--pipeline", "ingest")
    made = users.root / "data" / "pets" / "05_model_input"
    (images,) = made.glob("images.npy/*/images.npy")
    assert np.load(images).shape == (COUNT, 3, 16, 16)
    (context,) = made.glob("context_features.parquet/*/context_features.parquet")
    assert list(pd.read_parquet(context)) == ["age", "shape"]


def test_kedro_starts_with_the_command_and_without_what_it_needs() -> None:
    code = (
        "import sys, glance_pipeline.cli as own; names = {'torch', 'pandas', 'numpy', 'mlflow'};"
        "print(names & set(sys.modules), [*own.cli.commands])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "set() ['glance']"


def test_the_project_still_runs_as_a_package() -> None:
    from kedro.framework.cli.project import run

    assert find_run_command("glance_pipeline") is run


@pytest.mark.parametrize(
    ("text", "working", "written"),
    [
        ("data/a.pt", ".", "data/a.pt"),
        ("./data/../data/a.pt", ".", "data/a.pt"),
        ("{root}/data/a.pt", ".", "data/a.pt"),
        ("a.pt", "data", "data/a.pt"),
        ("../shared/a.pt", ".", "../shared/a.pt"),
        ("../../shared/a.pt", "data", "{above}/shared/a.pt"),
        ("{above}/shared/a.pt", ".", "{above}/shared/a.pt"),
    ],
)
def test_paths_are_from_the_root_where_they_lie_within(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, working: str, written: str
) -> None:
    root = tmp_path / "project"
    (root / "data").mkdir(parents=True)
    monkeypatch.chdir(root / working)
    fields = {"root": root.as_posix(), "above": tmp_path.as_posix()}
    place = place_of(text.format(**fields), root)
    assert place.written == written.format(**fields)
    assert place.path == Path(os.path.normpath(root / place.written))
