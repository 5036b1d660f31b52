"""What the user named is looked at before it is called, and files may only name their own."""

import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from glance_pipeline.classifiers.forms.building import (
    arguments_of_header,
    build,
    in_float32,
    of_bounded_size,
)
from glance_pipeline.support.untrusted_files import parse_json, read_text, within

CALLED: list[Any] = []
LAYERS = "glance_pipeline.classifiers.forms.described.DescribedNetwork"


class NoModule:
    def __init__(self, **arguments: Any) -> None:
        CALLED.append(arguments)


def makes(**arguments: Any) -> nn.Linear:
    return nn.Linear(2, 2)


def makes_a_process(**arguments: Any) -> zipfile.ZipFile:
    CALLED.append(arguments)
    return zipfile.ZipFile("x")


def makes_something(**arguments: Any):
    return 3


def test_a_function_that_makes_a_network_is_called() -> None:
    assert isinstance(build(f"{__name__}.makes", {"classes": 3}), nn.Linear)
    assert isinstance(build("torch.nn.Linear", {"in_features": 1, "out_features": 2}), nn.Linear)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (f"{__name__}.NoModule", "is a class that is no nn.Module, so it is not called"),
        (f"{__name__}.makes_a_process", "a function that returns ZipFile, so it is not called"),
        ("os.system", "is builtin_function_or_method, so it is not called"),
        (f"{__name__}.CALLED", "is list, so it is not called"),
        (f"{__name__}.makes_something", "makes int; an nn.Module was wanted"),
        ("Linear", "cannot be imported: it names no module"),
        ("nowhere.Linear", "cannot be imported: No module named 'nowhere'"),
    ],
)
def test_what_makes_no_network_is_not_called(name: str, said: str) -> None:
    CALLED.clear()
    with pytest.raises(ValueError, match=said):
        build(name, {"command": "true"})
    assert not CALLED


def test_arguments_of_a_header_are_taken_for_own_classes_alone() -> None:
    weights = {"": {"a.weight": torch.zeros(2, 3), "a.bias": torch.zeros(2)}}
    small = {"layers": {"a": "Linear(3, 2)"}}
    assert arguments_of_header(LAYERS, small, weights) == small
    assert arguments_of_header("users.Net", {}, weights) == {}
    for name, arguments, said in [
        ("users.Net", {"path": "/x"}, "a file's word is not taken for that"),
        (LAYERS, {"layers": {"a": "Linear(3, 4)"}}, "it would have more than 16 weights"),
        (LAYERS, {"layers": {}, "most_numbers": 10**20}, "would raise the bounds"),
        (LAYERS, [1], "a mapping was wanted"),
    ]:
        with pytest.raises(ValueError, match=said):
            arguments_of_header(name, arguments, weights)


def test_the_size_of_a_network_is_bounded_while_it_is_made() -> None:
    with pytest.raises(ValueError, match="more than 100 weights"), of_bounded_size(100, 9):
        nn.Linear(10, 10)
    with pytest.raises(ValueError, match="more than 9 layers"), of_bounded_size(100, 9):
        nn.Sequential(*[nn.ReLU() for _ in range(10)])
    assert nn.Linear(100, 100).weight.shape == (100, 100)  # afterwards as before


def test_a_network_is_brought_to_float32_and_that_is_said() -> None:
    network = nn.BatchNorm2d(2).half()
    assert in_float32(network) == ("its weights are float16; it runs in float32",)
    assert {t.dtype for t in network.state_dict().values()} == {torch.float32, torch.int64}
    assert in_float32(network) == ()


def test_files_within_a_folder(tmp_path: Path) -> None:
    folder, other = tmp_path / "model", tmp_path / "other"
    (folder / "inner").mkdir(parents=True)
    other.write_text("x")
    (folder / "inner/a").write_text("x")
    (folder / "link").symlink_to("inner/a")
    (folder / "out").symlink_to(other)
    for name in ("inner/a", "link", "inner/../inner/a"):
        assert within(folder, name).read_text() == "x"
    for name in ("../other", str(other), "out", "inner/../../other"):
        with pytest.raises(ValueError, match="outside the model's own folder"):
            within(folder, name)
    for name in ("", "inner"):
        with pytest.raises(ValueError, match="no regular file"):
            within(folder, name)


def test_texts_are_of_bounded_length_and_json_of_bounded_depth(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("abc")
    assert read_text(tmp_path / "text", 3) == "abc"
    with pytest.raises(ValueError, match="longer than the 2 bytes"):
        read_text(tmp_path / "text", 2)
    with pytest.raises(ValueError, match="text is no complete JSON: maximum recursion"):
        parse_json("[" * 100_000, "text")
    with pytest.raises(ValueError, match="text holds list; an object was wanted"):
        parse_json("[]", "text")
