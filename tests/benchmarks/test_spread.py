"""Mean and spread over runs."""

import json
from pathlib import Path

import pytest

from benchmarks.spread import spread


def test_numbers_that_all_runs_hold_are_summed_up(tmp_path: Path) -> None:
    files = []
    for value in (1.0, 2.0, 3.0):
        files.append(tmp_path / f"{value}.json")
        files[-1].write_text(json.dumps({"a": {"b": value}, f"only_{value}": 1, "name": "x"}))
    table = spread(files)
    assert list(table.index) == ["a.b"]
    assert table.loc["a.b"].to_dict() == {"mean": 2.0, "sd": 1.0, "min": 1.0, "max": 3.0}


def test_one_run_has_no_spread(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="found 1"):
        spread([tmp_path / "metrics.json"])
