import json
import logging
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from kedro.io import DatasetError
from torch import Tensor

from helpers.teachers import dataset

LABELS = {0: "cat", 1: "dog", 2: "bird"}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny ResNet with labels, as ``save_pretrained`` writes it."""
    from transformers import ResNetConfig, ResNetForImageClassification

    torch.manual_seed(0)
    config = ResNetConfig(
        num_channels=3,
        embedding_size=4,
        hidden_sizes=[4, 8],
        depths=[1, 1],
        layer_type="basic",
        id2label=LABELS,
        label2id={name: number for number, name in LABELS.items()},
    )
    folder = tmp_path_factory.mktemp("models") / "resnet"
    ResNetForImageClassification(config).eval().save_pretrained(folder)
    return folder


@pytest.fixture
def folder(saved: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "resnet"
    shutil.copytree(saved, copy)
    processor = {
        "do_resize": True,
        "size": {"height": 16, "width": 16},
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": [0.5, 0.4, 0.3],
        "image_std": [0.2, 0.3, 0.4],
    }
    (copy / "preprocessor_config.json").write_text(json.dumps(processor))
    return copy


def processor_with(folder: Path, **changes: Any) -> None:
    path = folder / "preprocessor_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def by_hand(folder: Path, images: Tensor, mean: list[float], std: list[float]) -> Tensor:
    from transformers import AutoModelForImageClassification

    model = AutoModelForImageClassification.from_pretrained(folder)
    pixels = ((images + 1) / 2 - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
    with torch.no_grad():
        return model(pixel_values=pixels).logits


def test_everything_comes_from_the_folder(folder, capfd):
    loaded = dataset(folder, specification=None).load()
    assert loaded.class_names == ("cat", "dog", "bird")
    assert loaded.specification.image_shape == (3, 16, 16)
    images = torch.rand(4, 3, 16, 16) * 2 - 1
    answer = loaded(images)
    assert capfd.readouterr() == ("", "")
    wanted = by_hand(folder, images, [0.5, 0.4, 0.3], [0.2, 0.3, 0.4])
    torch.testing.assert_close(answer.logits, wanted)
    assert answer.features.shape == (4, 8)
    seen = images.requires_grad_(True)
    assert torch.autograd.grad(loaded.logits(seen).sum(), seen)[0].abs().sum() > 0


def test_images_of_another_size_are_resized_as_the_processor_does(folder):
    loaded = dataset(folder, specification={"image_shape": [3, 32, 32]}).load()
    images = torch.rand(2, 3, 16, 16) * 2 - 1
    doubled = images.repeat_interleave(2, 2).repeat_interleave(2, 3)
    found = loaded.logits(doubled)
    small = torch.nn.functional.interpolate(
        doubled, (16, 16), mode="bilinear", antialias=True, align_corners=False
    )
    torch.testing.assert_close(found, by_hand(folder, small, [0.5, 0.4, 0.3], [0.2, 0.3, 0.4]))


@pytest.mark.parametrize(
    ("changes", "mean", "std"),
    [
        ({"do_normalize": False}, (0.0,), (1.0,)),
        ({"do_rescale": False, "do_normalize": False}, (0.0,), (1 / 255,)),
        ({"rescale_factor": 1 / 127.5}, (0.25, 0.2, 0.15), (0.1, 0.15, 0.2)),
    ],
)
def test_rescaling_and_normalisation_are_read_together(folder, changes, mean, std):
    processor_with(folder, **changes)
    found = dataset(folder, specification=None).load().specification
    assert found.mean == pytest.approx(mean)
    assert found.std == pytest.approx(std)


def test_a_crop_is_the_size(folder):
    processor_with(
        folder,
        size={"shortest_edge": 20},
        do_center_crop=True,
        crop_size={"height": 16, "width": 16},
    )
    assert dataset(folder, specification=None).load().specification.image_shape == (3, 16, 16)


def test_a_conflict_with_the_folder_names_both(folder):
    for told, said in (
        ({"class_names": ["a", "b", "c"]}, r"class_names: found \['a', .*says \['cat', 'dog'"),
        ({"mean": [0.5]}, r"mean: found \[0.5\] in the catalog.*says \[0.5, 0.4, 0.3\]"),
    ):
        with pytest.raises(DatasetError, match=said):
            dataset(folder, specification=told).load()


def test_labels_that_transformers_made_up_are_none(folder):
    config = json.loads((folder / "config.json").read_text())
    config["id2label"] = {str(k): f"LABEL_{k}" for k in range(3)}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(DatasetError, match="does not say its class_names"):
        dataset(folder, specification=None).load()
    told = {"class_names": ["a", "b", "c"]}
    assert dataset(folder, specification=told).load().class_names == ("a", "b", "c")


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_half_precision_runs_in_float32(folder, tmp_path, caplog, kind):
    from transformers import AutoModelForImageClassification

    caplog.set_level(logging.INFO)
    half = AutoModelForImageClassification.from_pretrained(folder).to(kind)
    half.save_pretrained(tmp_path / "half")
    shutil.copy(folder / "preprocessor_config.json", tmp_path / "half")
    assert json.loads((tmp_path / "half/config.json").read_text())["dtype"] in str(kind)
    loaded = dataset(tmp_path / "half", specification=None).load()
    images = torch.rand(4, 3, 16, 16) * 2 - 1
    half.float().save_pretrained(tmp_path / "full")
    wanted = by_hand(tmp_path / "full", images, [0.5, 0.4, 0.3], [0.2, 0.3, 0.4])
    torch.testing.assert_close(loaded.logits(images), wanted)
    name = str(kind).removeprefix("torch.")
    assert f"its weights are {name}; it runs in float32" in caplog.text


def test_shards_and_links_of_a_hubs_cache_are_read(folder, tmp_path):
    from transformers import AutoModelForImageClassification

    snapshot, blobs = tmp_path / "hub/snapshots/1", tmp_path / "hub/blobs"
    blobs.mkdir(parents=True)
    model = AutoModelForImageClassification.from_pretrained(folder)
    model.save_pretrained(snapshot, max_shard_size="2KB")
    shutil.copy(folder / "preprocessor_config.json", snapshot)
    assert len(list(snapshot.glob("*.safetensors"))) > 1
    for file in list(snapshot.iterdir()):
        file.rename(blobs / file.name)
        file.symlink_to(Path("../../blobs") / file.name)
    images = torch.rand(4, 3, 16, 16) * 2 - 1
    found = dataset(snapshot, specification=None).load().logits(images)
    torch.testing.assert_close(found, dataset(folder, specification=None).load().logits(images))


@pytest.mark.parametrize(
    "place", ["../other.safetensors", "/other.safetensors", "link.safetensors"]
)
def test_shards_outside_the_folder_are_not_read(folder, place):
    weights = (folder / "model.safetensors").rename(folder.parent / "other.safetensors")
    (folder / "link.safetensors").symlink_to(weights)
    name = place if place[0] != "/" else str(weights)
    index = {"metadata": {}, "weight_map": {"x": name}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(DatasetError, match=rf"file '{name}', which lies outside the model's own"):
        dataset(folder).load()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"quantization_config": {"quant_method": "gptq"}}, "quantised weights would be read"),
        ({"attn_implementation": "someone/kernel"}, "'eager' or 'sdpa' was wanted"),
        ({"inner": [{"transformers_weights": "x.safetensors"}]}, "transformers_weights: found 'x"),
        ({"architecture": "hf-hub:someone/net"}, "which timm would fetch"),
        ({"hidden_sizes": [4, 10**9]}, r"hidden_sizes: found 1000000000; numbers up to 100,000"),
        ({"hidden_sizes": [4, 10**5]}, r"it would have more than .* weights"),
        ({"depths": [1, 10**5]}, r"it would have more than .* layers"),
        ({"hidden_sizes": [4, 9]}, "weights do not fit ResNetFor.*mismatched"),
    ],
)
def test_a_folder_that_wants_more_than_it_holds_is_refused(folder, changes, said):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(DatasetError, match=said):
        dataset(folder, specification=None).load()


def test_classes_may_have_the_names_of_keys(folder):
    config = json.loads((folder / "config.json").read_text())
    names = ["pretrained", "checkpoint_path", "architecture"]
    config["id2label"] = dict(enumerate(names))
    config["label2id"] = {name: number for number, name in enumerate(names)}
    (folder / "config.json").write_text(json.dumps(config))
    assert dataset(folder, specification=None).load().class_names == tuple(names)


def test_pickled_weights_are_refused(folder):
    weights = folder / "model.safetensors"
    weights.rename(folder / "pytorch_model.bin")
    with pytest.raises(DatasetError, match=r"no .safetensors .*pickled weights are not read"):
        dataset(folder).load()


def test_weights_that_do_not_fit_are_refused(folder, capfd):
    from safetensors.torch import load_file, save_file

    path = folder / "model.safetensors"
    tensors = load_file(path)
    removed = next(name for name in tensors if "classifier" in name and "weight" in name)
    save_file({k: v for k, v in tensors.items() if k != removed}, path, {"format": "pt"})
    with pytest.raises(DatasetError, match=rf"do not fit .*missing.*{removed}"):
        dataset(folder, specification=None).load()
    assert capfd.readouterr() == ("", "")


def test_a_folder_of_something_else_is_named(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model/readme.txt").write_text("nothing")
    with pytest.raises(DatasetError, match=r"without config.json, it holds \['readme.txt'\]"):
        dataset(tmp_path / "model").load()


def test_names_that_come_twice_get_their_number(folder):
    config = json.loads((folder / "config.json").read_text())
    config["id2label"] = {"0": "crane", "1": "dog", "2": "crane"}
    config["label2id"] = {"crane": 2, "dog": 1}
    (folder / "config.json").write_text(json.dumps(config))
    assert dataset(folder, specification=None).load().class_names == ("crane", "dog", "crane (2)")


def test_what_a_processor_does_to_colours_is_done(folder):
    images = torch.rand(2, 3, 16, 16) * 2 - 1
    processor_with(folder, do_flip_channel_order=True, do_normalize=False)
    found = dataset(folder, specification=None).load()
    wanted = by_hand(folder, images.flip(1), [0.0] * 3, [1.0] * 3)
    assert torch.allclose(found.logits(images), wanted, atol=1e-5)
    # EfficientNet's divides by the deviation twice.
    processor_with(
        folder,
        do_flip_channel_order=False,
        do_normalize=True,
        image_processor_type="EfficientNetImageProcessor",
        image_std=[0.5, 0.4, 0.3],
    )
    found = dataset(folder, specification=None).load()
    wanted = by_hand(folder, images, [0.5, 0.4, 0.3], [0.25, 0.16, 0.09])
    assert torch.allclose(found.logits(images), wanted, atol=1e-5)
    processor_with(folder, image_mean=0.5, image_std=0.25, image_processor_type="Other")
    assert dataset(folder, specification=None).load().specification.mean == (0.5,)
    processor_with(folder, rescale_offset=True)
    with pytest.raises(DatasetError, match="rescale_offset is not understood"):
        dataset(folder, specification=None).load()


def test_a_margin_that_a_processor_cuts_off_is_spoken_of(folder, caplog):
    with caplog.at_level("INFO", "glance_pipeline"):
        changes = {"size": {"shortest_edge": 18}, "do_center_crop": True}
        processor_with(folder, **changes, crop_size={"height": 16, "width": 16})
        dataset(folder, specification=None).load()
    assert "resizes images to 18 px and cuts out the middle 16" in caplog.text


def test_a_folder_of_timm_says_what_its_images_are(tmp_path):
    """As timm's ``save_for_hf`` writes it: weights and a configuration, no processor."""
    timm = pytest.importorskip("timm")
    torch.manual_seed(0)
    model = timm.create_model("test_resnet", num_classes=3).eval()
    timm.models.save_for_hf(
        model,
        tmp_path / "net",
        model_config={"label_names": list(LABELS.values())},
        safe_serialization=True,
    )
    config = json.loads((tmp_path / "net/config.json").read_text())
    config.pop("model_args", None)  # newer ones repeat num_classes, which transformers stumbles on
    (tmp_path / "net/config.json").write_text(json.dumps(config))
    loaded = dataset(tmp_path / "net", specification={"image_shape": [3, 64, 64]}).load()
    said = model.pretrained_cfg
    assert loaded.class_names == ("cat", "dog", "bird")
    assert loaded.specification.network_shape == tuple(said["input_size"])
    assert loaded.specification.mean == tuple(said["mean"])
    assert loaded.specification.std == tuple(said["std"])
    images = torch.rand(2, 3, 64, 64) * 2 - 1
    torch.testing.assert_close(loaded.logits(images), model(loaded.entrance(images)))
