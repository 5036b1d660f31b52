"""Whatever bytes a file of data holds, it is read or refused in one line, and nothing else happens.

``GLANCE_FUZZ_EXAMPLES=5000`` tries new ones, longer.
"""

import json
import shutil
import struct
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save

from glance_pipeline.classifiers.forms.described import DescribedNetwork
from glance_pipeline.datasets.classifier_dataset import UnusableClassifierError
from helpers.fuzzing import (
    MUTATIONS,
    VALUES,
    in_a_process,
    mutated,
    one_example,
    replaced,
    settings_for,
)
from helpers.onnx_files import onnx_file
from helpers.teachers import conv_net, dataset

NAMED = {"network": "helpers.teachers.ConvNet"}
WHERE = st.floats(0, 1, exclude_max=True)


def read(path: Path, **changes: Any) -> None:
    """Read a file; only the documented error may come, in one line."""
    one_example()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset(path, **{**NAMED, **changes}).load()
    except UnusableClassifierError as error:
        assert "\n" not in str(error) and len(str(error)) < 1100


def sound_file(form: str, folder: Path) -> Path:
    path = folder / f"net.{form.partition(' ')[0]}"
    content: Any = conv_net().state_dict()
    if form == "safetensors":
        entry = {"format": 1, "project": "0", "network": NAMED["network"], "header": {}}
        path.write_bytes(save(content, {"glance_pipeline": json.dumps(entry)}))
    elif form == "onnx":
        onnx_file(path, conv_net())
    else:
        content = {"state_dict": content, "epoch": 3} if "checkpoint" in form else content
        torch.save(content, path, _use_new_zipfile_serialization="older" not in form)
    return path


@pytest.mark.parametrize("form", ["safetensors", "pt", "pt older", "pt checkpoint", "onnx"])
def test_files_with_damaged_bytes(tmp_path, form):
    content = sound_file(form, tmp_path).read_bytes()
    path = tmp_path / f"damaged.{form.partition(' ')[0]}"

    @settings_for(80)
    @given(MUTATIONS)
    def fuzz(mutations):
        path.write_bytes(mutated(content, mutations))
        read(path)

    in_a_process(fuzz, tmp_path)


def test_safetensors_with_other_headers(tmp_path):
    content = sound_file("safetensors", tmp_path).read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    header, data = content[8 : 8 + length], content[8 + length :]
    path = tmp_path / "damaged.safetensors"

    @settings_for(80)
    @given(WHERE, VALUES, st.booleans())
    def fuzz(where, value, in_entry):
        said = json.loads(header)
        if in_entry:
            entry = json.loads(said["__metadata__"]["glance_pipeline"])
            specification = {"image_shape": [1, 8, 8], "class_names": ["a", "b", "c"]}
            entry["header"] = {"specification": specification, "arguments": {"classes": 3}}
            said["__metadata__"]["glance_pipeline"] = json.dumps(replaced(entry, where, value))
        else:
            said = replaced(said, where, value)
        text = json.dumps(said).encode()
        path.write_bytes(struct.pack("<Q", len(text)) + text + data)
        read(path)

    in_a_process(fuzz, tmp_path)


def test_onnx_graphs_with_other_numbers_and_names(tmp_path):
    """Damaged bytes seldom are a graph; this one is, with other strides, shapes and wires."""
    import onnx

    content = sound_file("onnx", tmp_path).read_bytes()
    path = tmp_path / "damaged.onnx"
    numbers = st.sampled_from([0, -1, 1, 2, 3, 7, 10**4, 2**31, 2**62, -(2**62)])

    @settings_for(80)
    @given(st.lists(st.tuples(WHERE, numbers, WHERE), min_size=1, max_size=3))
    def fuzz(changes):
        model = onnx.load_from_string(content)
        for where, number, name in changes:
            change_a_place(model.graph, where, number, name)
        path.write_bytes(model.SerializeToString())
        read(path)

    in_a_process(fuzz, tmp_path)


def change_a_place(graph: Any, where: float, number: int, name: float) -> None:
    """Change one of all numbers and names in a graph."""
    names = sorted({tensor for node in graph.node for tensor in (*node.input, *node.output)})
    kinds = ["Conv", "Gemm", "Reshape", "Expand", "Tile", "Softmax", "Flatten", "Identity", "Pad"]
    places = []
    for node in graph.node:
        places += [(node.input, number) for number in range(len(node.input))]
        places += [(node, "op_type"), *((each, "i") for each in node.attribute if each.i)]  # type: ignore[list-item]
        for each in node.attribute:
            places += [(each.ints, index) for index in range(len(each.ints))]
    for value in (*graph.input, *graph.output):
        places += [(dim, "dim_value") for dim in value.type.tensor_type.shape.dim]  # type: ignore[misc]
    for tensor in graph.initializer:
        places += [(tensor.dims, index) for index in range(len(tensor.dims))]
        places.append((tensor, "data_type"))
    holder, key = places[int(where * len(places))]
    if key == "op_type":  # type: ignore[comparison-overlap]
        holder.op_type = kinds[int(name * len(kinds))]
    elif key == "data_type":  # type: ignore[comparison-overlap]
        holder.data_type = abs(number) % 25
    elif isinstance(key, str):
        setattr(holder, key, number)
    elif isinstance(holder[key], str):
        holder[key] = names[int(name * len(names))]
    else:
        holder[key] = number


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json"])
def test_folders_of_transformers_with_other_json(tmp_path, name):
    from transformers import ViTConfig, ViTForImageClassification

    small = ViTConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8,
        image_size=16, patch_size=8, id2label={0: "a", 1: "b"}, label2id={"a": 0, "b": 1},
    )  # fmt: skip
    folder = tmp_path / "net"
    ViTForImageClassification(small).save_pretrained(folder)
    processor = {
        "image_processor_type": "ViTImageProcessor",
        "do_resize": True,
        "size": {"height": 16, "width": 16},
        "rescale_factor": 1 / 255,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    sound = (folder / name).read_text()

    @settings_for(15)
    @given(WHERE, VALUES)
    def fuzz(where, value):
        (folder / name).write_text(json.dumps(replaced(json.loads(sound), where, value)))
        read(folder, specification=None)

    in_a_process(fuzz, tmp_path)


def test_indices_of_shards_with_other_json(tmp_path):
    from transformers import ResNetConfig, ResNetForImageClassification

    folder = tmp_path / "net"
    small = ResNetConfig(embedding_size=4, hidden_sizes=[4], depths=[1], layer_type="basic")
    ResNetForImageClassification(small).save_pretrained(folder, max_shard_size="1KB")
    index = folder / "model.safetensors.index.json"
    sound = index.read_text()

    @settings_for(15)
    @given(WHERE, VALUES)
    def fuzz(where, value):
        index.write_text(json.dumps(replaced(json.loads(sound), where, value)))
        read(folder, specification={"image_shape": [3, 8, 8]})

    in_a_process(fuzz, tmp_path)
    shutil.rmtree(folder)


@pytest.mark.parametrize("text", ["Conv2d(1, 32, 3, padding=1)", "Linear(16, bias=False)"])
def test_descriptions_of_layers(tmp_path, text):
    @settings_for(150)
    @given(MUTATIONS | st.text(max_size=20))
    def fuzz(change):
        one_example()
        changed = change
        if not isinstance(change, str):
            changed = mutated(text.encode(), change).decode("utf-8", "replace")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                DescribedNetwork({"layer": changed})
        except ValueError as error:
            assert str(error).startswith("layers: layer: found ")

    in_a_process(fuzz, tmp_path)
