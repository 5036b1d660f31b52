import gzip
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from kedro.io import DataCatalog, DatasetError
from PIL import Image
from torch import nn

from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.classifiers.forms.described import DescribedNetwork

SHARED = Path(__file__).parents[4] / "shared/data"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data is not here")

ENTRIES = """
lenet:
  type: glance_pipeline.datasets.ClassifierDataset
  filepath: {shared}/classifiers/mnist_lenet5_clntrained.pt
  network: glance_pipeline.classifiers.forms.described.DescribedNetwork
  arguments:
    layers:
      conv1: Conv2d(1, 32, 3, padding=1)
      relu1: ReLU()
      pool1: MaxPool2d(2)
      conv2: Conv2d(32, 64, 3, padding=1)
      relu2: ReLU()
      pool2: MaxPool2d(2)
      flat: Flatten()
      linear1: Linear(3136, 200)
      relu3: ReLU()
      linear2: Linear(200, 10)
  specification:
    image_shape: [1, 32, 32] # digits on a black margin
    input_size: [28, 28]
    fit: crop
    class_names: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]

smiling:
  type: glance_pipeline.datasets.ClassifierDataset
  filepath: {shared}/classifiers/Smiling_classifier-epoch=23.ckpt
  key: state_dict
  network: glance_pipeline.classifiers.forms.described.DescribedNetwork
  arguments:
    layers:
      cnn.0: Conv2d(3, 16, 3, padding=1)
      cnn.1: BatchNorm2d(16)
      cnn.2: ReLU()
      cnn.3: Conv2d(16, 32, 3, stride=2, padding=1)
      cnn.4: BatchNorm2d(32)
      cnn.5: ReLU()
      cnn.6: Conv2d(32, 32, 3, padding=1)
      cnn.7: BatchNorm2d(32)
      cnn.8: ReLU()
      cnn.9: Conv2d(32, 64, 3, stride=2, padding=1)
      cnn.10: BatchNorm2d(64)
      cnn.11: ReLU()
      cnn.12: Conv2d(64, 64, 3, padding=1)
      cnn.13: BatchNorm2d(64)
      cnn.14: ReLU()
      cnn.15: Conv2d(64, 128, 3, stride=2, padding=1)
      cnn.16: BatchNorm2d(128)
      cnn.17: ReLU()
      mean: AdaptiveAvgPool2d(1)
      flat: Flatten()
      fc.0: Linear(128, 128)
      fc.1: BatchNorm1d(128)
      fc.2: ReLU()
      fc.3: Linear(128, 1)
  specification:
    image_shape: [3, 64, 64]
    output: sigmoid
    class_names: [not smiling, smiling]
"""


def load(name: str) -> Classifier:
    return DataCatalog.from_config(yaml.safe_load(ENTRIES.format(shared=SHARED))).load(name)


def accuracy(teacher: Classifier, pictures: np.ndarray, labels: np.ndarray) -> float:
    return float((teacher.answers(pictures).logits.argmax(1).numpy() == labels).mean())


def test_a_description_makes_the_network_it_says():
    torch.manual_seed(0)
    described = DescribedNetwork(
        {
            "body.0": "Conv2d(1, 2, kernel_size=(3, 3), stride=2, bias=False)",
            "body.1": "BatchNorm2d(2)",
            "act": "LeakyReLU(0.2)",
            "flat": "Flatten()",
            "head": "Linear(18, 3)",
        }
    ).eval()
    body = nn.Sequential(nn.Conv2d(1, 2, 3, stride=2, bias=False), nn.BatchNorm2d(2))
    head = nn.Linear(18, 3)
    body.load_state_dict({k[5:]: v for k, v in described.state_dict().items() if "body" in k})
    head.load_state_dict({k[5:]: v for k, v in described.state_dict().items() if "head" in k})
    images = torch.rand(4, 1, 8, 8)
    seen = nn.functional.leaky_relu(body.eval()(images), 0.2)
    torch.testing.assert_close(described(images), head(seen.flatten(1)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Conv3000(1)", "torch.nn has no layer 'Conv3000'"),
        ("init(1)", "torch.nn has no layer 'init'"),
        ("Linear(2)", "missing 1 required positional argument"),
        ("Linear(2, open('x'))", "malformed node"),
        ("torch.nn.Linear(1, 2)", "no call of a layer"),
        ("Linear(", "never closed"),
        ("ReLU", "no call of a layer"),
    ],
)
def test_what_is_no_layer_is_named(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=rf"layers: head: found .*wanted a layer.*{said}"):
        DescribedNetwork({"head": text})


def test_a_bad_description_is_said_by_the_catalog(tmp_path: Path) -> None:
    entry: dict[str, Any] = yaml.safe_load(ENTRIES.format(shared=tmp_path))["lenet"]
    entry["arguments"]["layers"]["linear2"] = "Linear(200, )"
    (tmp_path / "classifiers").mkdir()
    torch.save({"conv1.bias": torch.zeros(32)}, entry["filepath"])
    with pytest.raises(DatasetError, match="layers: linear2: found 'Linear"):
        DataCatalog.from_config({"lenet": entry}).load("lenet")


@needs_shared
def test_a_digit_classifier_of_others_has_the_accuracy_its_source_states() -> None:
    with gzip.open(SHARED / "mnist/t10k-images-idx3-ubyte.gz") as file:
        digits = np.frombuffer(file.read()[16:], np.uint8).reshape(-1, 1, 28, 28)[:2000]
    with gzip.open(SHARED / "mnist/t10k-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read()[8:], np.uint8)[:2000]
    padded = np.pad(digits, ((0, 0), (0, 0), (2, 2), (2, 2)))
    # 98.89 % of all 10,000; the first 2,000 are within three standard errors of that.
    assert accuracy(load("lenet"), padded, labels) == pytest.approx(0.9889, abs=0.007)


@needs_shared
def test_a_smile_classifier_of_others_has_the_accuracy_its_source_states() -> None:
    table = pd.read_csv(SHARED / "celeba10k/list_attr_celeba_10k.csv")[:500]
    with zipfile.ZipFile(SHARED / "celeba10k/celeba_10k_89x109.zip") as archive:
        faces = [Image.open(io.BytesIO(archive.read(name))) for name in table["image"]]
        # The middle 75 × 75 of 89 × 109, at 64 px.
        small = [
            face.crop((7, 17, 82, 92)).resize((64, 64), Image.Resampling.BILINEAR) for face in faces
        ]
    pictures = np.stack([np.asarray(face) for face in small]).transpose(0, 3, 1, 2)
    labels = (table["Smiling"].to_numpy() + 1) // 2
    # 93.8 % of all 10,000, three standard errors of 500.
    assert accuracy(load("smiling"), pictures, labels) == pytest.approx(0.938, abs=0.033)
