"""Parameters with which ``Explainer.fit`` takes seconds."""

from typing import Any

import yaml

from glance_pipeline.fitting.chain import STAGES
from glance_pipeline.fitting.fit_parameters import merged
from helpers.project import PROJECT


def short_parameters(size: int = 32) -> dict[str, Any]:
    """Return those of ``conf/test``, with which the finished project was trained at 32 px."""
    units = yaml.safe_load((PROJECT / "conf/base/parameters_align.yml").read_text())["align"]
    found: dict[str, Any] = {
        "align": {"units": units["units"]},
        "compute": {"threads": 1, "workers": 1},
    }
    for name in (*STAGES, "explain"):
        file = PROJECT / f"conf/test/parameters_{name}.yml"
        if file.is_file():
            found = merged(found, yaml.safe_load(file.read_text(encoding="utf-8")))
    if size == 32:
        return found
    narrow = {"widths": [8] * (size.bit_length() - 2)}
    return merged(found, {"distill": {"surrogate": narrow}, "align": {"reader": narrow}})
