"""What the documentation site takes from the code while it is built (a hook of MkDocs).

A page that holds a line such as ``<!-- generated: parameters -->`` gets the generated text there,
so that nothing generated is committed, and nothing generated can be out of date.
"""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # MkDocs loads a hook by its path alone

from scripts.reference.commands import commands_page, pipelines_page
from scripts.reference.parameters import parameters_page

GENERATED: dict[str, Callable[[], str]] = {
    "commands": commands_page,
    "pipelines": pipelines_page,
    "parameters": parameters_page,
}
_PLACE = re.compile(r"^<!-- generated: (\w+) -->$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Return the text of a page with what is generated in its places.

    Raises:
        KeyError: if the page asks for something that nothing here generates.
    """
    return _PLACE.sub(lambda place: GENERATED[place.group(1)](), markdown)
