"""Cases of a project's own files: names as keys of other systems, moves, disks, two at once."""

import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.command_line import PROJECT
from benchmarks.hostile.kinds import Case

_LONG = "how dark the square is, " * 9  # 216 characters


def _configuration(folder: Path) -> Any:
    from glance_pipeline.project.tracking.mlflow_store import MlflowConfiguration

    return MlflowConfiguration(
        tracking_uri=f"sqlite:///{folder}/mlflow.db",
        artifact_location=f"{folder}/mlruns",
        experiment="cases",
    )


def _start(folder: Path, is_new: bool = False) -> Any:
    """Start a run of MLflow; its store, which takes seconds to make, is copied where not new."""
    import mlflow

    from glance_pipeline.project.tracking.mlflow_store import MlflowStore, make_whole

    if not is_new and not (folder / "mlflow.db").exists():
        made = Path(tempfile.gettempdir(), f"glance-mlflow-{mlflow.__version__}-{os.getuid()}.db")
        make_whole(made)
        shutil.copy(made, folder / "mlflow.db")
    store = MlflowStore(_configuration(folder), folder)
    return *store.start("case", {}), store


def _names_in_mlflow(folder: Path) -> tuple[bool, str]:
    run, lease, store = _start(folder)
    names = [_LONG, f"{_LONG}!", "level (grey)", "level [grey]", "<b>", '"q"', "🦊", *"abcdefgh"]
    results = {"matrix": {one: dict.fromkeys(names, 0.5) for one in names}}
    run.log_parameters({"align": {"units": {"level (grey)": "grey levels"}}})
    run.log_results(results)
    (folder / "card.txt").write_text("a", encoding="utf-8")
    run.log_artifact(folder / "card.txt", "reports")
    ended = run.end("FINISHED")
    lease.end()
    found = store.client.get_run(run.run_id)
    kept = len(found.data.metrics)
    good = ended and kept == len(names) ** 2 and len(found.data.params) == 1
    return good and found.info.status == "FINISHED", f"{kept} of {len(names) ** 2} metrics are kept"


def _moved_project(folder: Path) -> tuple[bool, str]:
    old, new = folder / "old", folder / "new"
    old.mkdir()
    (old / "card.txt").write_text("a", encoding="utf-8")
    run, lease, store = _start(old)
    run.log_artifact(old / "card.txt", "reports")
    run.end("FINISHED")
    lease.end()
    store.client._tracking_client.store.engine.dispose()
    old.rename(new)
    later, lease, store = _start(new)
    later.log_artifact(new / "card.txt", "reports")
    later.end("FINISHED")
    lease.end()
    listed = [len(store.client.list_artifacts(one.run_id, "reports")) for one in (run, later)]
    good = listed == [1, 1] and not old.exists()
    return good, f"files of the run before and after the move: {listed}, old place: {old.exists()}"


def _first_run(folder: Path) -> None:
    run, lease, _ = _start(folder, is_new=True)
    run.log_results({"a": 1.0})
    if run.end("FINISHED"):
        lease.end()


def _two_first_runs(folder: Path) -> tuple[bool, str]:
    context = multiprocessing.get_context("fork")
    both = [context.Process(target=_first_run, args=(folder,)) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    store = _start(folder)[2]
    runs = store.client.search_runs([store.experiment_id], "attributes.status = 'FINISHED'")
    codes = [one.exitcode for one in both]
    return codes == [0, 0] and len(runs) == 2, f"they ended with {codes}, {len(runs)} runs are kept"


def _cut_off_run(folder: Path) -> tuple[bool, str]:
    context = multiprocessing.get_context("fork")
    dies = context.Process(target=lambda: (_start(folder), os._exit(9)))
    dies.start()
    dies.join()
    _, lease, store = _start(folder)
    found = store.client.search_runs([store.experiment_id])
    lease.end()
    said = sorted(run.info.status for run in found)
    return said == ["KILLED", "RUNNING"], f"the dead run and the living one are {said}"


def _full_disk(folder: Path) -> tuple[bool, str]:
    import resource

    from kedro.io import DatasetError

    from glance_pipeline.project.hooks.whole_catalog import WholeCatalog

    place = folder / "report.html"
    entry = {"type": "text.TextDataset", "filepath": str(place), "versioned": True}
    WholeCatalog.from_config({"report": entry}, save_version="1").save("report", "before")
    resource.setrlimit(resource.RLIMIT_FSIZE, (620_000, 620_000))
    try:
        WholeCatalog.from_config({"report": entry}, save_version="2").save(
            "report", "x" * 2_000_000
        )
    except DatasetError as error:
        said = str(error)
    else:
        return False, "half a page was taken for a whole one"
    left = sorted(path.name for path in place.iterdir())
    again = WholeCatalog.from_config({"report": entry}).load("report")
    good = left == ["1"] and again == "before" and "disk is full" in said and "\n" not in said
    return good, said


def _data_on_another_disk(folder: Path) -> tuple[bool, str]:
    from glance_pipeline.support.whole import write_whole

    other = Path("/dev/shm")
    if not os.access(other, os.W_OK) or other.stat().st_dev == folder.stat().st_dev:
        return True, "there is no other disk here to try it on"
    target = other / f"glance-{os.getpid()}"
    target.mkdir()
    try:
        (folder / "data").symlink_to(target)
        write_whole(folder / "data" / "a.json", b"{}")
        write_whole(folder / "data" / "b.json" / "1" / "b.json", b"{}")
        found = sorted(path.name for path in target.rglob("*") if path.is_file())
    finally:
        shutil.rmtree(target)
    return found == ["a.json", "b.json"], f"written: {found}"


def _strips_of_alike_names(folder: Path) -> tuple[bool, str]:
    from glance_pipeline.support.names import file_names

    names = ["Smile", "smile", "a b", "a/b", "a:b", "CON", "x" * 300, "x" * 301, "", "..", "é"]
    files = [f"strip_{name}.png" for name in file_names(names)]
    for file in files:
        (folder / file).write_bytes(b"")
    return len({file.casefold() for file in files}) == len(names), ", ".join(files[:5])


def _dollars_in_a_name(folder: Path) -> tuple[bool, str]:
    from matplotlib.figure import Figure

    from glance_pipeline.support.figures import say_as_it_is

    figure = Figure()
    figure.text(0, 0, "$\\frac{price$ in $")
    say_as_it_is(figure).savefig(folder / "a.png")
    return figure.texts[0].get_text() == "$\\frac{price$ in $", figure.texts[0].get_text()


def _no_nan_in_json(folder: Path) -> tuple[bool, str]:
    from glance_pipeline.datasets.json_dataset import JsonDataset

    path = folder / "metrics.json"
    JsonDataset(filepath=str(path)).save({"a": {"b": float("nan")}, "c": [float("-inf"), 1]})

    def refuse(word: str) -> None:
        raise ValueError(f"{word} is no JSON")

    found = json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
    good = found == {"a": {"b": None}, "c": [None, 1], "not_finite": {"a.b": "nan", "c.0": "-inf"}}
    return good, json.dumps(found)


def _endless_range(folder: Path) -> tuple[bool, str]:
    from glance_pipeline.config.explain import parse_images

    try:
        parse_images("0-9999999999")
    except ValueError as error:
        return "10,000,000,000" in str(error), str(error)
    return False, "a list of them was made"


def _packaged_project(folder: Path) -> tuple[bool, str]:
    package, work = folder / "venv" / "lib" / "site-packages", folder / "work"
    skip = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PROJECT / "src" / "glance_pipeline", package / "glance_pipeline", ignore=skip)
    work.mkdir()
    module = "glance_pipeline.config.reading.conf_files"
    code = f"from {module} import project_path; print(project_path('mlflow.db'))"
    environment = {**os.environ, "PYTHONPATH": str(package), "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=work, env=environment, capture_output=True, text=True
    )
    return ran.stdout.strip() == (work / "mlflow.db").resolve().as_posix(), ran.stdout.strip()


def _long_name_in_init(folder: Path) -> tuple[bool, str]:
    from glance_pipeline.onboarding.terminal.sections import Section

    names = [_LONG, "<b>bold</b>", '"quoted" 🦊', "字" * 60, "line\nbreak", "\x1b[31mred"]
    written = str(Section("Context", [(name, "continuous, 0 to 1") for name in names]))
    lines = written.splitlines()
    good = "\x1b" not in written and max(map(len, lines)) <= 110
    return good and written.count("continuous") == len(names), lines[-1]


CASES = (
    Case("feature_name_200_characters", "init writes it in lines of its own", _long_name_in_init),
    Case("unit_of_feature_with_bracket", "all metrics and parameters are kept", _names_in_mlflow),
    Case("moved_project", "files go to the new place, earlier ones are found", _moved_project),
    Case("two_first_runs_at_once", "both run", _two_first_runs),
    Case("packaged_project", "works in the working directory", _packaged_project),
    Case("full_disk_at_the_report", "no half report, one line that names the file", _full_disk),
    Case("cut_off_run", "is marked killed at the next start", _cut_off_run),
    Case("data_on_another_disk", "is written", _data_on_another_disk),
    Case("strips_of_alike_names", "a file of its own for each", _strips_of_alike_names),
    Case("dollars_in_a_name", "the name as it is", _dollars_in_a_name),
    Case("nan_in_metrics", "null, and what it was", _no_nan_in_json),
    Case("endless_range_of_images", "refused before a list is made", _endless_range),
)
"""All of them."""
