"""Shards of one work: written whole or not at all, kept, and put together to the same bytes."""

import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import helpers.explain
from glance_pipeline.explanations.running.shards import Shards, rows_of_shard
from helpers.explain import files_of, run


@pytest.fixture(scope="module")
def unsharded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unsharded")
    run(folder)
    return folder


@pytest.fixture(scope="module")
def all_but_the_second(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sharded")
    for index in (3, 0, 2):
        run(folder, num_shards=4, shard_index=index)
    return folder


def start_second(folder: Path, seconds: float) -> "subprocess.Popen[bytes]":
    """Run the second shard in a process that waits before every batch."""
    script = Path(helpers.explain.__file__)
    return subprocess.Popen([sys.executable, str(script), str(folder), "1", str(seconds)])


def test_a_shard_killed_midway_and_started_again_gives_the_same_bytes(
    unsharded, all_but_the_second, tmp_path
):
    folder = tmp_path / "work"
    shutil.copytree(all_but_the_second, folder)
    process = start_second(folder, 0.3)
    (work,) = (folder / "shards").iterdir()
    deadline = time.monotonic() + 120
    while (
        len(list(work.glob(".unfinished-*/*/shard_0002*/image_*"))) < 5
        and time.monotonic() < deadline
    ):
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it was to be killed before its end"
    assert len(list(work.glob(".unfinished-*/*/shard_0002*/image_*"))) in range(5, 20)
    assert not (folder / "explanations").exists() and not (folder / "report.html").exists()
    assert start_second(folder, 0).wait(timeout=120) == 0
    assert files_of(folder / "explanations") == files_of(unsharded / "explanations")
    assert (folder / "report.html").read_bytes() == (unsharded / "report.html").read_bytes()
    assert not list(work.glob(".*")), "what the killed process left is removed"


def test_shards_end_quietly_while_others_are_to_come(all_but_the_second):
    (work,) = (all_but_the_second / "shards").iterdir()
    shards = sorted(path.name for path in work.iterdir())
    assert shards == ["shard_0001_of_0004", "shard_0003_of_0004", "shard_0004_of_0004", "work.json"]
    assert sorted(path.name for path in all_but_the_second.iterdir()) == ["shards"]


def test_a_finished_shard_is_skipped_and_says_so(all_but_the_second, caplog):
    before = files_of(all_but_the_second)
    (shard,) = all_but_the_second.glob("shards/*/shard_0003_of_0004")
    changed = shard.stat().st_mtime_ns
    with caplog.at_level(logging.INFO, "glance_pipeline"):
        run(all_but_the_second, num_shards=4, shard_index=2)
    said = [record.getMessage() for record in caplog.records]
    assert said[0].startswith("shard 3 of 4 (explain.shard_index=2) is finished already: ")
    assert said[1] == "to come before all are put together: explain.shard_index=1"
    assert shard.stat().st_mtime_ns == changed and files_of(all_but_the_second) == before


def test_other_parameters_are_another_work(all_but_the_second, tmp_path):
    folder = tmp_path / "work"
    shutil.copytree(all_but_the_second, folder)
    run(folder, num_shards=4, shard_index=1, target="any")
    assert len(list((folder / "shards").iterdir())) == 2
    assert not (folder / "explanations").exists()


def test_files_of_one_name_keep_their_names_across_shards(tmp_path):
    from PIL import Image

    for number in range(6):
        (tmp_path / f"in/{number}").mkdir(parents=True)
        Image.new("L", (8, 8), 40 * number).save(tmp_path / f"in/{number}/a.png")
    run(tmp_path / "whole", images=str(tmp_path / "in"))
    for index in range(3):
        run(tmp_path / "parts", images=str(tmp_path / "in"), num_shards=3, shard_index=index)
    whole = files_of(tmp_path / "whole/explanations")
    assert files_of(tmp_path / "parts/explanations") == whole
    assert {"file_a.png/original.png", "file_a.png_5/original.png"} <= set(whole)


def test_the_first_of_two_processes_on_one_shard_wins(tmp_path, caplog):
    shards = Shards(tmp_path, 2)

    def while_another_finishes():
        shards.write(0, [], [])
        (shards.path(0) / "mark").touch()
        yield from ()

    with caplog.at_level(logging.INFO, "glance_pipeline"):
        shards.write(0, while_another_finishes(), [])
    assert "was finished by another process meanwhile" in caplog.text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["shard_0001_of_0002"]
    assert (shards.path(0) / "mark").exists()


@pytest.mark.parametrize(("images", "number"), [(80, 4), (81, 4), (7, 3), (3, 5), (1, 1)])
def test_shards_hold_whole_batches_and_every_image_once(images, number):
    parts = [rows_of_shard(images, 2, number, index) for index in range(number)]
    assert [row for part in parts for row in part] == list(range(images))
    assert all(part.start % 2 == 0 for part in parts if part)
    batches = [-(-len(part) // 2) for part in parts]
    assert max(batches) - min(batches) <= 1
