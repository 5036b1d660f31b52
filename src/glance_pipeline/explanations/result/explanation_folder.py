"""Explanations on disk: a folder for each image, JSON, PNG, and NumPy arrays."""

import json
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import overload

import numpy as np
from PIL import Image

from glance_pipeline.explanations.result.explanation import Explanation
from glance_pipeline.explanations.result.pictures import as_picture
from glance_pipeline.support.names import readable_file_name

INDEX = "index.json"
DOCUMENT = "explanation.json"


class SavedExplanations(Sequence[Explanation]):
    """Explanations in a folder, each read when it is asked for; a slice reads nothing.

    Args:
        paths: paths of the folder of each explanation.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = tuple(paths)

    @classmethod
    def of(cls, *folders: Path) -> "SavedExplanations":
        """Open folders that ``write_explanations`` wrote, one after the other.

        Raises:
            FileNotFoundError: if a folder has no index.
            ValueError: if an index is damaged.
        """
        return cls([folder / name for folder in folders for name in _read_index(folder)])

    def __len__(self) -> int:
        return len(self.paths)

    @overload
    def __getitem__(self, number: int) -> Explanation: ...

    @overload
    def __getitem__(self, number: slice) -> "SavedExplanations": ...

    def __getitem__(self, number: int | slice) -> "Explanation | SavedExplanations":
        """Read one explanation; or choose several.

        Raises:
            ValueError: if a document is of another schema or a file of it is missing.
        """
        if isinstance(number, slice):
            return SavedExplanations(self.paths[number])
        path = self.paths[number]
        try:
            return _read_one(path)
        except (OSError, ValueError, KeyError) as error:
            raise ValueError(f"explanation {path}: {error}") from error


def write_explanations(
    folder: Path, explanations: Iterable[Explanation], names: Sequence[str] | None = None
) -> None:
    """Write each explanation into a folder of its own under ``folder``, and an index of them.

    Args:
        folder: it exists and is empty.
        explanations: taken one by one; those that are on disk already are linked, or copied where
            that is impossible, and keep the names of their folders.
        names: names of their folders; by default see ``FolderNames``.
    """
    written: list[str] = []
    if isinstance(explanations, SavedExplanations):
        for path in explanations.paths:
            shutil.copytree(path, folder / path.name, symlinks=True, copy_function=_link)
            written.append(path.name)
    else:
        unique = FolderNames()
        for number, explanation in enumerate(explanations):
            name = names[number] if names else unique(explanation.index, explanation.source)
            _write_one(folder / name, explanation)
            written.append(name)
    index = json.dumps({"explanations": written}, indent=2, allow_nan=False)
    (folder / INDEX).write_text(index, encoding="utf-8")


def read_explanations(folder: Path) -> list[Explanation]:
    """Read all that ``write_explanations`` wrote, in its order.

    Raises:
        ValueError: if a document is of another schema or a file of it is missing.
        FileNotFoundError: if there is no index.
    """
    return list(SavedExplanations.of(folder))


class FolderNames:
    """Names the folder of one explanation after the other, each name but once.

    ``image_000012``, or ``file_`` and the file's name as far as it can name a file on any system;
    where an earlier one has that, in whatever case, the number of the explanation, counted from 0,
    follows.
    """

    def __init__(self) -> None:
        self._given: set[str] = set()
        self._count = 0

    def __call__(self, index: int | None, source: str) -> str:
        """Return the name for the explanation of a prepared image, or of a file."""
        name = f"image_{index:06d}" if index is not None else f"file_{_last_part(source)}"
        unique, number = name, self._count
        while unique.casefold() in self._given:
            unique, number = f"{name}_{number}", number + 1
        self._given.add(unique.casefold())
        self._count += 1
        return unique


def _last_part(source: str) -> str:
    return readable_file_name(Path(source).name)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk, or one without hard links
        shutil.copy2(source, target)


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
        path = _within(folder, name)
        if path.suffix == ".npy":
            return np.load(path, allow_pickle=False)
        with Image.open(path, formats=("PNG",)) as file:  # other formats run other programs
            array = np.asarray(file)
        return array[None] if array.ndim == 2 else np.ascontiguousarray(array.transpose(2, 0, 1))

    document = json.loads(_within(folder, DOCUMENT).read_text(encoding="utf-8"))
    return Explanation.from_document(document, read)


def _read_index(folder: Path) -> list[str]:
    try:
        names = list(json.loads((folder / INDEX).read_text(encoding="utf-8"))["explanations"])
        for name in names:
            _within(folder, name)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"{folder / INDEX}: no index of explanations ({error!r})") from error
    return names


def _within(folder: Path, name: str) -> Path:
    """Return what is called ``name`` in a folder, which may be another's; no link leads out of it.

    Raises:
        ValueError: if it would lie elsewhere.
    """
    path = folder / name
    plain = path.parent == folder and name not in ("", ".", "..")
    if not plain or path.resolve().parent != folder.resolve():
        raise ValueError(f"it names {name!r}; what lies in {folder.name} itself was wanted")
    return path
