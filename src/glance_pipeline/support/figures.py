"""Figures that say users' names as they are."""

from matplotlib.figure import Figure
from matplotlib.text import Text

from glance_pipeline.support.names import made_visible


def say_as_it_is(figure: Figure) -> Figure:
    r"""Have a figure write ``$``, ``\`` and ``_`` of its texts, and what cannot be seen in words.

    matplotlib takes what stands between two dollars for a formula, and dies of one that is none.
    """
    for text in figure.findobj(Text):
        if isinstance(text, Text):
            text.set_parse_math(False)
            text.set_text("\n".join(map(made_visible, text.get_text().split("\n"))))
    return figure
