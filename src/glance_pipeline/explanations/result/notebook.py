"""How an explanation shows in a notebook: its pictures beside each other and its words."""

import base64
import io
from collections.abc import Sequence
from html import escape

import numpy as np

from glance_pipeline.explanations.result.pictures import as_picture

_HEIGHT = 96
"""Of a picture on the page, in CSS pixels."""


def as_html(
    pictures: Sequence[tuple[str, np.ndarray]], sentence: str, warnings: Sequence[str]
) -> str:
    """Return an explanation as a piece of HTML; all its texts are escaped.

    Args:
        pictures: captions, and pictures as uint8, (C, H, W), in the order in which they are shown.
        sentence: the explanation in a few words.
        warnings: what limits it.
    """
    figures = "".join(_figure(caption, picture) for caption, picture in pictures)
    items = "".join(f"<li>{escape(warning)}</li>" for warning in warnings)
    return (
        f'<div style="display:flex;flex-wrap:wrap;gap:12px">{figures}</div>'
        f"<p>{escape(sentence)}</p>" + (f"<ul>{items}</ul>" if items else "")
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
