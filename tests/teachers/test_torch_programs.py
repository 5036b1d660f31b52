import io
import os
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from kedro.io import DatasetError
from support_teachers import (
    SPECIFICATION,
    assert_same,
    conv_net,
    dataset,
    export,
    images,
    reference,
    script,
)
from torch import Tensor, nn


class TwoAnswers(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(64, 3)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        seen = self.linear(x.flatten(1))
        return seen, seen


class NoLinear(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x).mean((2, 3))


class Opens:
    """Unpickled, it makes a file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return os.mkdir, (self.path,)


def rewrite(source: Path, path: Path, changes: dict[str, bytes]) -> Path:
    """Copy an archive, with members of other content and more members."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w") as new:
        folder = old.namelist()[0].partition("/")[0]
        for name in old.namelist():
            if name.partition("/")[2] not in changes:
                new.writestr(name, old.read(name))
        for name, content in changes.items():
            new.writestr(f"{folder}/{name}", content)
    return path


@pytest.mark.parametrize("trace", [False, True])
def test_torchscript_gives_logits_features_and_gradients(tmp_path, trace):
    network = conv_net()
    loaded = dataset(script(network, tmp_path / "mine.pt", trace)).load()
    assert loaded.differentiable
    assert_same(loaded, reference(network))


def test_torchscript_runs_in_bfloat16_as_the_network_does(tmp_path):
    network = conv_net()
    loaded = dataset(script(network, tmp_path / "mine.pt")).load()
    with torch.autocast("cpu", torch.bfloat16):
        found, wanted = loaded.logits(images()), reference(network).logits(images())
    torch.testing.assert_close(found.float(), wanted.float(), rtol=0.05, atol=0.05)


def test_torchscript_says_that_it_takes_images_of_another_size(tmp_path):
    path = script(conv_net(), tmp_path / "mine.pt")
    with pytest.raises(DatasetError, match=r"\(1, 16, 16\) .* take \(1, 8, 8\)") as raised:
        dataset(path, specification={**SPECIFICATION, "image_shape": [1, 16, 16]}).load()
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("batch", [None, 1, 3])
def test_an_exported_program_answers_batches_of_any_size(tmp_path, batch):
    network = conv_net()
    loaded = dataset(export(network, tmp_path / "mine.pt2", batch)).load()
    assert_same(loaded, reference(network))


def test_an_exported_program_says_its_image_shape(tmp_path):
    specification = {k: v for k, v in SPECIFICATION.items() if k != "image_shape"}
    path = export(conv_net(), tmp_path / "mine.pt2")
    assert dataset(path, specification=specification).load().specification.image_shape == (1, 8, 8)
    with pytest.raises(DatasetError, match=r"found images of 16×16 .* takes 8×8 .* `fit: resize`"):
        dataset(path, specification={**SPECIFICATION, "image_shape": [1, 16, 16]}).load()


@pytest.mark.parametrize("form", ["torchscript", "exported"])
def test_the_feature_layer_can_be_named_in_a_program(tmp_path, form):
    network = conv_net()
    path = (
        script(network, tmp_path / "mine.pt")
        if form == "torchscript"
        else export(network, tmp_path / "mine.pt2")
    )
    told = {**SPECIFICATION, "feature_layer": "head.0"}
    loaded = dataset(path, specification=told).load()
    assert_same(loaded, reference(network, feature_layer="head.0"))
    told["feature_layer"] = "head.9"
    with pytest.raises(DatasetError, match=r"no layer 'head.9'; .*\['conv', 'head.0', 'head.2'\]"):
        dataset(path, specification=told).load()


@pytest.mark.parametrize(
    ("network", "said"),
    [(TwoAnswers, "one tensor was wanted"), (NoLinear, r"no linear layer .*feature_layer.*'conv'")],
)
def test_programs_that_are_no_classifier_are_refused(tmp_path, network, said):
    for path in (
        script(network(), tmp_path / "mine.pt"),
        export(network(), tmp_path / "mine.pt2"),
    ):
        with pytest.raises(DatasetError, match=said):
            dataset(path).load()


def test_a_program_exported_while_training_is_refused(tmp_path):
    torch.manual_seed(0)
    path = export(conv_net().train(), tmp_path / "mine.pt2")
    with pytest.raises(DatasetError, match="exported in training mode"):
        dataset(path).load()


@pytest.mark.parametrize(
    ("name", "write"), [("mine.pt", script), ("mine.pt2", export)], ids=["script", "export"]
)
def test_a_program_that_was_cut_short_is_named(tmp_path, name, write):
    path = write(conv_net(), tmp_path / name)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(DatasetError, match=rf"{name}: 2000 bytes were found which are no complete"):
        dataset(path).load()


def test_an_exported_program_with_a_pickle_is_not_loaded(tmp_path):
    """``torch.export.load`` would run it: shown on the same file first."""
    made = tmp_path / "made"
    buffer = io.BytesIO()
    torch.save(([Opens(str(made))],), buffer)
    good = export(conv_net(), tmp_path / "good.pt2")
    bad = rewrite(good, tmp_path / "bad.pt2", {"data/sample_inputs/model.pt": buffer.getvalue()})
    with pytest.raises(DatasetError, match=r"bad.pt2: it holds pickled Python objects"):
        dataset(bad).load()
    assert not made.exists()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("data/constants/opaque_obj_0", pickle.dumps({}), "pickled Python objects"),
        ("data/weights/model.pt", b"", "pickled Python objects"),
        ("data/aotinductor/model/run.so", b"", "compiled code"),
        (
            "data/weights/model_weights_config.json",
            b'{"config": {"w": {"path_name": "weight_0", "use_pickle": true}}}',
            "pickled Python objects",
        ),
        (
            "models/model.json",
            b'{"a": [{"expr_str": "__import__(\'os\').getcwd()"}]}',
            "no arithmetic",
        ),
    ],
)
def test_an_exported_program_that_holds_code_is_refused(tmp_path, name, content, said):
    good = export(conv_net(), tmp_path / "good.pt2")
    bad = rewrite(good, tmp_path / "bad.pt2", {name: content})
    with pytest.raises(DatasetError, match=f"it holds .*{said}"):
        dataset(bad).load()


def test_an_exported_program_that_hides_an_entry_behind_another_is_refused(tmp_path):
    path = export(conv_net(), tmp_path / "net.pt2")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("other/models/model.json", "{}")
    with pytest.raises(DatasetError, match="two entries of the archive have one name"):
        dataset(path).load()


@pytest.mark.parametrize("write", [script, export])
def test_a_linear_layer_in_the_midst_of_a_program_is_not_taken_for_the_last(tmp_path, write):
    class Squeezed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.weigh = nn.Conv2d(1, 4, 3), nn.Linear(4, 4)
            self.answer = nn.Conv2d(4, 3, 1)

        def forward(self, x: Tensor) -> Tensor:
            x = self.conv(x)
            x = x * self.weigh(x.mean((2, 3))).unsqueeze(2).unsqueeze(3)
            return self.answer(x).mean((2, 3))

    path = write(Squeezed().eval(), tmp_path / "net.pt")
    with pytest.raises(
        DatasetError, match=r"no linear layer .* name a layer .*\['conv', 'weigh', 'answer'\]"
    ):
        dataset(path).load()
    changes = {"specification": {**SPECIFICATION, "feature_layer": "answer"}}
    assert dataset(path, **changes).load()(images()).features.shape == (5, 4 * 6 * 6)
