"""``glance new``: a folder laid out whole, and nothing of the user's touched."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from glance_pipeline.cli import main
from glance_pipeline.onboarding.new_project import new_project
from glance_pipeline.template import template_files


def held(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("there", [False, True])
def test_a_new_project_holds_every_file_of_the_template(tmp_path: Path, there: bool):
    folder = tmp_path / "deep" / "mine"
    if there:
        folder.mkdir(parents=True)
    assert new_project(folder) == folder
    assert held(folder) == {name: path.read_bytes() for name, path in template_files().items()}
    assert 'source_dir = "."' in (folder / "pyproject.toml").read_text(encoding="utf-8")


def test_what_is_there_is_named_and_stays(tmp_path: Path):
    for name in "dcba":
        (tmp_path / name).write_text(name)
    with pytest.raises(FileExistsError, match=r"not empty: it holds a, b, c and 1 more\. Nothing"):
        new_project(tmp_path)
    assert held(tmp_path) == {name: name.encode() for name in "abcd"}
    with pytest.raises(FileExistsError, match=r"a is a file\. Nothing was written"):
        new_project(tmp_path / "a")


def test_the_working_directory_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="is the working directory"):
        new_project(tmp_path)
    assert not held(tmp_path)


def test_nothing_stays_of_a_project_that_could_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    files = template_files() | {"zzz": tmp_path / "there is no such file"}
    monkeypatch.setattr("glance_pipeline.onboarding.new_project.template_files", lambda: files)
    with pytest.raises(FileNotFoundError):
        new_project(tmp_path / "new" / "mine")
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_what_is_next_or_why_not(tmp_path: Path):
    folder = tmp_path / "mine"
    made = CliRunner().invoke(main, ["new", str(folder)])
    assert made.exit_code == 0, made.output
    assert made.output.splitlines()[-1] == f"Next:    cd {folder} && kedro run --env test"
    again = CliRunner().invoke(main, ["new", str(folder)])
    assert again.exit_code == 1
    assert again.output.startswith(f"Error: {folder} is not empty: it holds .gitignore")


@pytest.mark.parametrize(
    ("pyproject", "told"),
    [
        (None, "lies in no project of the GLANCE pipeline"),
        ("[tool.kedro]\n", "Missing required keys"),
    ],
)
def test_init_wants_a_project_of_this_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pyproject: str | None, told: str
):
    if pyproject is not None:
        (tmp_path / "pyproject.toml").write_text(pyproject)
    monkeypatch.chdir(tmp_path)
    refused = CliRunner().invoke(main, ["init", "--yes"])
    assert refused.exit_code == 1
    assert told in refused.output
