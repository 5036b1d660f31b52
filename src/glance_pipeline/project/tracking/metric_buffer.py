"""Training curves on their way to MLflow: buffered, and silent where no run is being tracked.

A node calls ``log_metrics`` as often as it likes. The run itself is opened and closed by the
project's hooks; without one (a notebook, a unit test) nothing happens.
"""

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import shorten
from threading import Lock
from typing import TYPE_CHECKING

from glance_pipeline.support.names import mlflow_key

if TYPE_CHECKING:
    from mlflow.entities import Metric
    from mlflow.tracking import MlflowClient

logger = logging.getLogger(__name__)

BATCH = 500  # MLflow takes at most 1,000 metrics a call
SECONDS = 5.0  # a call takes about 20 ms however many metrics it carries


class MetricBuffer:
    """Metrics of one run, sent in batches.

    Args:
        client: Where they go.
        run_id: The run they belong to.
    """

    def __init__(self, client: "MlflowClient", run_id: str) -> None:
        self._client = client
        self._run_id = run_id
        self._waiting: list[Metric] = []
        self._last = time.monotonic()
        self._lock = Lock()

    def add(self, metrics: dict[str, float], step: int) -> None:
        """Take ``metrics`` of ``step``; send what is waiting where it is much or old.

        Args:
            metrics: Values by keys that MLflow takes.
            step: They belong to.
        """
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        with self._lock:
            self._waiting += [Metric(name, float(v), now, step) for name, v in metrics.items()]
        if len(self._waiting) >= BATCH or time.monotonic() - self._last > SECONDS:
            self.flush()

    def flush(self) -> None:
        """Send all that is waiting; where that fails, warn and go on."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
            self._last = time.monotonic()
        for start in range(0, len(waiting), BATCH):
            try:
                self._client.log_batch(self._run_id, metrics=waiting[start : start + BATCH])
            except Exception as error:  # a lost curve must not cost the training it is about
                lost = len(waiting) - start
                logger.warning("%d metrics did not reach MLflow: %s", lost, in_few_words(error))
                return


def in_few_words(error: Exception) -> str:
    """Return what MLflow says in one line: it may quote a whole statement with all its values."""
    said = str(error).partition("[SQL:")[0]
    return shorten(re.sub(r"^\(raised as a result of [^)]*\)", "", said), 300, placeholder=" …")


_buffer: MetricBuffer | None = None


def log_metrics(metrics: dict[str, float], step: int) -> None:
    """Add a point to each of the run's curves; does nothing where no run is tracked.

    Args:
        metrics: Values by name, such as ``distill/reconstruction``.
        step: Of the training; a resumed training goes on with its own count.
    """
    if _buffer is not None:
        _buffer.add({mlflow_key(*name.split(".")): v for name, v in metrics.items()}, step)


@contextmanager
def paused() -> Iterator[None]:
    """Let ``log_metrics`` do nothing for a while."""
    global _buffer
    buffer, _buffer = _buffer, None
    try:
        yield
    finally:
        _buffer = buffer


def connect(buffer: MetricBuffer | None) -> None:
    """Let ``log_metrics`` write into ``buffer``, nowhere if None; sends what was waiting."""
    global _buffer
    if _buffer is not None:
        _buffer.flush()
    _buffer = buffer
