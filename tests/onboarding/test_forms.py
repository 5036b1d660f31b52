"""Forms of models that say themselves what they take, and forms of images."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from helpers.onboarding import UsersProject, loaded, table, weights

RAW = Path("data/01_raw")
SPECIFICATION: dict[str, Any] = {
    "image_shape": [3, 16, 16],
    "class_names": ["green", "red"],
    "mean": [0.0],
    "std": [1.0],
}
"""Of files that say neither names nor normalisation: both are written, whatever they are."""


def colour_net() -> nn.Module:
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 2))
    network.load_state_dict({name.replace("linear", "1"): t for name, t in weights().items()})
    return network.eval()


def test_an_exported_program_says_its_size(users: UsersProject) -> None:
    free = ({0: torch.export.Dim("batch")},)
    program = torch.export.export(colour_net(), (torch.zeros(2, 3, 16, 16),), dynamic_shapes=free)
    torch.export.save(program, RAW / "pets.pt2")
    result = users.init("--no-timing", "--trust", model=str(RAW / "pets.pt2"), network=None)
    assert result.exit_code == 0, result.output
    assert "input       3 × 16 × 16 (said by its file)" in result.output
    assert "accuracy  100.0 %" in result.output and "Gradients: yes" in result.output
    told = loaded(users)[0]["classifier"]["specification"]
    assert told == SPECIFICATION


@pytest.mark.parametrize(
    ("ranges", "how"),
    [("", "not known, and not tried"), ("Normalized_1_1", "mean 0.5; std 0.5, of [0, 1] (said by")],
)
def test_an_onnx_file_is_a_black_box_with_features(
    users: UsersProject, ranges: str, how: str
) -> None:
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    nodes = [
        helper.make_node("Flatten", ["x"], ["f"]),
        helper.make_node("Gemm", ["f", "w", "b"], ["z"], transB=1),
        helper.make_node("Softmax", ["z"], ["y"]),
    ]
    known = [
        onnx.numpy_helper.from_array(weights()["linear.weight"].numpy(), "w"),
        onnx.numpy_helper.from_array(np.zeros(2, np.float32), "b"),
    ]
    shapes = [("x", ["N", 3, 16, 16]), ("y", ["N", 2])]
    given, answer = (helper.make_tensor_value_info(name, kind, shape) for name, shape in shapes)
    graph = helper.make_graph(nodes, "pets", [given], [answer], known)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    if ranges:
        onnx.helper.set_model_props(model, {"Image.NominalPixelRange": ranges})
    onnx.save(model, RAW / "pets.onnx")
    result = users.init(
        "--no-timing", model=str(RAW / "pets.onnx"), network=None, most_queries="1000"
    )
    assert result.exit_code == 0, result.output
    assert "features    768, the input of the layer that answers" in result.output
    assert "most_queries is 1,000: the run will stop there" in result.output
    assert how in result.output, result.output
    entry = loaded(users)[0]["classifier"]
    assert entry["most_queries"] == 1000
    unsaid = {key for key in SPECIFICATION if not ranges or key not in ("mean", "std")}
    assert entry["specification"] == {key: SPECIFICATION[key] for key in unsaid}


def test_a_transformers_folder_of_another_size_keeps_its_names(users: UsersProject) -> None:
    transformers = pytest.importorskip("transformers")
    config = transformers.ResNetConfig(
        embedding_size=4,
        hidden_sizes=[4],
        depths=[1],
        layer_type="basic",
        id2label={0: "red", 1: "green"},
    )
    folder = RAW / "resnet"
    network = transformers.ResNetForImageClassification(config).eval()
    with torch.no_grad():  # plainly no probabilities, whatever the weights are drawn as
        network.classifier[-1].bias.copy_(torch.tensor([-20.0, 20.0]))
    network.save_pretrained(folder)
    processor = {
        "size": {"height": 28, "width": 28},
        "image_mean": [0.5] * 3,
        "image_std": [0.2] * 3,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    result = users.init("--no-timing", model=str(folder), network=None)
    assert result.exit_code == 0, result.output
    assert "input       3 × 28 × 28 (said by its file)" in result.output
    assert "images      3 × 32 × 32, brought to the input by fit: resize" in result.output
    assert "classes     red, green (said by its file)" in result.output
    catalog, parameters = loaded(users)
    assert catalog["classifier"]["specification"] == {"image_shape": [3, 32, 32]}
    assert parameters["ingest"]["class_names"] is None  # the folders are the classes' names


def test_grey_images_reach_a_network_of_three_channels(users: UsersProject) -> None:
    rng = np.random.default_rng(0)
    np.save(RAW / "grey.npy", rng.integers(0, 256, (60, 20, 20), dtype=np.uint8))
    np.save(RAW / "labels.npy", np.arange(60) % 2)
    frame = table().drop(columns="file")
    frame.assign(partition=np.repeat([0, 1, 2], 20)).to_csv(RAW / "grey.csv", index=False)
    result = users.init(
        "--no-timing",
        images=str(RAW / "grey.npy"),
        table=str(RAW / "grey.csv"),
        label_file=str(RAW / "labels.npy"),
        class_names="dark,light",
        mean="0",
        std="1",
    )
    assert result.exit_code == 0, result.output
    assert "1 × 16 × 16, brought to the input by colour: rgb" in result.output
    assert "train 20, validation 20, test 20 (as partition says)" in result.output
    catalog, parameters = loaded(users)
    assert catalog["classifier"]["specification"]["colour"] == "rgb"
    ingest = parameters["ingest"]
    assert ingest["label_file"] == "data/01_raw/labels.npy" and ingest["channels"] == 1
    assert ingest["class_names"] == ["dark", "light"]
    assert ingest["split_column"] == "partition"


def test_a_black_box_is_asked_while_steps_are_timed_until_its_cap(users: UsersProject) -> None:
    result = users.init(
        "--trust", model="users_net:ask", network=None, size="16", most_queries="200"
    )
    assert result.exit_code == 0, result.output
    assert "not known, no steps could be timed: " in result.output
    assert "most_queries is 200" in result.output
