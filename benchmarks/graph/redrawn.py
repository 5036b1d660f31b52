"""A surrogate that draws with the project's renderer: its interventions are the true ones.

It stands for a perfect surrogate, so that what is tested is the verdict, not the training: the
concepts are thickness, slant and intensity as intended, the residual code is the number of the
digit that is redrawn, and do(concept) redraws it.
"""

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from benchmarks.glassbox.digits import DRAWN
from glance_pipeline.digits.known_models import STRUCTURAL_MODELS
from glance_pipeline.digits.render import render_digits
from glance_pipeline.images.form import to_uint8
from glance_pipeline.twin.networks import Codes, Concept, SurrogateShape, TwinSurrogate

_UNITS = {"thickness": "px", "slant": "rad", "intensity": "grey levels"}
NOISE = 1.7
"""Factor on the noise of the standard structural model: correlation 0.8 instead of 0.9."""


class RedrawnDigits(TwinSurrogate):
    """Draws by rendering, and knows the code of each of its own images.

    Args:
        sources: digits to redraw, uint8 (N, 28, 28).
        intended: what they are drawn with, N rows.
        size: height and width of the images, px.
        workers: processes that render.
    """

    def __init__(
        self, sources: np.ndarray, intended: pd.DataFrame, size: int, workers: int
    ) -> None:
        widths = {16: (8, 8, 8), 32: (8, 8, 8, 8)}[size]
        concepts = [_concept(name, intended[name].to_numpy()) for name in DRAWN]
        super().__init__(
            SurrogateShape((1, size, size), 2, 1, len(DRAWN), 1, widths, 16, 2, 16), concepts
        )
        self.sources, self.workers = sources, workers
        standardised = [c.standardise(intended[c.name].to_numpy()) for c in concepts]
        self.codes = Codes(
            torch.tensor(np.stack(standardised, 1)).float(),
            torch.arange(len(sources)).float()[:, None],
        )
        self.images = to_uint8(self.generate(self.codes))
        self._row_of = {image.tobytes(): row for row, image in enumerate(self.images)}

    def encode(self, images: Tensor) -> Codes:
        """Look up the codes of some of ``self.images``, given in [−1, 1]."""
        rows = [self._row_of[image.tobytes()] for image in to_uint8(images)]
        return self.codes[torch.tensor(rows)]

    def generate(self, codes: Codes) -> Tensor:
        """Render the images (N, 1, H, W) of codes."""
        features = pd.DataFrame(
            {name: self.to_units(name, self.read(codes, name).double().numpy()) for name in DRAWN}
        )
        sources = self.sources[codes.residual[:, 0].long().numpy()]
        drawn = render_digits(
            sources, features, self.shape.image_shape[1], self.workers, progress=False
        )
        return torch.tensor(drawn).float()[:, None] / 127.5 - 1


def draw_features(number: int, generator: np.random.Generator) -> pd.DataFrame:
    """Draw thickness, slant and intensity; intensity follows thickness, correlation about 0.8."""
    model = STRUCTURAL_MODELS["standard"]
    features = model.draw(number, generator)
    noise = NOISE * generator.standard_normal(number)
    return features.assign(
        intensity=model.intensity(features["thickness"], features["slant"], noise)
    )


def _concept(name: str, values: np.ndarray) -> Concept:
    mean, std = float(values.mean()), float(values.std())
    low, high = ((np.quantile(values, [0.01, 0.99]) - mean) / std).tolist()
    return Concept(name, "aligned", _UNITS[name], mean, std, low, high)
