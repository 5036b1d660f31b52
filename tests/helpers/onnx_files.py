"""ONNX files as exporters write them."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from helpers.teachers import ConvNet


def onnx_file(
    path: Path,
    network: ConvNet,
    batch: int | str = "N",
    last: str | None = None,
    channels_last: bool = False,
    outputs: tuple[str, ...] = (),
) -> Path:
    """Write the network node by node, as an exporter would, with names of our own."""
    weights = {key: tensor.detach().numpy() for key, tensor in network.state_dict().items()}
    nodes = [
        helper.make_node(
            "Conv",
            ["nchw", "conv.weight", "conv.bias"],
            ["c"],
            "conv",
            strides=[2, 2],
            pads=[1] * 4,
        ),
        helper.make_node(
            "BatchNormalization",
            ["c", "norm.weight", "norm.bias", "norm.running_mean", "norm.running_var"],
            ["b"],
            "norm",
        ),
        helper.make_node("Relu", ["b"], ["r"], "relu"),
        helper.make_node("Flatten", ["r"], ["f"], "flatten"),
        helper.make_node("Gemm", ["f", "head.0.weight", "head.0.bias"], ["h"], "first", transB=1),
        helper.make_node("Relu", ["h"], ["hr"], "second_relu"),
        helper.make_node("Gemm", ["hr", "head.2.weight", "head.2.bias"], ["y"], "head", transB=1),
    ]
    if channels_last:
        nodes.insert(0, helper.make_node("Transpose", ["x"], ["nchw"], perm=[0, 3, 1, 2]))
    else:
        nodes.insert(0, helper.make_node("Identity", ["x"], ["nchw"]))
    if last is not None:
        nodes.append(helper.make_node(last, ["y"], ["z"], "end"))
    shape = [batch, 8, 8, 1] if channels_last else [batch, 1, 8, 8]
    given = outputs or (("y",) if last is None else ("z",))
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch, 3]) for name in given],
        [numpy_helper.from_array(w, k) for k, w in weights.items() if w.dtype == np.float32],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path)
    return path
