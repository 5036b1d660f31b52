from pathlib import Path

import pytest

from glance_pipeline.report import render_report
from helpers.browser import node, opened, unfold
from helpers.report import graph

CONTRAST = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")
PHONE = {"width": 390, "height": 844}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("chosen", [False, True])
def test_every_text_stands_out(browser, report_file, scheme, chosen):
    with opened(browser, report_file, color_scheme=scheme) as (page, _):
        unfold(page)
        if chosen:
            node(page, "tilt").click()
        count, poor = page.evaluate(CONTRAST, 4.5)
        assert count > 100
        assert poor == []


def test_a_text_that_does_not_stand_out_would_be_noticed(browser, tmp_path):
    file = tmp_path / "grey.html"
    file.write_text("<body><p style='color: #777'>pale</p><p style='color: #767676'>not</p></body>")
    with opened(browser, file) as (page, _):
        assert page.evaluate(CONTRAST, 4.5) == [2, ["pale: 4.48"]]


def test_on_a_phone_nothing_is_wider_than_the_page(browser, report_file):
    with opened(browser, report_file, viewport=PHONE, has_touch=True) as (page, _):
        unfold(page)
        node(page, "tilt").tap()
        assert page.locator("#graph-strips").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
        small = page.locator("#drawing text").evaluate_all(
            "(texts) => texts.filter((one) => one.getBoundingClientRect().height < 11).length"
        )
        assert small == 0
        boxes = page.locator("#drawing g.node rect, .slider input").evaluate_all(
            "(boxes) => boxes.map((one) => one.getBoundingClientRect().height)"
        )
        assert min(boxes) >= 24  # WCAG 2.2, target size


def test_tab_reaches_every_box_and_every_slider(browser, report_file):
    with opened(browser, report_file) as (page, _):
        unfold(page)
        page.evaluate(
            """() => {
                window.left = new Set(document.querySelectorAll("g.node, .slider input"));
                document.addEventListener("focusin", (event) => left.delete(event.target));
            }"""
        )
        pressed = 0
        while page.evaluate("left.size") and pressed < 60:
            page.keyboard.press("Tab")
            pressed += 1
        assert page.evaluate("left.size") == 0, page.evaluate("[...left].map((e) => e.outerHTML)")


def test_all_that_can_be_worked_has_a_name(browser, report_file):
    with opened(browser, report_file) as (page, _):
        unfold(page)
        tree = page.locator("body").aria_snapshot()
        assert tree.count('- slider "tilt"') == 2
        assert '- button "tilt, concept with a context feature, in rad, 2 edges"' in tree
        assert "- slider:" not in tree and "- button:" not in tree and "- link:" not in tree


def test_32_images_fit_in_6_mb(explanations, names, concepts):
    page = render_report(list(explanations) * 20, graph(names), concepts)
    assert page.count("<article") == 32
    assert len(page.encode()) <= 6e6
