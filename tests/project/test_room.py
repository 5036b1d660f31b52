"""Names, room and rights are looked at before any work."""

import logging
import os
from pathlib import Path

import pytest

from glance_pipeline.project.hooks import room
from glance_pipeline.project.hooks.cannot_run import CannotRunError
from glance_pipeline.project.hooks.room import OutputPlace, _too_full, _unfit
from helpers.project import Project


def said_of(target: OutputPlace) -> str:
    return "; ".join(_unfit(target))


def test_a_name_and_a_path_that_are_too_long_are_told(tmp_path):
    assert said_of(OutputPlace("a", tmp_path / ("é" * 127), versioned=True)) == ""
    assert "has 256 bytes, wanted at most 255" in said_of(OutputPlace("a", tmp_path / ("é" * 128)))
    deep = tmp_path.joinpath(*["d" * 200] * 20)
    assert "wanted at most 4096: move the project" in said_of(
        OutputPlace("a", deep, versioned=True)
    )


def test_a_file_in_the_way_and_a_link_that_leads_nowhere_are_told(tmp_path):
    (tmp_path / "data").touch()
    assert (
        said_of(OutputPlace("a", tmp_path / "data/a"))
        == f"a: {tmp_path}/data is a file, wanted a folder"
    )
    (tmp_path / "link").symlink_to(tmp_path / "away")
    assert "link is a link that leads nowhere" in said_of(OutputPlace("a", tmp_path / "link/a"))


def test_a_folder_that_may_not_be_written_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    assert "may not be written by this user" in said_of(OutputPlace("a", tmp_path / "a"))


def test_room_is_counted_disk_by_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(room, "free_bytes", lambda path: 620_000)
    assert list(_too_full([OutputPlace("a", tmp_path / "a", size=600_000)])) == []
    both = [OutputPlace(name, tmp_path / name, size=600_000) for name in "ab"]
    (said,) = _too_full(both)
    assert said.startswith(
        f"the disk of {tmp_path} has 620 kB free, and this run will write about "
    )
    assert "1.2 MB to it" in said


def test_a_run_that_has_no_room_does_not_start(project: Project, monkeypatch):
    monkeypatch.setattr(room, "free_bytes", lambda path: 620_000)
    with pytest.raises(CannotRunError, match="has 620 kB free"):
        project.run()
    assert not (project.data / "05_model_input").exists()


def test_names_that_windows_reserves_are_told(tmp_path: Path, caplog, monkeypatch, project):
    aux = Project(tmp_path / "aux", project.env, project.conf)
    monkeypatch.setattr(room, "free_bytes", lambda path: 0)
    monkeypatch.setattr(room, "_too_full", lambda targets: [])
    with caplog.at_level(logging.WARNING), aux.session() as session:
        context = session.load_context()
        from glance_pipeline.pipelines.prepare import create_pipeline

        room.check_room(create_pipeline(), context.catalog, context)
    assert "'aux' cannot be copied to Windows" in caplog.text
