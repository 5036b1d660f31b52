"""The page's scripts, each inside the page and allowed to run by the hash of its text."""

import base64
import hashlib
from collections.abc import Iterable
from importlib.resources import files

from markupsafe import Markup

OWN = ("graph.js", "sliders.js", "page.js")
"""Scripts of the page's own, in the order they run in."""


def page_scripts() -> tuple[Markup, ...]:
    """Return the scripts of the page: d3, as the package ``mpld3`` ships it, and our own."""
    library = files("mpld3").joinpath("js/d3.v5.min.js").read_text(encoding="utf-8")
    templates = files("glance_pipeline.report").joinpath("templates")
    own = [templates.joinpath(name).read_text(encoding="utf-8") for name in OWN]
    return tuple(map(Markup, [library, *own]))


def content_security_policy(scripts: Iterable[str]) -> str:
    """Return a policy that lets these scripts run and no others, and nothing reach the network.

    Pictures are data URIs, styles are in the page. Source: W3C, Content Security Policy Level 3,
    hash sources.
    """
    digests = [hashlib.sha256(script.encode()).digest() for script in scripts]
    hashes = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {hashes}; img-src data:; style-src 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'"
    )
