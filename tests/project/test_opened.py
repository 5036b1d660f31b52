"""A project that is only read, with modules of its user's own."""

import sys
from pathlib import Path

import pytest

from glance_pipeline.project.opened import OpenedProject

CATALOG = """
classifier:
  type: glance_pipeline.datasets.ClassifierDataset
  network: {module}.answer
  trust: true
  specification: {{image_shape: [1, 8, 8], class_names: [dark, bright]}}
"""
TEACHER = """
import numpy as np

def answer(images):
    bright = images.mean((1, 2, 3))
    return np.stack([-bright, bright], 1)
"""


@pytest.mark.parametrize(
    ("stated", "folder"),
    [("", "src"), ('source_dir = "."\n', "."), ('source_dir = "own"\n', "own")],
)
def test_modules_are_found_where_kedro_finds_them(tmp_path: Path, stated: str, folder: str):
    module = f"teacher_in_{folder.replace('.', 'root')}"
    (tmp_path / "conf" / "base").mkdir(parents=True)
    (tmp_path / "conf" / "base" / "catalog.yml").write_text(CATALOG.format(module=module))
    (tmp_path / "conf" / "base" / "parameters.yml").write_text("seed: 0\n")
    names = 'package_name = "p"\nproject_name = "p"\nkedro_init_version = "1.0.0"\n'
    (tmp_path / "pyproject.toml").write_text(f"[tool.kedro]\n{names}{stated}")
    (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / folder / f"{module}.py").write_text(TEACHER)
    before = list(sys.path)
    found = OpenedProject.open(tmp_path, "base").load("classifier", pipelines={})
    assert found["classifier"].class_names == ("dark", "bright")
    assert sys.path == before
