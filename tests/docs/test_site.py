"""The documentation site: it is built, it is whole, and it fetches nothing from elsewhere."""

import html.parser
import subprocess
import sys
from pathlib import Path

import click
import pytest
from PIL import Image
from pydantic import BaseModel

from helpers.browser import CHROMIUM, FLAGS
from helpers.project import PROJECT, Project, newest
from scripts.reference.commands import commands, commands_page
from scripts.reference.parameters import (
    MODELS,
    MissingDescriptionError,
    described,
    parameters_page,
    shipped_values,
)
from scripts.reference.words import type_in_words, value_in_words
from scripts.report_picture import WIDTH, save_picture
from scripts.site_pages import on_page_markdown


class Addresses(html.parser.HTMLParser):
    """What a page loads by itself, and where its links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag in ("script", "img", "iframe"):
            self.loaded += [found["src"]] if found.get("src") else []  # type: ignore[list-item]
        elif tag == "link" and found.get("rel") in ("stylesheet", "preconnect", "icon", "preload"):
            self.loaded += [found["href"]] if found.get("href") else []  # type: ignore[list-item]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    built = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return folder


def test_every_page_is_there_and_loads_nothing_from_another_host(site: Path) -> None:
    pages = {path.relative_to(PROJECT / "docs") for path in (PROJECT / "docs").rglob("*.md")}
    assert len(pages) > 30
    for page in pages:
        built = site / page.with_suffix(".html")
        addresses = Addresses()
        addresses.feed(built.read_text(encoding="utf-8"))
        assert addresses.loaded
        assert [one for one in addresses.loaded if "//" in one] == [], page


def test_what_is_generated_is_in_its_page(site: Path) -> None:
    parameters = (site / "reference/parameters.html").read_text(encoding="utf-8")
    assert 'id="explain.search.walk_steps"' in parameters
    commands_of_site = (site / "reference/commands.html").read_text(encoding="utf-8")
    assert 'id="kedro-glance-init-images"' in commands_of_site
    python = (site / "reference/python.html").read_text(encoding="utf-8")
    assert 'id="glance_pipeline.explainer.Explainer.explain"' in python


def leaves(values: object, prefix: str = "") -> list[str]:
    """Return the dotted names of all values under ``conf/base``, but of objectives' weights."""
    if not isinstance(values, dict) or not values:
        return [prefix]
    if prefix.endswith(("objectives", "units", "kinds")):
        return [prefix]
    return [leaf for name, value in values.items() for leaf in leaves(value, f"{prefix}.{name}")]


def test_every_parameter_of_the_base_environment_is_described() -> None:
    page = parameters_page()
    names = [name.lstrip(".") for name in leaves(shipped_values())]
    assert len(names) > 80
    missing = []
    for name in names:
        rest = name.partition(".")[2]
        shared = rest.removeprefix("stage.")
        # The three stages have one section.
        wanted = f"stage.{shared}" if rest.startswith("stage.") else name
        if f"{{ #{wanted} }}" not in page:
            missing.append(name)
    assert missing == []


def test_a_parameter_without_a_description_is_refused() -> None:
    class Bare(BaseModel):
        """Two parameters.

        Attributes:
            told: this one is described.
        """

        told: int = 1
        untold: int = 1

    with pytest.raises(MissingDescriptionError, match="does not describe untold"):
        described(Bare)
    for model in MODELS.values():
        assert described(model).keys() >= model.model_fields.keys()


def test_values_and_types_in_words() -> None:
    assert value_in_words((1, 2)) == "`[1, 2]`"
    assert value_in_words(None) == "`null`"
    assert type_in_words(int | None) == "integer or null"
    assert type_in_words(tuple[float, float]) == "list of 2; each: number"
    with pytest.raises(TypeError, match="has no words"):
        type_in_words(complex)


def test_every_option_of_every_command_is_described() -> None:
    page = commands_page()
    found = list(commands())
    assert {"glance new", "glance init", "kedro glance init"} <= {name for name, _ in found}
    for _, command in found:
        for option in command.params:
            if isinstance(option, click.Option) and not option.hidden:
                assert option.help, (command.name, option.name)
                assert f"`{max(option.opts, key=len)}`" in page


def test_a_page_that_asks_for_what_is_not_generated_is_an_error() -> None:
    with pytest.raises(KeyError, match="novels"):
        on_page_markdown("<!-- generated: novels -->")


def test_the_picture_of_a_report_is_made(finished_project: Project, tmp_path: Path) -> None:
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    from playwright.sync_api import sync_playwright

    report = newest(finished_project.data, "08_reporting/report.html")
    picture = tmp_path / "report.png"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        save_picture(browser, report, picture, "thickness")
        browser.close()
    with Image.open(picture) as image:
        assert image.width == WIDTH and image.height > 1000
        # Both parts are drawn: something is there in the upper and in the lower half.
        halves = [image.convert("L").crop((0, top, WIDTH, top + 600)) for top in (0, 1400)]
        assert all(half.getextrema()[1] - half.getextrema()[0] > 100 for half in halves)
