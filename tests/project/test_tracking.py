import mlflow.entities  # noqa: F401 - it takes seconds, after which metrics are old
import pytest

from glance_pipeline.project.tracking import metric_buffer as tracking
from glance_pipeline.project.tracking.mlflow_run import code_version, flatten


class Client:
    """Stands in for MLflow's: counts calls, fails where told to."""

    def __init__(self, fails: bool = False) -> None:
        self.fails = fails
        self.calls: list[list[tuple[str, float, int]]] = []

    def log_batch(self, run_id: str, metrics: list) -> None:
        if self.fails:
            raise ConnectionError("the store is away")
        self.calls.append([(m.key, m.value, m.step) for m in metrics])


@pytest.fixture
def connected():
    client = Client()
    tracking.connect(tracking.MetricBuffer(client, "run"))
    yield client
    tracking.connect(None)


def test_without_a_run_nothing_happens():
    tracking.log_metrics({"loss": 1.0}, 1)


def test_metrics_wait_until_the_run_is_disconnected(connected):
    tracking.log_metrics({"loss": 1.0, "r1": 2.0}, 10)
    tracking.log_metrics({"loss": 0.5}, 20)
    assert connected.calls == []
    tracking.connect(None)
    assert connected.calls == [[("loss", 1.0, 10), ("r1", 2.0, 10), ("loss", 0.5, 20)]]


def test_many_metrics_are_sent_in_few_calls(connected):
    for step in range(3 * tracking.BATCH):
        tracking.log_metrics({"loss": 1.0}, step)
    tracking.connect(None)
    assert [len(call) for call in connected.calls] == [tracking.BATCH] * 3


def test_old_metrics_are_sent(connected, monkeypatch):
    monkeypatch.setattr(tracking, "SECONDS", -1.0)
    tracking.log_metrics({"loss": 1.0}, 0)
    assert connected.calls == [[("loss", 1.0, 0)]]


def test_a_store_that_fails_does_not_stop_the_training(caplog):
    buffer = tracking.MetricBuffer(Client(fails=True), "run")
    buffer.add({"loss": 1.0}, 0)
    buffer.flush()
    assert "the store is away" in caplog.text


def test_nested_parameters_become_flat():
    nested = {
        "a": {"b": 1, "c": {"d": [1, 2]}},
        "stages": [{"name": "x"}, {"name": "y"}],
        "e": None,
    }
    assert {".".join(keys): value for keys, value in flatten(nested)} == {
        "a.b": 1,
        "a.c.d": [1, 2],
        "stages.0.name": "x",
        "stages.1.name": "y",
        "e": None,
    }


def test_without_git_the_version_is_the_package_s(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert list(code_version(tmp_path)) == ["code.version"]
