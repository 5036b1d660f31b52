"""Explanations on disk: a folder for each image, JSON, PNG, and NumPy arrays."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from glance_pipeline.explanations.explanation import Explanation, file_name

INDEX = "index.json"
DOCUMENT = "explanation.json"


def write_explanations(folder: Path, explanations: Sequence[Explanation]) -> None:
    """Write each explanation into a folder of its own under ``folder``, and an index of them."""
    names: list[str] = []
    for explanation in explanations:
        name = folder_name(explanation)
        names.append(name if name not in names else f"{name}_{len(names)}")
        _write_one(folder / names[-1], explanation)
    (folder / INDEX).write_text(json.dumps({"explanations": names}, indent=2), encoding="utf-8")


def read_explanations(folder: Path) -> list[Explanation]:
    """Read what ``write_explanations`` wrote, in its order.

    Raises:
        ValueError: where a document is of another schema.
        FileNotFoundError: where a file is missing.
    """
    names = json.loads((folder / INDEX).read_text(encoding="utf-8"))["explanations"]
    return [_read_one(folder / name) for name in names]


def folder_name(explanation: Explanation) -> str:
    """Return the folder name of an explanation: ``image_000012``, or the file's name."""
    if explanation.index is not None:
        return f"image_{explanation.index:06d}"
    return f"file_{file_name(Path(explanation.source).name)}"


def as_picture(array: np.ndarray) -> Image.Image:
    """Turn uint8 (C, H, W), C = 1 or 3, into a Pillow image."""
    return Image.fromarray(array[0] if len(array) == 1 else array.transpose(1, 2, 0))


def _write_one(folder: Path, explanation: Explanation) -> None:
    folder.mkdir(parents=True)
    text = json.dumps(explanation.to_document(), indent=2, ensure_ascii=False, allow_nan=False)
    (folder / DOCUMENT).write_text(text, encoding="utf-8")
    for name, picture in explanation.pictures().items():
        as_picture(picture).save(folder / name)
    for name, array in explanation.arrays().items():
        np.save(folder / name, array, allow_pickle=False)


def _read_one(folder: Path) -> Explanation:
    def read(name: str) -> np.ndarray:
        if name.endswith(".npy"):
            return np.load(folder / name, allow_pickle=False)
        with Image.open(folder / name) as file:
            array = np.asarray(file)
        return array[None] if array.ndim == 2 else np.ascontiguousarray(array.transpose(2, 0, 1))

    document = json.loads((folder / DOCUMENT).read_text(encoding="utf-8"))
    return Explanation.from_document(document, read)
