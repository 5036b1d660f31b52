from collections.abc import Iterator
from pathlib import Path

import pytest
from kedro.framework.startup import bootstrap_project

from helpers.onboarding import UsersProject, make_project
from helpers.project import PROJECT


@pytest.fixture
def users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[UsersProject]:
    """A user's project, which is the working directory meanwhile."""
    project = make_project(tmp_path / "project")
    monkeypatch.chdir(project.root)
    monkeypatch.syspath_prepend(str(project.root / "src"))
    yield project
    bootstrap_project(PROJECT)
