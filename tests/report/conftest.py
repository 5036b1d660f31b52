"""Fixtures of the report's tests: a browser, and a page whose class name is hostile."""

import pytest

from glance_pipeline.report import render_report
from helpers.browser import CHROMIUM, FLAGS
from helpers.report import HOSTILE, explained, graph


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium, the system's own; of a module, since it occupies the event loop."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def names():
    """The classes of the page."""
    return (HOSTILE, "b", "c")


@pytest.fixture(scope="session")
def _explained(names):
    return explained(names)


@pytest.fixture(scope="session")
def explanations(_explained):
    """What the page shows."""
    return _explained[0]


@pytest.fixture(scope="session")
def concepts(_explained):
    """All concepts of the surrogate."""
    return _explained[1]


@pytest.fixture(scope="session")
def report_file(names, explanations, concepts, tmp_path_factory):
    """The page as a file."""
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(render_report(explanations, graph(names), concepts), encoding="utf-8")
    return file
