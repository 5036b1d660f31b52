"""Files that strangers made are inert, and inputs that were once read wrongly are read rightly."""

from pathlib import Path

import pytest

from benchmarks.hostile.collection import CASES, FILES
from benchmarks.hostile.kinds import Canaries, Case, HostileFile, judge_case, judge_file


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_hostile_file_is_inert(file: HostileFile) -> None:
    found = judge_file(file)
    assert found["inert"], found["message"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_is_as_wanted(case: Case) -> None:
    found = judge_case(case)
    assert found["as_wanted"] is True, found["message"]  # as JSON has it, not NumPy


def make_script(canaries: Canaries) -> Path:
    path = canaries.folder / "script.py"
    path.write_text(f"open({str(canaries.ran)!r}, 'w')\n")
    return path


def make_link(canaries: Canaries) -> Path:
    path = canaries.folder / "link"
    path.symlink_to(canaries.secret)
    return path


@pytest.mark.parametrize(
    ("make", "read", "said"),
    [
        (make_script, lambda path: exec(path.read_text()), "ran was written"),
        (make_script, lambda path: __import__("os").system("true"), "os.system was called"),
        (make_link, lambda path: path.read_bytes(), "the secret was opened"),
        (make_script, lambda path: bytearray(2**40), "memory was filled"),
        (make_script, lambda path: b"x" * (5 * 2**29), "GB of memory were filled"),
        (make_script, lambda path: __import__("socket").getaddrinfo("localhost", 1), "network was"),
        (make_script, lambda path: __import__("os")._exit(3), "exit code 3"),
    ],
)
def test_a_file_that_does_harm_is_found_out(make, read, said: str) -> None:
    found = judge_file(HostileFile("harm", "does what it tries", make, read))
    assert not found["inert"]
    assert said in found["message"]
