"""A page in a headless browser, with all that it says and asks for."""

import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


@dataclass
class Heard:
    """What a page wrote to its console, and the addresses outside itself that it asked for."""

    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@contextmanager
def opened(browser, file, **options):
    """Open a file; yield the page and a ``Heard`` that fills as it goes on.

    Args:
        browser: of playwright.
        file: an HTML file; nothing else is let through.
        options: of the browser's context.
    """
    context = browser.new_context(**options)
    context.set_default_timeout(60_000)  # of a machine that is busy with other work
    page, heard = context.new_page(), Heard()

    def answer(route):
        if route.request.url.partition("#")[0] == file.as_uri():
            route.continue_()
            return
        heard.requests.append(route.request.url)
        route.abort()

    context.route("**/*", answer)
    page.on("console", lambda message: heard.console.append(message.text))
    page.on("pageerror", lambda error: heard.console.append(str(error)))
    page.goto(file.as_uri())
    yield page, heard
    context.close()


def unfold(page):
    """Open all that is folded away."""
    page.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")


def node(page, label):
    """Return the box of the graph with this label."""
    return page.locator(f'#drawing g.node[aria-label^="{label},"]')


def edge(page, name):
    """Return the line of the graph whose name starts like this."""
    return page.locator(f'#drawing g.edge[aria-label^="{name}"]')


def point_at(page, line):
    """Move the mouse to the middle of a line, which its box's middle is not."""
    line.scroll_into_view_if_needed()
    x, y = line.locator(".hit").evaluate(
        """(path) => {
            const middle = path.getPointAtLength(path.getTotalLength() / 2);
            const at = new DOMPoint(middle.x, middle.y).matrixTransform(path.getScreenCTM());
            return [at.x, at.y];
        }"""
    )
    page.mouse.move(x, y)
