import json

from helpers.browser import node, opened, unfold
from helpers.report import HOSTILE


def test_report_opens_without_console_errors_or_network(browser, report_file):
    with opened(browser, report_file) as (page, heard):
        assert page.title() == "What the classifier looks at"
        unfold(page)
        node(page, "tilt").click()
        assert page.locator("#drawing").is_visible()
        assert not page.locator("#static-graph").is_visible()
        assert heard.console == []
        assert heard.requests == []


def test_a_page_that_does_ask_for_something_would_be_noticed(browser, tmp_path):
    file = tmp_path / "other.html"
    file.write_text("<img src='http://localhost:9/x.png'><script>console.error('no')</script>")
    with opened(browser, file) as (_, heard):
        assert heard.requests == ["http://localhost:9/x.png"]
        assert "no" in heard.console


def test_hostile_class_name_is_shown_as_text(browser, report_file):
    with opened(browser, report_file) as (page, heard):
        answers = []
        page.on("dialog", lambda dialog: answers.append(dialog.message) or dialog.dismiss())
        unfold(page)
        assert page.locator("h3", has_text="image 4").inner_text().endswith(f"called {HOSTILE}")
        box = node(page, HOSTILE)
        assert "".join(box.locator("tspan").all_text_contents()).startswith("<script>")
        box.click()
        assert page.locator("#evidence h3").inner_text() == HOSTILE
        assert HOSTILE in page.locator("#card-1 .reading").first.inner_text()
        assert page.locator("script").count() == 6
        assert answers == [] and heard.console == []


def test_a_script_that_is_not_the_page_s_own_is_refused(browser, report_file, tmp_path):
    file = tmp_path / "report.html"
    added = "<script>document.title = 'other'</script></body>"
    file.write_text(report_file.read_text(encoding="utf-8").replace("</body>", added))
    with opened(browser, file) as (page, heard):
        assert page.title() == "What the classifier looks at"
        assert len(heard.console) == 1 and "script-src" in heard.console[0]


def test_without_scripts_the_figure_and_all_strips_are_there(browser, report_file):
    with opened(browser, report_file, java_script_enabled=False) as (page, _):
        assert page.locator("#static-graph img").is_visible()
        assert page.locator("#card-1 figure.strip").first.is_visible()
        assert page.locator("#explore:visible, .sliders:visible").count() == 0


def test_it_works_in_a_sandboxed_frame_as_mlflow_shows_it(browser, report_file, tmp_path):
    html = json.dumps(report_file.read_text(encoding="utf-8")).replace("</", "<\\/")
    file = tmp_path / "frame.html"
    file.write_text(
        "<iframe sandbox='allow-scripts' width=900 height=800></iframe><script>"
        f"const page = new Blob([{html}], {{type: 'text/html'}});"
        "document.querySelector('iframe').src = URL.createObjectURL(page);</script>",
        encoding="utf-8",
    )
    with opened(browser, file) as (page, heard):
        frame = page.frame_locator("iframe")
        node(frame, "tilt").click()
        assert frame.locator("#graph-strips figure.strip").count() == 2
        frame.locator("#graph-strips a").nth(1).click()
        frame.locator("#card-2 summary:focus").wait_for()
        read = []
        for key in ("Home", "End"):
            frame.locator("#slider-1-1").press(key)
            read.append(frame.locator("#card-1 .reading .value").first.inner_text())
        assert read[0] and read[1] and read[0] != read[1]
        assert heard.console == []
        assert all(url.startswith("blob:") for url in heard.requests)


def test_everything_is_unfolded_for_print(browser, report_file):
    with opened(browser, report_file) as (page, _):
        page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        assert page.locator("details:not([open])").count() == 0
        page.evaluate("window.dispatchEvent(new Event('afterprint'))")
        assert page.locator("details:not([open])").count() > 0
