"""Which form a model's file is in: told by its suffix, and by content where needed."""

import zipfile
from pathlib import Path
from typing import Literal, get_args

Format = Literal["weights", "torchscript", "exported", "transformers", "onnx", "callable"]
"""``weights``: a state dict or safetensors, whose class the catalog names."""

FORMATS: tuple[str, ...] = get_args(Format)
_BY_SUFFIX: dict[str, Format] = {
    ".safetensors": "weights",
    ".onnx": "onnx",
    ".pt2": "exported",
}
_OF_TORCH = {".pt", ".pth", ".ckpt", ".bin", ".ts", ".torchscript", ".jit", ".tar"}


def tell_format(path: Path) -> Format:
    """Return the format of a model's file or folder.

    Raises:
        ValueError: where there is no such file, it is empty, or nothing can be told.
    """
    if path.is_dir():
        if (path / "config.json").is_file():
            return "transformers"
        found = sorted(child.name for child in path.iterdir())[:6]
        raise ValueError(
            f"it is a folder without config.json, it holds {found}; a folder that transformers' "
            "save_pretrained wrote was wanted, or the model's file"
        )
    if not path.is_file():
        raise ValueError("no such file")
    if path.stat().st_size == 0:
        raise ValueError("0 bytes were found, an empty file; a model was wanted")
    if path.suffix in _BY_SUFFIX:
        return _BY_SUFFIX[path.suffix]
    if path.suffix in _OF_TORCH:
        return _of_archive(path)
    raise ValueError(
        f"the suffix {path.suffix!r} is unknown; known are "
        f"{sorted(_BY_SUFFIX.keys() | _OF_TORCH)} and folders of transformers. Name the format in "
        f"the catalog entry, `format:` one of {list(FORMATS)}; a model of another framework can "
        "be exported to ONNX, or wrapped in a Python callable"
    )


def _of_archive(path: Path) -> Format:
    """Tell apart what torch writes: programs hold code, exported ones a model as JSON."""
    if not zipfile.is_zipfile(path):
        with path.open("rb") as file:
            begins = file.read(4)
        if begins == b"PK\x03\x04":
            raise ValueError(
                f"{path.stat().st_size} bytes were found which are no complete file of torch.save, "
                "torch.jit.save or torch.export.save: the end of the archive is missing"
            )
        return "weights"  # the older form of torch.save
    with zipfile.ZipFile(path) as archive:
        names = [name.partition("/")[2] for name in archive.namelist()]
    if "archive_format" in names or any(
        name.startswith("models/") and name.endswith(".json") for name in names
    ):
        return "exported"
    return "torchscript" if any(name.startswith("code/") for name in names) else "weights"
