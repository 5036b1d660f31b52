import json
import shutil
import subprocess

import pytest
from support_report import HOSTILE, explained, graph

from glance_pipeline.report import render_report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--enable-logging=stderr",
]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")


def opened(page, folder):
    """Open a page; return its DOM, what its console said, and the addresses it asked for."""
    log = folder / "net.json"
    own = [f"--user-data-dir={folder / 'profile'}", f"--log-net-log={log}"]
    nothing_leaves = "--host-resolver-rules=MAP * ~NOTFOUND"
    command = [str(CHROMIUM), *FLAGS, *own, nothing_leaves, "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return done.stdout, console, requested(log.read_text())


def requested(log):
    """Return the web addresses that a page asked for; the browser's own have no origin."""
    events = json.loads(log if log.rstrip().endswith("}") else log.rstrip(",\n") + "]}")["events"]
    parameters = [event.get("params", {}) for event in events]
    return {
        p["url"]
        for p in parameters
        if p.get("initiator", "not an origin") != "not an origin" and p["url"].startswith("http")
    }


def test_report_opens_without_console_errors_or_network(tmp_path):
    names = (HOSTILE, "b", "c")
    explanations, concepts = explained(names)
    page = tmp_path / "report.html"
    page.write_text(render_report(explanations, graph(names), concepts), encoding="utf-8")
    dom, console, addresses = opened(page, tmp_path)
    assert "What the classifier looks at" in dom
    assert "<script" not in dom and "&lt;script&gt;" in dom
    assert console == []
    assert addresses == set()


def test_a_page_that_does_ask_for_something_would_be_noticed(tmp_path):
    page = tmp_path / "other.html"
    page.write_text("<img src='http://localhost:9/x.png'><script>console.error('no')</script>")
    _, console, addresses = opened(page, tmp_path)
    assert addresses == {"http://localhost:9/x.png"}
    assert any("no" in line for line in console)
