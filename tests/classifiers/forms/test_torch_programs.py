import logging

import pytest
import torch
from kedro.io import DatasetError
from torch import Tensor, nn

import helpers.teachers
from helpers.teachers import (
    SPECIFICATION,
    assert_same,
    conv_net,
    dataset,
    export,
    images,
    reference,
    script,
    trusted,
)


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


@pytest.mark.parametrize("trace", [False, True])
def test_torchscript_gives_logits_features_and_gradients(tmp_path, trace):
    network = conv_net()
    loaded = trusted(script(network, tmp_path / "mine.pt", trace)).load()
    assert loaded.differentiable
    assert_same(loaded, reference(network))


def test_torchscript_runs_in_bfloat16_as_the_network_does(tmp_path):
    network = conv_net()
    loaded = trusted(script(network, tmp_path / "mine.pt")).load()
    with torch.autocast("cpu", torch.bfloat16):
        found, wanted = loaded.logits(images()), reference(network).logits(images())
    torch.testing.assert_close(found.float(), wanted.float(), rtol=0.05, atol=0.05)


def test_torchscript_says_that_it_takes_images_of_another_size(tmp_path):
    path = script(conv_net(), tmp_path / "mine.pt")
    with pytest.raises(DatasetError, match=r"\(1, 16, 16\) .* take \(1, 8, 8\)") as raised:
        trusted(path, specification={**SPECIFICATION, "image_shape": [1, 16, 16]}).load()
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("batch", [None, 1, 3])
def test_an_exported_program_answers_batches_of_any_size(tmp_path, batch):
    network = conv_net()
    loaded = trusted(export(network, tmp_path / "mine.pt2", batch)).load()
    assert_same(loaded, reference(network))


def test_an_exported_program_says_its_image_shape(tmp_path):
    specification = {k: v for k, v in SPECIFICATION.items() if k != "image_shape"}
    path = export(conv_net(), tmp_path / "mine.pt2")
    assert trusted(path, specification=specification).load().specification.image_shape == (1, 8, 8)
    with pytest.raises(DatasetError, match=r"found images of 16×16 .* takes 8×8 .* `fit: resize`"):
        trusted(path, specification={**SPECIFICATION, "image_shape": [1, 16, 16]}).load()


@pytest.mark.parametrize("form", ["torchscript", "exported"])
def test_the_feature_layer_can_be_named_in_a_program(tmp_path, form):
    network = conv_net()
    path = (
        script(network, tmp_path / "mine.pt")
        if form == "torchscript"
        else export(network, tmp_path / "mine.pt2")
    )
    told = {**SPECIFICATION, "feature_layer": "head.0"}
    loaded = trusted(path, specification=told).load()
    assert_same(loaded, reference(network, feature_layer="head.0"))
    told["feature_layer"] = "head.9"
    with pytest.raises(DatasetError, match=r"no layer 'head.9'; .*\['conv', 'head.0', 'head.2'\]"):
        trusted(path, specification=told).load()


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
            trusted(path).load()


def test_a_program_exported_while_training_is_refused(tmp_path):
    torch.manual_seed(0)
    path = export(conv_net().train(), tmp_path / "mine.pt2")
    with pytest.raises(DatasetError, match="exported in training mode"):
        trusted(path).load()


@pytest.mark.parametrize(
    ("name", "write"), [("mine.pt", script), ("mine.pt2", export)], ids=["script", "export"]
)
def test_a_program_that_was_cut_short_is_named(tmp_path, name, write):
    path = write(conv_net(), tmp_path / name)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(DatasetError, match=rf"{name}: 2000 bytes were found which are no complete"):
        trusted(path).load()


@pytest.mark.parametrize(
    ("name", "write"), [("mine.pt", script), ("mine.pt2", export)], ids=["script", "export"]
)
def test_a_program_is_not_loaded_without_trust(tmp_path, name, write):
    path = write(conv_net(), tmp_path / name)
    with pytest.raises(DatasetError, match=rf"{name}: it is a .* is a program: .*`trust: true`"):
        dataset(path).load()
    with pytest.raises(DatasetError, match="trust: found 'yes', wanted true or false"):
        dataset(path, trust="yes")


class Casts(nn.Module):
    """As where training was in half precision, it brings its input to that by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.network = conv_net().half()

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x.half())


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("form", ["script", "trace", "export"])
def test_a_program_of_another_precision_runs_in_float32(tmp_path, monkeypatch, caplog, kind, form):
    caplog.set_level(logging.INFO)
    examples = images().to(kind)
    monkeypatch.setattr(helpers.teachers, "images", lambda count: examples[:count])
    network = conv_net().to(kind)
    path = (
        export(network, tmp_path / "net.pt2")
        if form == "export"
        else script(network, tmp_path / "net.pt", trace=form == "trace")
    )
    monkeypatch.undo()
    assert_same(trusted(path).load(), reference(network.float()))
    assert "it is asked in float32" in caplog.text


@pytest.mark.parametrize("trace", [False, True])
def test_a_program_that_casts_by_itself_answers_as_it_was_written(tmp_path, trace):
    loaded = trusted(script(Casts().eval(), tmp_path / "net.pt", trace)).load()
    answer = loaded(images())
    assert answer.logits.dtype == answer.features.dtype == torch.float32
    wanted = reference(conv_net()).logits(images())
    torch.testing.assert_close(answer.logits, wanted, rtol=0.01, atol=0.01)


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
        trusted(path).load()
    changes = {"specification": {**SPECIFICATION, "feature_layer": "answer"}}
    assert trusted(path, **changes).load()(images()).features.shape == (5, 4 * 6 * 6)
