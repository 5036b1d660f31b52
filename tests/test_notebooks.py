"""The notebooks run from the first cell to the last."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from helpers.fitting import short_parameters
from helpers.project import PROJECT, Project

OF_A_PROJECT = f"project, env = {str(PROJECT)!r}, 'test'"
OF_NOTEBOOK = {
    "04_without_a_project": f"parameters, folder = {short_parameters(8)!r}, 'fitting'",
}
"""What the cell of parameters says in the test."""

NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))


def outputs(notebook: nbformat.NotebookNode) -> list[dict]:
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, finished_project: Project, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("GLANCE_DATA_ROOT", str(finished_project.data))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(path, as_version=4)
    (parameters,) = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])]
    parameters.source = OF_NOTEBOOK.get(path.stem, OF_A_PROJECT)
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    written = "".join(o.get("text", "") for o in outputs(notebook) if o.get("name") == "stderr")
    assert written == "" or path.stem in OF_NOTEBOOK, "nothing leaks from libraries"
    assert "Traceback" not in written and ".py:" not in written, "no warning from any code"
    shown = [o for o in outputs(notebook) if "image/png" in o.get("data", {})]
    assert shown or path.stem.startswith("03"), "pictures are shown"
    assert len(outputs(notebook)) >= 4


def test_notebooks_are_kept_without_outputs():
    assert [path.name for path in NOTEBOOKS] == [
        "01_first_explanation.ipynb",
        "02_read_the_graph.ipynb",
        "03_bring_your_own.ipynb",
        "04_without_a_project.ipynb",
    ]
    for path in NOTEBOOKS:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        assert not outputs(notebook)
        assert all(cell.get("execution_count") is None for cell in notebook.cells)
