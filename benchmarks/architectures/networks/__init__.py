"""The teachers' networks, written out small: grey images (N, 1, 32, 32) to logits (N, 2).

Each keeps what makes its architecture what it is; widths and depths are cut until it learns the
digits in some tens of seconds on one core. torchvision and timm, which hold their large kin, are
not needed.
"""

from benchmarks.architectures.networks.attention import VisionTransformer
from benchmarks.architectures.networks.plain import VGG, LeNet5
from benchmarks.architectures.networks.separable import ConvNeXt, MobileNet
from benchmarks.architectures.networks.skipping import DenseNet, ResNet

__all__ = ["VGG", "ConvNeXt", "DenseNet", "LeNet5", "MobileNet", "ResNet", "VisionTransformer"]
