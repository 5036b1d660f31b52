"""The package is imported where there is no Unix, and text files are of UTF-8 everywhere."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src"

IMPORT_ALL = """
    import importlib, importlib.util, os, pkgutil, signal, sys

    # what these import of Unix, they import on Windows otherwise
    import multiprocessing, subprocess, tempfile, pathlib, torch, matplotlib, kedro, pandas
    import kedro_datasets, mlflow.tracking, causallearn, sklearn, joblib, filelock, PIL, skimage
    import dowhy, networkx, transformers, torch.distributed, torch._inductor

    for name in ("sched_getaffinity", "fork", "pathconf", "sync", "getuid", "sysconf"):
        if hasattr(os, name):
            delattr(os, name)
    for name in ("SIGKILL", "SIGHUP", "SIGQUIT"):
        delattr(signal, name)
    for name in ("resource", "fcntl", "pwd", "grp", "termios", "tty", "pty", "readline"):
        sys.modules[name] = None

    import glance_pipeline
    failed = []
    for module in pkgutil.walk_packages(glance_pipeline.__path__, "glance_pipeline."):
        if module.name.endswith(".__main__"):
            continue
        try:
            importlib.import_module(module.name)
        except ImportError as error:
            failed.append(f"{module.name}: {error}")
    from glance_pipeline.support.compute import available_cores, peak_rss_mb
    from glance_pipeline.project.hooks.room import _limits
    from glance_pipeline.project.hooks.signals import ending_orderly
    from glance_pipeline.support.whole import write_whole
    assert available_cores() >= 1 and peak_rss_mb() == 0.0
    assert _limits(pathlib.Path("."))[0] == 255
    ending_orderly().close()
    write_whole(pathlib.Path(sys.argv[1]) / "new" / "file", b"x")
    print("; ".join(failed) or "all imported")
"""


def test_every_module_is_imported_without_what_windows_lacks(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1"}
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(IMPORT_ALL), str(tmp_path)],
        capture_output=True,
        text=True,
        env=environment,
    )
    assert ran.stdout.strip() == "all imported", ran.stderr[-2000:]


def test_every_text_file_is_opened_with_an_encoding():
    command = [sys.executable, "-m", "ruff", "check", "--preview", "--select", "PLW1514"]
    ran = subprocess.run([*command, str(SOURCE)], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout
