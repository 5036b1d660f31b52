"""Classifiers' files that would run code, read other files or fill memory."""

import contextlib
import io
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from kedro.io import DatasetError
from safetensors.torch import save, save_file
from torch import Tensor, nn

from benchmarks.hostile.kinds import Canaries, HostileFile
from glance_pipeline.datasets import ClassifierDataset
from glance_pipeline.onboarding.inspection.model import find_model
from glance_pipeline.onboarding.terminal.asking import Asker
from glance_pipeline.onboarding.terminal.command_options import Wishes

SPECIFICATION: dict[str, Any] = {"image_shape": [1, 8, 8], "class_names": ["a", "b"]}


class Small(nn.Module):
    """The user's own class; ``path`` is one of the arguments that a header would choose."""

    def __init__(self, path: str = "") -> None:
        super().__init__()
        self.linear = nn.Linear(64, 2)
        if path:
            Path(path).read_bytes()

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, 1, 8, 8) to logits (N, 2)."""
        return self.linear(images.flatten(1))


SMALL = f"{__name__}.Small"


class Runs:
    """Unpickled, it runs a shell command that makes the canary."""

    def __init__(self, ran: Path) -> None:
        self.command = f"touch '{ran}'"

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.command,)


def read_model(path: Path) -> None:
    """Read a file as ``init`` and a run would, with the user's word on its class and without.

    Raises:
        ValueError: if the last of them refuses it.
        DatasetError: likewise.
    """
    ways: list[Callable[[], Any]] = [
        lambda: _as_init(path, None),
        lambda: _as_init(path, SMALL),
        lambda: ClassifierDataset(filepath=str(path), specification=SPECIFICATION).load(),
        lambda: ClassifierDataset(
            filepath=str(path), network=SMALL, specification=SPECIFICATION
        ).load(),
    ]
    for way in ways[:-1]:
        with contextlib.suppress(ValueError, OSError, DatasetError):
            way()
    ways[-1]()


def _as_init(path: Path, network: str | None) -> None:
    wishes = Wishes(model=str(path), network=network)
    find_model(wishes, path.parent, Asker(may_ask=False)).read(None)


def read_described(path: Path) -> None:
    """Load a network whose layers are the lines of a file."""
    layers = {f"layer{number}": line for number, line in enumerate(path.read_text().splitlines())}
    ClassifierDataset(
        filepath=str(path.with_suffix(".pt")),
        network="glance_pipeline.classifiers.forms.described.DescribedNetwork",
        arguments={"layers": layers},
        specification=SPECIFICATION,
    ).load()


def read_names(path: Path) -> None:
    """Load a sound classifier whose names of classes are in another file."""
    ClassifierDataset(
        filepath=str(path.parent / "net.pt"),
        network=SMALL,
        specification={**SPECIFICATION, "class_names": str(path)},
    ).load()


def weights() -> dict[str, Tensor]:
    """Return what ``Small`` takes."""
    return Small().state_dict()


def header(network: str, arguments: Any) -> Callable[[Canaries], Path]:
    """Write safetensors whose header names a class and its arguments; RAN and SECRET are filled."""

    def make(canaries: Canaries) -> Path:
        text = json.dumps({"network": network, "header": {"arguments": arguments}})
        text = text.replace("RAN", str(canaries.ran)).replace("SECRET", str(canaries.secret))
        entry = {"format": 1, "project": "0", **json.loads(text)}
        path = canaries.folder / "net.safetensors"
        save_file(weights(), path, {"glance_pipeline": json.dumps(entry)})
        return path

    return make


def pickled(name: str, legacy: bool = False) -> Callable[[Canaries], Path]:
    """Write a state dict with an object that runs a command beside its weights."""

    def make(canaries: Canaries) -> Path:
        path = canaries.folder / name
        content = {**weights(), "more": Runs(canaries.ran)}
        torch.save(content, path, _use_new_zipfile_serialization=not legacy)
        return path

    return make


def plain_pickle(canaries: Canaries) -> Path:
    """Write a pickle that torch has nothing to do with."""
    path = canaries.folder / "net.pkl"
    path.write_bytes(pickle.dumps(Runs(canaries.ran)))
    return path


def renamed(make: Callable[[Canaries], Path], name: str) -> Callable[[Canaries], Path]:
    """Give a file another name."""
    return lambda canaries: make(canaries).rename(canaries.folder / name)


def exported(canaries: Canaries) -> Path:
    """Write a program of torch.export with code in its guards, its shapes and its example."""
    free = ({0: torch.export.Dim("batch")},)
    program = torch.export.export(Small(), (torch.zeros(2, 1, 8, 8),), dynamic_shapes=free)
    whole, example, path = io.BytesIO(), io.BytesIO(), canaries.folder / "net.pt2"
    torch.export.save(program, whole)
    torch.save(([Runs(canaries.ran)],), example)
    command = f"__import__('os').system('touch {canaries.ran}')"
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if "/models/" in name and name.endswith(".json"):
                graph = json.loads(content)
                graph["guards_code"] = [command]
                text = json.dumps(graph)
                content = text.replace('"expr_str": "s', f'"expr_str": "{command} + s').encode()
            elif "/sample_inputs/" in name:
                content = example.getvalue()
            new.writestr(name, content)
    return path


class Reads(Small):
    """It reads a file that it names whenever it is asked."""

    def __init__(self, secret: Path) -> None:
        super().__init__()
        self.secret = str(secret)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, 1, 8, 8) to logits (N, 2), moved by a number of the file."""
        found: Tensor = torch.from_file(self.secret, False, 1)
        return self.linear(images.flatten(1) + found)


def script(canaries: Canaries) -> Path:
    """Write a TorchScript program that reads the secret when it is asked."""
    path = canaries.folder / "net.pt"
    torch.jit.save(torch.jit.script(Reads(canaries.secret)), str(path))
    return path


def safetensors_of(name: str, begins: Any) -> Callable[[Canaries], Path]:
    """Write a header of any kind before 64 bytes."""

    def make(canaries: Canaries) -> Path:
        path = canaries.folder / name
        text = begins if isinstance(begins, bytes) else json.dumps(begins).encode()
        start = text if isinstance(begins, bytes) else struct.pack("<Q", len(text)) + text
        path.write_bytes(start + bytes(64))
        return path

    return make


def _entry(start: int, end: int, shape: list[int]) -> dict[str, Any]:
    return {"dtype": "F32", "shape": shape, "data_offsets": [start, end]}


def deep_header(canaries: Canaries) -> Path:
    """Write a header that is nested a hundred thousand times."""
    path = canaries.folder / "net.safetensors"
    path.write_bytes(save(weights(), {"glance_pipeline": "[" * 100_000}))
    return path


def inflating(canaries: Canaries) -> Path:
    """Write an archive of torch.save with a compressed member of 256 MB."""
    path = canaries.folder / "net.pt"
    torch.save(weights(), path)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{archive.namelist()[0].partition('/')[0]}/data/9", bytes(2**28))
    return path


def pickle_of(content: bytes) -> Callable[[Canaries], Path]:
    """Write an archive of torch.save whose pickle makes something else, of allowed parts alone."""

    def make(canaries: Canaries) -> Path:
        whole, path = io.BytesIO(), canaries.folder / "net.pt"
        torch.save(weights(), whole)
        with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w") as new:
            for name in old.namelist():
                is_pickle = name.endswith("data.pkl")
                new.writestr(name, b"\x80\x02" + content if is_pickle else old.read(name))
        return path

    return make


# A key of a dict: a tuple of 2^45 parts, of which each level is twice the one below.
UNFOLDING = b"})q\0" + b"".join(b"h%c\x86q%c" % (n, n + 1) for n in range(45)) + b"K\1s."
DEEP = b"})" + b"\x85" * 200_000 + b"K\1s."  # likewise, of 200,000 levels
MANY_BYTES = b"cbuiltins\nbytearray\n\x8a\6" + (10**13).to_bytes(6, "little") + b"\x85R."


def repeated(canaries: Canaries) -> Path:
    """Write a state dict with a tensor of 10^14 numbers that are all the same one."""
    path = canaries.folder / "net.pt"
    large = torch.zeros(1).as_strided((10**7, 10**7), (0, 0))
    torch.save({**weights(), "linear.weight": large}, path)
    return path


def sparse(canaries: Canaries) -> Path:
    """Write a state dict with a sparse tensor of 10^14 places."""
    path = canaries.folder / "net.pt"
    large = torch.sparse_coo_tensor(torch.zeros(2, 1).long(), torch.ones(1), (10**7, 10**7))
    torch.save({**weights(), "linear.weight": large}, path)
    return path


def pipe(name: str) -> Callable[[Canaries], Path]:
    """Make a pipe that nobody writes to."""

    def make(canaries: Canaries) -> Path:
        torch.save(weights(), canaries.folder / "net.pt")
        path = canaries.folder / name
        os.mkfifo(path)
        return path

    return make


def device(canaries: Canaries) -> Path:
    """Make a link to a device that never ends."""
    torch.save(weights(), canaries.folder / "net.pt")
    path = canaries.folder / "names.txt"
    path.symlink_to("/dev/zero")
    return path


def described(*layers: str) -> Callable[[Canaries], Path]:
    """Write layers of ``DescribedNetwork``, a line each, the last with weights for one number."""

    def make(canaries: Canaries) -> Path:
        last = f"layer{len(layers) - 1}"
        found = {f"{last}.weight": torch.zeros(2, 1), f"{last}.bias": torch.zeros(2)}
        torch.save(found, canaries.folder / "net.pt")
        path = canaries.folder / "net.txt"
        path.write_text("\n".join(layers).replace("RAN", str(canaries.ran)))
        return path

    return make


FILES = (
    HostileFile(
        "safetensors, header: subprocess.run",
        "its header names subprocess.run for a class, with a command",
        header("subprocess.run", {"args": ["touch", "RAN"]}),
        read_model,
    ),
    HostileFile(
        "safetensors, header: no module",
        "its header names a class that is no nn.Module and opens a file when it is made",
        header("zipfile.ZipFile", {"file": "RAN", "mode": "w"}),
        read_model,
    ),
    HostileFile(
        "safetensors, header: arguments",
        "its header gives the user's own class a path to open",
        header(SMALL, {"path": "SECRET"}),
        read_model,
    ),
    *(
        HostileFile(name, f"its pickle ({kind}) calls os.system", make, read_model)
        for name, kind, make in (
            ("net.pt", "an archive of torch.save", pickled("net.pt")),
            ("net.ckpt", "an archive of torch.save", pickled("net.ckpt")),
            ("net.pth", "the older form of torch.save", pickled("net.pth", legacy=True)),
            ("net.bin", "the older form of torch.save", pickled("net.bin", legacy=True)),
            ("net.pkl", "plain", plain_pickle),
            ("pickle called .pt", "plain", renamed(plain_pickle, "net.pt")),
            ("pickle called .safetensors", "plain", renamed(plain_pickle, "net.safetensors")),
            ("pickle called .onnx", "plain", renamed(plain_pickle, "net.onnx")),
        )
    ),
    HostileFile(
        "torch.export", "code in its guards, its shapes and its example", exported, read_model
    ),
    HostileFile("TorchScript", "its program reads a file", script, read_model),
    HostileFile(
        "program called .onnx", "a program under the name of data", renamed(script, "net.onnx"),
        read_model,
    ),
    HostileFile(
        "safetensors, header of 2^60 bytes", "a header that no memory holds",
        safetensors_of("net.safetensors", struct.pack("<Q", 2**60) + b"{"), read_model,
    ),
    HostileFile(
        "safetensors, two in one place", "tensors that overlap",
        safetensors_of(
            "net.safetensors", {"a": _entry(0, 64, [16]), "b": _entry(0, 64, [16])}
        ), read_model,
    ),
    HostileFile(
        "safetensors, outside the file", "a tensor beyond the end of the file",
        safetensors_of("net.safetensors", {"a": _entry(0, 2**40, [2**38])}), read_model,
    ),
    HostileFile(
        "safetensors, deep header", "JSON that is nested 100,000 times", deep_header, read_model
    ),
    HostileFile("torch.save, inflating", "a member of 1,000 times its size", inflating, read_model),
    HostileFile(
        "torch.save, unfolding", "a key whose hash takes 2^45 steps", pickle_of(UNFOLDING),
        read_model,
    ),
    HostileFile(
        "torch.save, deep", "a key whose hash overflows the stack", pickle_of(DEEP), read_model
    ),
    HostileFile("torch.save, bytes", "10^13 bytes of nothing", pickle_of(MANY_BYTES), read_model),
    HostileFile("torch.save, repeated", "one number as 10^14", repeated, read_model),
    HostileFile("torch.save, sparse", "a sparse tensor of 10^14 places", sparse, read_model),
    HostileFile("model that is a pipe", "reading that never ends", pipe("other.pt"), read_model),
    HostileFile("class names, a pipe", "reading that never ends", pipe("names.txt"), read_names),
    HostileFile("class names, a device", "text that never ends", device, read_names),
    HostileFile(
        "described layers, a call", "a call among the arguments of a layer",
        described("Linear(__import__('os').system('touch RAN'), 2)"), read_described,
    ),
    HostileFile(
        "described layers, absurd", "a layer of 10^12 weights",
        described("Flatten()", "Linear(1000000, 1000000)"), read_described,
    ),
    HostileFile(
        "described layers, padding", "an image of 10^11 pixels between two layers",
        described("ZeroPad2d(200000)", "AdaptiveAvgPool2d(1)", "Flatten()", "Linear(1, 2)"),
        read_described,
    ),
)  # fmt: skip
