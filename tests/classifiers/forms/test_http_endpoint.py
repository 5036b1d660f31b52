"""The function that docs/how_to/your_classifier.md shows, asking a real server."""

import json
import re
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType

import pytest
import torch

from glance_pipeline.datasets import ClassifierDataset
from glance_pipeline.datasets.classifier_dataset import UnusableClassifierError
from helpers.teachers import SPECIFICATION, conv_net, images, reference

DOCUMENT = Path(__file__).parents[3] / "docs" / "how_to" / "your_classifier.md"
NETWORK = conv_net()


class Predict(BaseHTTPRequestHandler):
    """Answers images, as JSON, with probabilities."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with torch.no_grad():
            probabilities = NETWORK(torch.tensor(json.loads(body))).softmax(1)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"probabilities": probabilities.tolist()}).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing on the console."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("localhost", 0), Predict) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture
def endpoint(server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch) -> ClassifierDataset:
    """The catalog entry of the documented function, at the port of the server."""
    code = next(
        c for c in re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.S) if "ask" in c
    )
    module = ModuleType("documented_endpoint")
    exec(code.replace("localhost:8000", f"localhost:{server.server_port}"), module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    specification = {**SPECIFICATION, "output": "probabilities"}
    return ClassifierDataset(
        network="documented_endpoint.ask", specification=specification, trust=True
    )


def test_a_server_is_a_black_box(endpoint):
    loaded = endpoint.load()
    assert not loaded.differentiable
    found, wanted = loaded.logits(images()), reference(NETWORK).logits(images())
    torch.testing.assert_close(found.softmax(1), wanted.softmax(1), atol=1e-5, rtol=1e-4)
    asked = endpoint.queries.asked
    loaded.logits(images())
    assert endpoint.queries.asked == asked  # answers are kept


def test_a_server_that_does_not_answer_is_said_in_one_line(endpoint, server):
    server.shutdown()
    server.server_close()
    with pytest.raises(UnusableClassifierError, match=r"classifier .*ask.*refused") as raised:
        endpoint.load()
    assert "\n" not in str(raised.value)
