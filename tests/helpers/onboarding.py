"""A Kedro project of a user who brings pictures of two colours, and a network that tells them."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from click.testing import CliRunner, Result
from kedro.framework.startup import bootstrap_project
from PIL import Image

from glance_pipeline.cli import cli
from helpers.project import PROJECT

NETWORK = """
import torch
from torch import nn


class ColourNet(nn.Module):
    \"\"\"Green minus red and red minus green of images of 16 × 16.\"\"\"

    def __init__(self, classes=2):
        super().__init__()
        self.linear = nn.Linear(3 * 16 * 16, classes)

    def forward(self, images):
        return self.linear(images.flatten(1))


def ask(images):
    redness = images[:, 0].mean((1, 2)) - images[:, 1].mean((1, 2))
    shares = 1 / (1 + 2.718281828 ** (-8 * redness))
    return __import__("numpy").stack([1 - shares, shares], 1)
"""

COUNT = 60


def weights() -> dict[str, torch.Tensor]:
    """Return weights of ``ColourNet``: the first answer is green, the second red."""
    red, green, blue = (torch.eye(3)[k].repeat_interleave(256) for k in range(3))
    return {
        "linear.weight": torch.stack([green - red, red - green]) / 16 + 0 * blue,
        "linear.bias": torch.zeros(2),
    }


def write_pictures(folder: Path) -> None:
    """Write 30 greenish and 30 reddish pictures of 24 × 20 px into two folders."""
    rng = np.random.default_rng(0)
    for number in range(COUNT):
        colour = number % 2
        picture = rng.integers(0, 90, (20, 24, 3), dtype=np.uint8)
        picture[..., 1 - colour] += 120
        place = folder / ("green", "red")[colour] / f"{number:02}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(place)


def table() -> pd.DataFrame:
    """Return a table of those pictures; ``planet`` is constant."""
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "file": [f"{number:02}.png" for number in range(COUNT)],
            "age": rng.uniform(1, 9, COUNT).round(2),
            "shape": rng.permutation(np.repeat(["round", "long", "flat"], COUNT // 3)),
            "planet": "earth",
        }
    )


@dataclass(frozen=True)
class UsersProject:
    """A project folder with ``conf/base``, pictures, a table, weights and the user's module."""

    root: Path

    @property
    def options(self) -> dict[str, str]:
        """The options that are enough for everything there is."""
        return {
            "--name": "pets",
            "--model": "data/01_raw/pets.pt",
            "--network": "users_net.ColourNet",
            "--images": "data/01_raw/pets",
            "--table": "data/01_raw/pets.csv",
        }

    def init(self, *flags: str, text: str | None = None, **changes: str | None) -> Result:
        """Run ``kedro glance init`` in this process; an option that is None is left out."""
        changed = {"--" + name.replace("_", "-"): value for name, value in changes.items()}
        options = {**self.options, **changed}
        given = [
            part for key, value in options.items() if value is not None for part in (key, value)
        ]
        metadata = bootstrap_project(self.root)
        return CliRunner().invoke(
            cli,
            ["glance", "init", *given, *flags],
            obj=metadata,
            input=text,
            catch_exceptions=False,
        )

    def environments(self) -> list[str]:
        """Return what lies in ``conf``."""
        return sorted(path.name for path in (self.root / "conf").iterdir())


def make_project(root: Path) -> UsersProject:
    """Write the project's files."""
    (root / "src").mkdir(parents=True)
    shutil.copy(PROJECT / "pyproject.toml", root)
    shutil.copytree(PROJECT / "conf" / "base", root / "conf" / "base")
    shutil.copy(PROJECT / "conf" / "logging.yml", root / "conf")
    (root / "src" / "users_net.py").write_text(NETWORK)
    raw = root / "data" / "01_raw"
    write_pictures(raw / "pets")
    table().to_csv(raw / "pets.csv", index=False)
    torch.save(weights(), raw / "pets.pt")
    return UsersProject(root)


def loaded(project: UsersProject, name: str = "pets") -> tuple[dict[str, Any], dict[str, Any]]:
    """Return catalog and parameters of an environment as Kedro reads them."""
    from glance_pipeline.config.reading.conf_files import Configuration, paths_of

    with paths_of(project.root):
        found = Configuration.read(project.root / "conf", name)
    return found.catalog, found.parameters
