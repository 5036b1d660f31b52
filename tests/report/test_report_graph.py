import pytest

from glance_pipeline.graph.model.evidence_in_words import evidence_in_words
from helpers.browser import edge, node, opened, point_at
from helpers.report import HOSTILE, graph


@pytest.fixture
def page(browser, report_file):
    with opened(browser, report_file) as (page, _):
        yield page


def words(number):
    whole = graph((HOSTILE, "b", "c"))
    return evidence_in_words(whole.edges[number], whole)


def said(page):
    return page.locator("#evidence .said").inner_text()


@pytest.mark.parametrize(("name", "number"), [("shade o-o tilt", 0), ("tilt → b: used", 1)])
def test_an_edge_pointed_at_tells_its_evidence(page, name, number):
    line = edge(page, name)
    point_at(page, line)
    assert said(page).split("\n") == [name, "", words(number)]
    assert line.get_attribute("aria-label") == f"{name}. {words(number)}"
    page.mouse.move(2, 2)
    assert said(page) == ""
    assert page.locator("#evidence .hint").is_visible()


def test_lines_have_their_marks_and_strengths(page):
    among, used = edge(page, "shade o-o tilt"), edge(page, "tilt → b")
    assert among.locator(".mark.circle").count() == 2
    assert used.locator(".mark.circle").count() == 1 and used.locator(".mark.arrow").count() == 1
    widths = [float(one.locator(".line").get_attribute("stroke-width")) for one in (among, used)]
    assert widths == pytest.approx([1.3 * (0.8 + 4.5 * strength) for strength in (0.5, 0.8)])


def test_a_concept_that_is_clicked_shows_its_strips_and_its_edges(page, explanations):
    node(page, "tilt").click()
    shown = page.locator("#graph-strips figure.strip")
    assert shown.count() == len(explanations)
    cards = page.locator("article figure.strip[data-node=tilt] img")
    sources = [cards.nth(k).get_attribute("src") for k in range(2)]
    assert [shown.nth(k).locator("img").get_attribute("src") for k in range(2)] == sources
    assert page.locator("#drawing g.edge.related").count() == 2
    assert words(0) in said(page) and words(1) in said(page)
    node(page, "shade").click()
    assert page.locator("#graph-strips h3").inner_text() == "shade moved, image by image"
    assert page.locator("#drawing g.edge.related").count() == 1


def test_an_answer_that_is_clicked_shows_its_edges_alone(page):
    node(page, "b").click()
    assert page.locator("#drawing g.edge.related").count() == 1
    assert words(1) in said(page)
    assert not page.locator("#graph-strips").is_visible()


def test_it_is_worked_by_keyboard(page):
    box = node(page, "tilt")
    box.focus()
    assert words(1) in said(page)
    box.press("Enter")
    assert box.get_attribute("aria-pressed") == "true"
    assert page.locator("#graph-strips").is_visible()
    node(page, "c").focus()
    page.keyboard.press("Tab")
    assert words(0) in said(page)  # an edge of the chosen box
    page.keyboard.press("Escape")
    assert page.locator("#drawing g.node[aria-pressed=true]").count() == 0
    assert not page.locator("#graph-strips").is_visible()
    assert said(page) == "" and page.locator("#drawing g.edge[tabindex]").count() == 0


def test_an_edge_chosen_by_keyboard_leaves_the_other_edges_in_reach(page):
    node(page, "tilt").press("Enter")
    line = edge(page, "tilt → b: used")
    line.press("Enter")
    assert words(1) in said(page)
    assert page.locator("#drawing g.edge[tabindex]").count() == 2
    page.keyboard.press("Shift+Tab")
    assert words(0) in said(page)


def test_links_under_the_graph_lead_to_the_cards(page):
    page.evaluate("document.querySelector('#card-2 details').open = false")
    node(page, "tilt").click()
    page.locator("#graph-strips a").nth(1).click()
    assert page.locator("#card-2 .reading").first.is_visible()
