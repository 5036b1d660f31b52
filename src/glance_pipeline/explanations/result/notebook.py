"""How an explanation shows in a notebook: its pictures beside each other and its words."""

import base64
import io
from html import escape

import numpy as np

from glance_pipeline.explanations.result.explanation import Explanation
from glance_pipeline.explanations.result.explanation_folder import as_picture

_HEIGHT = 96
"""Of a picture on the page, in CSS pixels."""


def as_html(explanation: Explanation) -> str:
    """Return an explanation as a piece of HTML; all its texts are escaped."""
    shown = [
        (explanation.source, explanation.original),
        ("redrawn", explanation.reconstruction),
        *(
            (f"{found.prediction.verb} {found.prediction.class_name}", found.picture)
            for found in explanation.counterfactuals.found
        ),
    ]
    figures = "".join(_figure(caption, picture) for caption, picture in shown)
    warnings = "".join(f"<li>{escape(warning)}</li>" for warning in explanation.warnings)
    return (
        f'<div style="display:flex;flex-wrap:wrap;gap:12px">{figures}</div>'
        f"<p>{escape(explanation.sentence)}</p>" + (f"<ul>{warnings}</ul>" if warnings else "")
    )


def _figure(caption: str, picture: np.ndarray) -> str:
    buffer = io.BytesIO()
    as_picture(picture).save(buffer, format="png")
    uri = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    text = escape(caption)
    return (
        f'<figure style="margin:0"><img src="{uri}" alt="{text}" height="{_HEIGHT}" '
        f'style="image-rendering:pixelated"><figcaption>{text}</figcaption></figure>'
    )
