"""The teachers: which network, and in which form its file comes."""

from dataclasses import dataclass
from typing import Literal

from torch import nn

from benchmarks.architectures import networks

Form = Literal["state_dict", "checkpoint", "safetensors", "torchscript", "exported", "onnx"]


@dataclass(frozen=True)
class Teacher:
    """A network that is trained, and the file that it is explained from.

    Attributes:
        name: name of the teacher.
        network: its class, called without arguments.
        form: form of the file.
        title: what the table calls it.
        weights: name of the teacher whose weights it has; its own are trained if None.
    """

    name: str
    network: type[nn.Module]
    form: Form
    title: str
    weights: str | None = None

    @property
    def is_black_box(self) -> bool:
        """Whether its file gives no gradients."""
        return self.form == "onnx"

    @property
    def trained_as(self) -> str:
        """Name of the weights."""
        return self.weights or self.name


TEACHERS = {
    teacher.name: teacher
    for teacher in (
        Teacher("lenet5", networks.LeNet5, "state_dict", "LeNet5"),
        Teacher("vgg", networks.VGG, "safetensors", "VGG"),
        Teacher("resnet", networks.ResNet, "torchscript", "ResNet"),
        Teacher("densenet", networks.DenseNet, "exported", "DenseNet"),
        Teacher("mobilenet", networks.MobileNet, "checkpoint", "MobileNet"),
        Teacher("convnext", networks.ConvNeXt, "exported", "ConvNeXt"),
        Teacher("attention", networks.VisionTransformer, "safetensors", "vision transformer"),
        Teacher("onnx", networks.ResNet, "onnx", "the ResNet as a black box", weights="resnet"),
    )
}
"""All teachers, by name; the last is the trained ResNet without its gradients."""

QUICK = ("lenet5", "onnx")
"""What ``--quick`` runs."""
