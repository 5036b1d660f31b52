"""The picture of a report on the first page of the documentation.

    python scripts/report_picture.py data/08_reporting/report.html/VERSION/report.html

It opens the report in the system's Chromium, chooses a concept of the graph, opens the card of an
image, and writes both, one above the other, to ``docs/images/report.png``.
"""

import argparse
import io
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, FloatRect, Page, sync_playwright

WIDTH = 1080
"""Of the picture, px."""

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "report.png"


def main() -> None:
    """Write the picture of the report that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("report", type=Path, help="report.html of a run")
    parser.add_argument("--concept", help="concept to choose in the graph; by default the first")
    parser.add_argument("--card", type=int, default=1, help="number of the card to open")
    parser.add_argument("--to", type=Path, default=PICTURE, help="file to write")
    asked = parser.parse_args()
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        parser.error("chromium: not found on PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        save_picture(browser, asked.report, asked.to, asked.concept, asked.card)
        browser.close()


def save_picture(
    browser: Browser, report: Path, to: Path, concept: str | None = None, card: int = 1
) -> None:
    """Write the picture of a report.

    Args:
        browser: opens the report.
        report: the HTML file.
        to: the PNG file to write.
        concept: node of the graph to choose; None chooses the first.
        card: number of the card to open, from 1.
    """
    page = browser.new_page(viewport={"width": WIDTH, "height": 1400})
    page.goto(report.resolve().as_uri())
    nodes = page.locator("#drawing g.node")
    (nodes.filter(has_text=concept).first if concept else nodes.first).click()
    details = page.locator(f"#card-{card} details").first
    details.evaluate("one => { one.open = true }")
    heading, explore = page.locator("#graph"), page.locator("#explore")
    parts = [
        _shot(page, heading.bounding_box(), explore.bounding_box()),
        _shot(page, page.locator(f"#card-{card}").bounding_box()),
    ]
    whole = Image.new("RGB", (WIDTH, sum(part.height for part in parts)), "white")
    top = 0
    for part in parts:
        whole.paste(part, (0, top))
        top += part.height
    whole.quantize(256).save(to, optimize=True)
    page.close()


def _shot(page: Page, *boxes: FloatRect | None) -> Image.Image:
    """Return the part of the page, over its whole width, that holds some boxes."""
    there = [box for box in boxes if box is not None]
    top = min(box["y"] for box in there)
    bottom = max(box["y"] + box["height"] for box in there)
    clip: FloatRect = {"x": 0, "y": top, "width": WIDTH, "height": bottom - top}
    return Image.open(io.BytesIO(page.screenshot(full_page=True, clip=clip))).convert("RGB")


if __name__ == "__main__":
    main()
