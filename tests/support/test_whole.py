"""What is written is whole or not there, and what was there stays until its successor is."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from glance_pipeline.support import whole
from glance_pipeline.support.whole import aside, whole_folder, write_whole

TIMEOUT = 60


def all_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_file_of_a_new_version_comes_with_its_folder(tmp_path):
    with aside(tmp_path / "report.html/v1/report.html") as place:
        place.write_text("half")
        assert not (tmp_path / "report.html/v1").exists()
        assert not list(tmp_path.glob("report.html/*/report.html"))  # as Kedro looks for versions
        place.write_text("whole")
    assert all_in(tmp_path) == ["report.html", "report.html/v1", "report.html/v1/report.html"]
    assert (tmp_path / "report.html/v1/report.html").read_text() == "whole"


def test_what_fails_leaves_what_was_there(tmp_path):
    write_whole(tmp_path / "a", b"before")
    with pytest.raises(ZeroDivisionError), aside(tmp_path / "a") as place:
        place.write_bytes(b"half")
        raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError), aside(tmp_path / "new/v1/new") as place:
        raise ZeroDivisionError
    with pytest.raises(FileNotFoundError), aside(tmp_path / "nothing"):
        pass
    assert all_in(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"before"


def test_a_folder_replaces_another_only_where_it_may(tmp_path):
    for content in ("before", "after"):
        with whole_folder(tmp_path / "e") as place:
            (place / content).touch()
    stays = pytest.raises(FileExistsError, match="is there already")
    with stays, whole_folder(tmp_path / "e", replace=False) as place:
        (place / "other").touch()
    (tmp_path / "empty").mkdir()
    with whole_folder(tmp_path / "empty", replace=False) as place:
        (place / "b").touch()
    assert all_in(tmp_path) == ["e", "e/after", "empty", "empty/b"]


def test_a_folder_that_was_cut_off_between_two_renames_is_put_back(tmp_path):
    with whole_folder(tmp_path / "e") as place:
        (place / "a").touch()
    (tmp_path / "e").rename(whole._replaced(tmp_path / "e"))
    with pytest.raises(ZeroDivisionError), aside(tmp_path / "e"):
        raise ZeroDivisionError
    assert all_in(tmp_path) == ["e", "e/a"]


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_folder_that_is_a_link_and_a_file_that_is_one_are_written_where_they_lead(tmp_path):
    for name in ("disk", "data"):
        (tmp_path / name).mkdir()
    (tmp_path / "data/08_reporting").symlink_to(tmp_path / "disk")
    (tmp_path / "data/a").symlink_to(tmp_path / "disk/a")
    write_whole(tmp_path / "data/08_reporting/r/v1/r", b"r")
    write_whole(tmp_path / "data/a", b"a")
    assert all_in(tmp_path / "disk") == ["a", "r", "r/v1", "r/v1/r"]
    assert (tmp_path / "data/a").is_symlink()


def test_names_of_the_greatest_length_are_written(tmp_path):
    name = "é" * 127
    write_whole(tmp_path / name, b"file")
    for _ in range(2):
        with whole_folder(tmp_path / name[1:]) as place:
            (place / "a").touch()
    assert all_in(tmp_path) == sorted([name, name[1:], f"{name[1:]}/a"])


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no such signal")
def test_what_a_killed_process_left_is_swept_and_what_a_living_one_writes_is_not(tmp_path):
    script = """
        import sys, time
        from pathlib import Path
        from glance_pipeline.support.whole import aside
        with aside(Path(sys.argv[1])) as place:
            place.write_text("half")
            print("waiting", flush=True)
            time.sleep(60)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "r/v1/r")]
    environment = {**os.environ, "PYTHONPATH": str(Path(whole.__file__).parents[2])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        assert process.stdout.readline() == "waiting\n"
        write_whole(tmp_path / "r/v2/r", b"whole")
        assert len(list((tmp_path / "r").glob(".unfinished-*/v1/r"))) == 1
        process.send_signal(signal.SIGKILL)
        process.wait(TIMEOUT)
    write_whole(tmp_path / "r/v3/r", b"whole")
    assert all_in(tmp_path / "r") == ["v2", "v2/r", "v3", "v3/r"]
