"""What cannot be used is said in one line, and nothing is written."""

import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch import nn

from glance_pipeline.onboarding.inspection import pictures
from helpers.onboarding import UsersProject, weights

RAW = Path("data/01_raw")


def no_images() -> dict[str, Any]:
    (RAW / "none").mkdir()
    (RAW / "none" / "notes.txt").write_text("no image")
    return {"images": str(RAW / "none")}


def broken_images() -> dict[str, Any]:
    (RAW / "broken").mkdir()
    for number in range(20):
        (RAW / "broken" / f"{number}.png").write_bytes(b"no image")
    return {"images": str(RAW / "broken")}


def some_broken_images() -> dict[str, Any]:
    for number in (1, 3, 5):
        (RAW / "pets" / "red" / f"{number:02}.png").write_bytes(b"no image")
    return {}


def one_class() -> dict[str, Any]:
    frame = pd.read_csv(RAW / "pets.csv").assign(cls="cat")
    frame.to_csv(RAW / "pets.csv", index=False)
    return {"labels": "cls", "class_names": "cat,dog"}


def other_table() -> dict[str, Any]:
    frame = pd.DataFrame({"file": ["x.jpg", "y.jpg"], "age": [1.0, 2.0]})
    frame.to_csv(RAW / "other.csv", index=False)
    return {"table": str(RAW / "other.csv")}


def pickled() -> dict[str, Any]:
    torch.save(nn.Linear(3, 2), RAW / "pickled.pt")
    return {"model": str(RAW / "pickled.pt")}


def missing_keys() -> dict[str, Any]:
    torch.save({"linear.weight": weights()["linear.weight"]}, RAW / "missing.pt")
    return {"model": str(RAW / "missing.pt")}


def not_finite() -> dict[str, Any]:
    torch.save({**weights(), "linear.bias": torch.full((2,), torch.nan)}, RAW / "nan.pt")
    return {"model": str(RAW / "nan.pt")}


def traced(network: nn.Module, name: str, size: int = 16) -> dict[str, Any]:
    path = RAW / f"{name}.pt"
    torch.jit.save(torch.jit.trace(network, torch.zeros(2, 3, size, size)), path)
    return {"model": str(path), "network": None}


def map_of_answers() -> dict[str, Any]:
    network = nn.Sequential(nn.Conv2d(3, 2, 3, padding=1), nn.Linear(16, 16))
    return traced(network, "map")


def other_size() -> dict[str, Any]:
    return {"input_size": "20"}


def unusual_size() -> dict[str, Any]:
    return traced(nn.Sequential(nn.Flatten(), nn.Linear(3 * 21 * 21, 2)), "unusual", 21)


def no_gpu() -> dict[str, Any]:
    base = Path("conf/base/parameters.yml")
    base.write_text(base.read_text().replace("device: auto", "device: cuda"))
    return {}


def empty_model() -> dict[str, Any]:
    (RAW / "empty.pt").write_bytes(b"")
    return {"model": str(RAW / "empty.pt")}


BAD = [
    (no_images, "folder .*none holds no image: found 1 .txt"),
    (broken_images, r"none of 20 images can be read, the first are .*\.png \(8 bytes of no known"),
    (some_broken_images, r"3 of the 60 images so far cannot be read, --most-corrupt 0.01"),
    (one_class, "--labels 'cls': found the one class 'cat' in 60 images"),
    (other_table, r"table .*other.csv: it matches no image: its column 'file' says \['x.jpg'"),
    (pickled, "no plain state dict but a pickle with Python objects in it"),
    (missing_keys, "do not fit ColourNet: missing: linear.bias"),
    (not_finite, "answers 32 of 32 images with numbers that are not finite"),
    (map_of_answers, r"an output of shape \(32, 2, 16, 16\); \(N, K\) was wanted"),
    (other_size, r"not take a batch of the shape \(32, 3, 20, 20\).*does take \(3, 16, 16\)"),
    (unusual_size, "--input-size is missing: .*it takes none of the usual sizes"),
    (no_gpu, "compute.device: found 'cuda', but torch .* finds no GPU"),
    (empty_model, "0 bytes were found, an empty file"),
    (lambda: {"class_names": "a,b,c"}, "--class-names: found 3 class names .*wanted 2"),
    (lambda: {"labels": "none"}, "--class-names is missing: the classifier has 2 classes"),
    (lambda: {"labels": "cls"}, r"--labels: found 'cls', .*columns: \['age', 'shape', 'planet'\]"),
    (
        lambda: {"model": "pets.pth"},
        "--model: found 'pets.pth': there is no file .*no module 'pets'",
    ),
    (lambda: {"model": "users_net:gone", "network": None}, "users_net.gone cannot be imported"),
    (lambda: {"network": "users_net.Gone"}, "network users_net.Gone cannot be imported"),
    (lambda: {"arguments": "{classes"}, "--arguments: '{classes' is no YAML"),
    (lambda: {"arguments": "[2]"}, r"--arguments: found \[2\], wanted a mapping"),
    (lambda: {"images": "data/gone"}, "--images: there is no file or folder .*data/gone"),
    (lambda: {"table": "gone.csv"}, "--table: there is no file or folder .*gone.csv"),
    (lambda: {"size": "20"}, "--size: found '20' px, wanted 8, 16, 32"),
    (lambda: {"mean": "a"}, "--mean: found 'a', wanted numbers separated by commas"),
    (lambda: {"features": "planet"}, "'planet' cannot be used: it is constant"),
    (lambda: {"features": "size"}, r"--features: there is no column \['size'\]"),
    (lambda: {"name": "my pets"}, "--name: found 'my pets', wanted letters, digits"),
    (lambda: {"group": "shape", "split": "age"}, "--group shape and --split age were both found"),
    (lambda: {"feature_layer": "body"}, "feature_layer: the network has no module 'body'"),
]


@pytest.mark.parametrize(("spoil", "said"), BAD)
def test_bad_input_is_one_line_and_nothing_is_written(
    users: UsersProject,
    spoil: Callable[[], dict[str, Any]],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    result = users.init("--no-timing", "--trust", **spoil())
    assert result.exit_code == 1, result.output
    (line,) = result.output.splitlines()
    assert line.startswith("Error: ")
    assert re.search(said, line), line
    assert users.environments() == ["base", "logging.yml"]


def test_an_image_that_cannot_be_read_is_counted_where_few_are(users: UsersProject) -> None:
    (RAW / "pets" / "red" / "01.png").write_bytes(b"no image")
    result = users.init("--no-timing", most_corrupt="0.05")
    assert result.exit_code == 0, result.output
    assert "1 of a sample of 60: red/01.png (8 bytes of no known image format)" in result.output


def test_what_pillow_raises_of_a_broken_file_is_said(users: UsersProject, monkeypatch) -> None:
    def broken(_content: object) -> None:
        raise struct.error("unpack requires a buffer of 4 bytes")

    monkeypatch.setattr(pictures, "decode", broken)
    result = users.init("--no-timing")
    (line,) = result.output.splitlines()
    assert "none of 60 images can be read" in line and "unpack requires a buffer" in line


def test_ten_thousand_classes_pass(users: UsersProject) -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 10_000))
    (RAW / "names.txt").write_text("\n".join(f"class {k}" for k in range(10_000)) + "\n")
    names = {"labels": "none", "class_names": str(RAW / "names.txt")}
    result = users.init("--no-timing", "--trust", **traced(network, "many"), **names)
    assert result.exit_code == 0, result.output
    assert "class 6, class 7, … (10000) (as" in result.output
    assert "10,000 classes: training holds a logit of each for every training" in result.output


def test_images_of_16_bits_are_named(users: UsersProject) -> None:
    for path in (RAW / "pets").rglob("*.png"):
        Image.fromarray(np.zeros((8, 8), np.uint16)).save(path)
    assert "more than 8 bits a channel" in users.init("--no-timing").output
