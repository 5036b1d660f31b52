"""Files of which two readers see different things, or that lead to others: what checks overlook."""

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from benchmarks.hostile.data_contents import eps
from benchmarks.hostile.data_files import read_context, read_images
from benchmarks.hostile.kinds import Canaries, Case, HostileFile
from benchmarks.hostile.model_files import SPECIFICATION, read_model, weights
from benchmarks.hostile.model_graphs import graph
from glance_pipeline.datasets import ClassifierDataset
from glance_pipeline.explanations.result.explanation_folder import (
    DOCUMENT,
    INDEX,
    SavedExplanations,
)

ENDLESS = b"\x80\x02}()" + b"".join(b"q%ch%c\x86" % (n, n) for n in range(1, 45)) + b"K\x01u."
"""A pickle whose key is a pair of the same pair, and so on: its hash takes 2^44 steps."""


def configurations(*configs: dict[str, Any]) -> Callable[[Canaries], Path]:
    """Write a folder of transformers whose config.json is the first; others lie beside it."""

    def make(canaries: Canaries) -> Path:
        from transformers import ResNetConfig, ResNetForImageClassification

        sizes: dict[str, Any] = {
            "num_labels": 2,
            "num_channels": 1,
            "embedding_size": 8,
            "hidden_sizes": [8, 8],
            "depths": [1, 1],
        }
        model = ResNetForImageClassification(ResNetConfig(**sizes))
        folder = canaries.folder / "model"
        model.save_pretrained(folder)
        for number, config in enumerate(configs):
            name = f"config.{number}.json" if number else "config.json"
            whole = {**model.config.to_dict(), **config}
            (folder / name).write_text(json.dumps(whole))
        return folder

    return make


def before_an_archive(canaries: Canaries) -> Path:
    """Write the older form of torch.save, and a whole archive of the newer one after it."""
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}
    parts = [pickle.dumps(one, 2) for one in (0x1950A86A20F9469CFC6C, 1001, system)]
    path = canaries.folder / "net.pt"
    path.write_bytes(b"".join(parts) + ENDLESS + pickle.dumps([], 2) + _archive())
    return path


def two_lists(canaries: Canaries) -> Path:
    """Write an archive with two lists of contents: one where its end says, one before its end."""
    sound, endless = _archive(), _archive(ENDLESS)
    place, length = _list_of(endless)
    if _list_of(sound) != (place, length):
        raise ValueError("the archives differ in more than their pickles")
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 7, 7, length, place, 0)
    path = canaries.folder / "net.pt"
    path.write_bytes(endless[: place + length] + sound[: place + length] + end)
    return path


def _archive(content: bytes | None = None) -> bytes:
    """Return what torch.save writes of sound weights, with another pickle where one is given."""
    whole, changed = io.BytesIO(), io.BytesIO()
    torch.save(weights(), whole)
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(changed, "w") as target:
        for member in source.namelist():
            held = source.read(member)
            if member.endswith("/data.pkl") and content is not None:
                held = content.ljust(len(held), b"\0")  # both archives have the same places
            target.writestr(member, held)
    return changed.getvalue()


def _list_of(archive: bytes) -> tuple[int, int]:
    """Return where an archive's list of contents begins, and its length."""
    length, place = struct.unpack("<2I", archive[-10:-2])
    return int(place), int(length)


def explanations(index: str, document: dict[str, Any]) -> Callable[[Canaries], Path]:
    """Write a folder of explanations; SECRET is filled in, and ``eps.png`` is no PNG."""

    def make(canaries: Canaries) -> Path:
        folder = canaries.folder / "explanations"
        (folder / "one").mkdir(parents=True)
        (folder / INDEX).write_text(json.dumps({"explanations": [index]}))
        text = json.dumps({"schema_version": 4, **document})
        text = text.replace("SECRET", str(canaries.secret))
        (folder / "one" / DOCUMENT).write_text(text)
        (folder.parent / DOCUMENT).write_text(text)
        (folder / "one" / "eps.png").write_bytes(eps(canaries))
        (folder / "one" / "link.png").symlink_to(canaries.secret)
        return folder

    return make


def read_explanations(folder: Path) -> None:
    """Read explanations as a report does."""
    list(SavedExplanations.of(folder))


def one_value(name: str, rows: int, length: int) -> Callable[[Canaries], Path]:
    """Write a parquet table in which all rows have the same long value, which it holds but once."""

    def make(canaries: Canaries) -> Path:
        path = canaries.folder / "t.parquet"
        place = pa.array(np.zeros(rows, np.int32))
        value = bytes(length) if name == "image" else "x" * length
        table = pa.table({name: pa.DictionaryArray.from_arrays(place, pa.array([value]))})
        pq.write_table(table, path, compression="zstd", store_schema=False)
        return path.parent if name == "image" else path

    return make


def _other_format(folder: Path) -> tuple[bool, str]:
    """Ask a sound graph whose bytes onnxruntime would take for a file of its own format."""
    model = graph([])
    model.graph.output[0].name = "g"
    path = folder / "net.onnx"
    # Its maker's name comes last, but first once it is written anew: at the fifth byte.
    path.write_bytes(model.SerializeToString() + b"\x12\x04ORTM")
    classifier = ClassifierDataset(filepath=str(path), specification=SPECIFICATION).load()
    found = classifier.answers(np.zeros((1, 1, 8, 8), np.uint8)).logits.tolist()
    return found == [[0.0, 0.0]], f"it answers {found}"


FILES: tuple[HostileFile, ...] = (
    HostileFile(
        "transformers, another configuration",
        "its config.json names a second one, which asks a hub for a network",
        configurations(
            {"configuration_files": ["config.1.json"]},
            {"model_type": "upernet", "backbone": "stranger/network"},
        ),
        read_model,
    ),
    HostileFile(
        "transformers, a backbone of a hub",
        "asks a hub for a network while its configuration is made",
        configurations({"model_type": "upernet", "backbone": "stranger/network"}),
        read_model,
    ),
    HostileFile(
        "transformers, a backbone within",
        "asks a hub for what an inner configuration names by default",
        configurations(
            {"model_type": "upernet", "backbone_config": {"model_type": "upernet"}},
        ),
        read_model,
    ),
    HostileFile(
        "torch.save, both forms", "a pickle of the older form that no list of an archive names",
        before_an_archive, read_model,
    ),
    HostileFile(
        "torch.save, two lists", "a list of contents that torch finds and Python does not",
        two_lists, read_model,
    ),
    HostileFile(
        "explanations, index", "its index names a folder elsewhere, which names the secret",
        explanations("..", {"original": "SECRET"}), read_explanations,
    ),
    HostileFile(
        "explanations, picture", "a document that names the secret for a picture",
        explanations("one", {"original": "SECRET"}), read_explanations,
    ),
    HostileFile(
        "explanations, link", "a picture that is a link to the secret",
        explanations("one", {"original": "link.png"}), read_explanations,
    ),
    HostileFile(
        "explanations, PostScript", "a picture that is a PostScript program",
        explanations("one", {"original": "eps.png"}), read_explanations,
    ),
    HostileFile(
        "one-image.parquet", "one image of 70 MB, which 24 rows share",
        one_value("image", 24, 70_000_000), read_images,
    ),
    HostileFile(
        "one-word.parquet", "one word of 20 MB, which 20,000 rows share",
        one_value("file", 20_000, 20_000_000), read_context,
    ),
)  # fmt: skip

CASES: tuple[Case, ...] = (
    Case(
        "ONNX file that begins as one of onnxruntime's own",
        "the graph that was looked at answers",
        _other_format,
    ),
)
