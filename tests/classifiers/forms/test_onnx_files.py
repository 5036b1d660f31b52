from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from kedro.io import DatasetError
from onnx import TensorProto, helper, numpy_helper

from helpers.onnx_files import onnx_file
from helpers.teachers import (
    SPECIFICATION,
    assert_same,
    conv_net,
    dataset,
    images,
    reference,
)


@pytest.mark.parametrize(
    "options", [{}, {"batch": 1}, {"batch": 2}, {"channels_last": True}], ids=str
)
def test_an_onnx_file_answers_with_logits_and_features(tmp_path, options):
    network = conv_net()
    loaded = dataset(onnx_file(tmp_path / "mine.onnx", network, **options)).load()
    assert not loaded.differentiable
    assert_same(loaded, reference(network), gradients=False)
    assert loaded(torch.zeros(1, 1, 8, 8)).features.shape == (1, 6)


@pytest.mark.parametrize("kind", [TensorProto.FLOAT16, TensorProto.DOUBLE])
def test_an_onnx_file_of_another_precision_is_asked_and_answers_in_float32(tmp_path, kind):
    numpy_kind = helper.tensor_dtype_to_np_dtype(kind)
    shape = ["N", 1, 8, 8]
    weight = np.linspace(-1, 1, 192).reshape(64, 3)
    nodes = [
        helper.make_node("Flatten", ["x"], ["f"]),
        helper.make_node("MatMul", ["f", "w"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", kind, ["N", 3])],
        [numpy_helper.from_array(weight.astype(numpy_kind), "w")],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), tmp_path / "net.onnx")
    answer = dataset(tmp_path / "net.onnx").load()(images())
    assert answer.logits.dtype == answer.features.dtype == torch.float32
    wanted = ((images() + 1) / 2 - 0.2) / 0.3
    wanted = wanted.flatten(1) @ torch.from_numpy(weight).float()
    torch.testing.assert_close(answer.logits, wanted, rtol=0.01, atol=0.1)


def in_another_file(path: Path, name: str = "net.data") -> Path:
    onnx.save(
        onnx.load(path), path, save_as_external_data=True, location="net.data", size_threshold=0
    )
    if name != "net.data":
        model = onnx.load(path, load_external_data=False)
        for tensor in model.graph.initializer:
            for said in tensor.external_data:
                said.value = name if said.key == "location" else said.value
        path.write_bytes(model.SerializeToString())
    return path


def test_constants_beside_the_file_are_read(tmp_path):
    network = conv_net()
    path = in_another_file(onnx_file(tmp_path / "mine.onnx", network))
    assert_same(dataset(path).load(), reference(network), gradients=False)


@pytest.mark.parametrize("name", ["../net.data", "ABSOLUTE", "link.data"])
def test_constants_outside_its_folder_are_not_read(tmp_path, name):
    (tmp_path / "model").mkdir()
    path = onnx_file(tmp_path / "model/mine.onnx", conv_net())
    other = tmp_path / "net.data"
    name = str(other) if name == "ABSOLUTE" else name
    in_another_file(path, name)
    (tmp_path / "model/net.data").rename(other)
    (tmp_path / "model/link.data").symlink_to(other)
    with pytest.raises(DatasetError, match=rf"file '{name}', which lies outside the model's own"):
        dataset(path).load()
    (tmp_path / "model/link.data").unlink()
    with pytest.raises(DatasetError, match=r"outside the model's own folder|no such file"):
        dataset(path).load()


def test_memory_is_capped_and_the_cap_may_be_raised(tmp_path):
    """A constant of 400 MB that is computed, so that no file is large."""
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("ReduceProd", ["s"], ["p"], keepdims=1),
        helper.make_node("Mul", ["p", "n"], ["m"]),
        helper.make_node("ConstantOfShape", ["m"], ["big"]),
        helper.make_node("ReduceSum", ["big"], ["sum"], keepdims=0),
        helper.make_node("Flatten", ["x"], ["f"]),
        helper.make_node("MatMul", ["f", "w"], ["g"]),
        helper.make_node("Add", ["g", "sum"], ["y"]),
    ]
    known = [
        numpy_helper.from_array(np.array([10**8 // 64], np.int64), "n"),
        numpy_helper.from_array(np.eye(64, 3, dtype=np.float32), "w"),
    ]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 8, 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3])],
        known,
    )
    opset = [helper.make_opsetid("", 17)]
    path = tmp_path / "net.onnx"
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    with pytest.raises(DatasetError, match=r"with at most 0.1 GB of memory \(`most_gb` of the cat"):
        dataset(path, most_gb=0.1).load()
    first = dataset(path, most_gb=1.0).load()
    with pytest.raises(DatasetError, match=r"at most 0.1 GB"):
        dataset(path, most_gb=0.1).load()
    assert first.logits(images()).shape == (5, 3)  # a session keeps the cap that it was made with


def test_it_says_its_own_image_shape(tmp_path):
    told = {k: v for k, v in SPECIFICATION.items() if k != "image_shape"}
    path = onnx_file(tmp_path / "mine.onnx", conv_net(), channels_last=True)
    assert dataset(path, specification=told).load().specification.image_shape == (1, 8, 8)


@pytest.mark.parametrize("layer", ["first", "f"])
def test_the_feature_layer_is_a_node_or_a_tensor(tmp_path, layer):
    network = conv_net()
    path = onnx_file(tmp_path / "mine.onnx", network)
    loaded = dataset(path, specification={**SPECIFICATION, "feature_layer": layer}).load()
    assert_same(loaded, reference(network, feature_layer="head.0"), gradients=False)
    with pytest.raises(DatasetError, match=r"no node or tensor 'last'.*'conv', 'end'|'first'"):
        dataset(path, specification={**SPECIFICATION, "feature_layer": "last"}).load()


def test_a_graph_that_ends_in_a_softmax_gives_probabilities_by_itself(tmp_path):
    network = conv_net()
    path = onnx_file(tmp_path / "mine.onnx", network, last="Softmax")
    loaded = dataset(path).load()
    assert loaded.specification.output == "probabilities"
    found = loaded.logits(images()).softmax(1)
    wanted = reference(network).logits(images()).softmax(1)
    torch.testing.assert_close(found, wanted)
    with pytest.raises(DatasetError, match=r"found 'logits' in the catalog.* says 'probabilities'"):
        dataset(path, specification={**SPECIFICATION, "output": "logits"}).load()


def test_one_of_several_outputs_is_named_by_key(tmp_path):
    network = conv_net()
    path = onnx_file(tmp_path / "mine.onnx", network, last="Softmax", outputs=("z", "y"))
    with pytest.raises(DatasetError, match=r"outputs \['z', 'y'\].*under `key`"):
        dataset(path).load()
    assert_same(dataset(path, key="y").load(), reference(network), gradients=False)


def test_loads_of_one_catalog_entry_share_count_cache_and_cap(tmp_path):
    path = onnx_file(tmp_path / "mine.onnx", conv_net())
    entry = dataset(path, most_queries=10)
    entry.load()  # asks about four images twice, and about one of them alone
    loaded = entry.load()  # knows them
    loaded.logits(torch.zeros(1, 1, 8, 8))
    with pytest.raises(RuntimeError, match=r"mine.onnx: .* most_queries is 10"):
        loaded.logits(torch.ones(1, 1, 8, 8))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "mine.onnx: 0 bytes were found, an empty file"),
        (b"\x08\x09graph that is none", "no complete ONNX file"),
    ],
)
def test_a_file_that_is_none_is_named(tmp_path, content, said):
    (tmp_path / "mine.onnx").write_bytes(content)
    with pytest.raises(DatasetError, match=said):
        dataset(tmp_path / "mine.onnx").load()


def test_a_file_that_was_cut_short_is_named(tmp_path):
    path = onnx_file(tmp_path / "mine.onnx", conv_net())
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(
        DatasetError, match=r"mine.onnx: \d+ bytes were found which are no complete"
    ):
        dataset(path).load()


def test_without_the_extra_the_way_to_it_is_said(tmp_path, monkeypatch):
    from glance_pipeline.classifiers.forms import extras

    def absent(name: str) -> Any:
        raise ImportError(f"No module named {name!r}")

    path = onnx_file(tmp_path / "mine.onnx", conv_net())
    monkeypatch.setattr(extras, "import_module", absent)
    with pytest.raises(DatasetError, match=r'package onnx, .*"glance-pipeline\[onnx\]"'):
        dataset(path).load()


@pytest.mark.parametrize(("given", "width"), [("y", 4), ("z", 64), ("p", 3)])
def test_features_are_those_of_the_layer_that_answers(tmp_path, given, width):
    """With an auxiliary layer listed last; with a convolution for a head; with one that is pooled.

    The last has no features: its logits take their place.
    """
    rng = np.random.default_rng(0)
    shapes = {
        "body": (64, 4),
        "head": (4, 3),
        "bias": (3,),
        "more": (64, 3),
        "kernel": (3, 1, 8, 8),
    }
    weights = [
        numpy_helper.from_array(rng.normal(size=shape).astype(np.float32), name)
        for name, shape in shapes.items()
    ]
    nodes = [
        helper.make_node("Flatten", ["x"], ["f"]),
        helper.make_node("MatMul", ["f", "body"], ["b"]),
        helper.make_node("MatMul", ["b", "head"], ["h"]),
        helper.make_node("Add", ["h", "bias"], ["y"]),
        helper.make_node("MatMul", ["f", "more"], ["auxiliary"]),
        helper.make_node("Conv", ["x", "kernel"], ["c"]),
        helper.make_node("Flatten", ["c"], ["z"]),
        helper.make_node("GlobalAveragePool", ["c"], ["g"]),
        helper.make_node("Flatten", ["g"], ["p"]),
    ]
    taken = ["N", 1, 8, 8]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, taken)],
        [helper.make_tensor_value_info(given, TensorProto.FLOAT, ["N", 3])],
        weights,
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), tmp_path / "m.onnx")
    assert dataset(tmp_path / "m.onnx").load()(images()).features.shape == (5, width)
