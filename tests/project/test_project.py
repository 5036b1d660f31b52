"""Catalog, parameters and pipelines agree."""

import inspect
import subprocess
import sys
import typing
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from kedro.framework.project import pipelines
from kedro.framework.startup import bootstrap_project
from kedro.io.core import is_parameter
from kedro.pipeline import Pipeline
from pydantic import BaseModel

from glance_pipeline.config.shared import SharedParameters
from helpers.project import PROJECT, Project

CHAIN = (
    "prepare",
    "classify",
    "distill",
    "disentangle",
    "align",
    "discover",
    "explain",
    "evaluate",
)
LAYERS = {
    "raw",
    "intermediate",
    "model_input",
    "models",
    "model_output",
    "reporting",
}


@pytest.fixture(scope="module")
def registered() -> dict[str, Pipeline]:
    bootstrap_project(PROJECT)
    return dict(pipelines)


def configuration(project: Project, key: str) -> dict[str, Any]:
    with project.session() as session:
        return session.load_context().config_loader[key]


@pytest.fixture(params=["base", "test"])
def configured(request: pytest.FixtureRequest, project: Project) -> Project:
    return Project(project.data, env=request.param)


def all_datasets(registered: dict[str, Pipeline]) -> set[str]:
    """Return what any pipeline reads or makes."""
    return registered["__default__"].datasets() | registered["ingest"].datasets()


def blocks() -> Iterator[tuple[str, type]]:
    """Yield the top-level block of each ``params:`` input with the type its node wants."""
    bootstrap_project(PROJECT)
    for node in [*pipelines["__default__"].nodes, *pipelines["ingest"].nodes]:
        hints = typing.get_type_hints(node.func)
        for argument, name in zip(
            inspect.signature(node.func).parameters, node.inputs, strict=True
        ):
            if name.startswith("params:"):
                yield name.removeprefix("params:"), hints.get(argument, object)


def test_the_chain_is_registered_in_order(registered):
    assert set(registered) == {*CHAIN, "ingest", "own_classifier", "own_data", "__default__"}
    whole = sum((registered[name] for name in CHAIN), Pipeline([]))
    assert set(registered["__default__"].nodes) == set(whole.nodes)
    own = registered["own_classifier"]
    left_out = {node.name for node in set(whole.nodes) - set(own.nodes)}
    assert left_out == {"train_demo_classifier"}
    assert "classifier" in own.inputs()


def test_own_data_takes_ingest_for_prepare_and_measures_the_accuracy(registered):
    own, ingest = registered["own_data"], registered["ingest"]
    left = {name for name in CHAIN if name not in ("prepare", "classify")}
    wanted = {node for name in left for node in registered[name].nodes} | set(ingest.nodes)
    assert {node.name for node in set(own.nodes) - wanted} == {"measure_classifier_accuracy"}
    assert wanted <= set(own.nodes)
    assert {name for name in own.inputs() if not is_parameter(name)} >= {"classifier"}
    assert ingest.outputs() >= {"images", "context_features", "image_records"}


def test_every_pipeline_has_nodes_and_their_tag(registered):
    for name in CHAIN:
        assert registered[name].nodes, name
        for node in registered[name].nodes:
            assert name in node.tags, node


def test_every_dataset_of_a_pipeline_is_in_the_catalog(configured, registered):
    catalog = configuration(configured, "catalog")
    named = {n for n in all_datasets(registered) if not is_parameter(n)}
    assert named - set(catalog) == set()


def test_no_catalog_entry_is_unused(configured, registered):
    catalog = configuration(configured, "catalog")
    named = all_datasets(registered)
    assert {n for n in catalog if not n.startswith("_")} - named == set()


def test_every_catalog_entry_has_a_layer(configured):
    for name, entry in configuration(configured, "catalog").items():
        assert entry["metadata"]["kedro-viz"]["layer"] in LAYERS, name


def test_every_file_of_the_catalog_lies_under_the_data_root(project):
    for name, entry in configuration(project, "catalog").items():
        if "filepath" in entry:
            assert entry["filepath"].startswith(str(project.data)), name


def test_every_catalog_entry_can_be_made(configured):
    with configured.session() as session:
        catalog = session.load_context().catalog
        entries = configuration(configured, "catalog")
        made = {name: type(catalog[name]).__name__ for name in entries if name[0] != "_"}
    assert len(made) > 20
    assert made == {name: entries[name]["type"].rpartition(".")[2] for name in made}


@pytest.mark.parametrize("environment", ["base", "test", "celeba", "ffhq", "ffhq128", "ffhq256"])
def test_an_environment_has_only_parameters_that_a_pipeline_reads(environment, registered):
    used = {name.partition(".")[0] for name, _ in blocks()} | set(SharedParameters.model_fields)
    files = sorted((PROJECT / "conf" / environment).glob("parameters*.yml"))
    assert files
    for file in files:
        assert set(yaml.safe_load(file.read_text())) <= used, file.name


def test_every_block_of_parameters_is_typed_and_forbids_what_it_does_not_know(project):
    parameters = configuration(project, "parameters")
    types = {name: wanted for name, wanted in blocks() if "." not in name}
    assert types.keys() & parameters.keys() >= {*CHAIN, "ingest"} - {"classify"}
    for name, block in parameters.items():
        if isinstance(block, dict) and name != "compute":
            assert issubclass(types[name], BaseModel), name
            for model in models_in(types[name]):
                assert model.model_config.get("extra") == "forbid", model


def models_in(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Yield ``model`` and all models nested in its fields."""
    yield model
    for field in model.model_fields.values():
        for inner in (field.annotation, *typing.get_args(field.annotation)):
            if inspect.isclass(inner) and issubclass(inner, BaseModel):
                yield from models_in(inner)


def test_the_default_parameters_name_every_field(project):
    """What a file leaves out a user would not find."""
    parameters = configuration(Project(project.data, env="base"), "parameters")
    for name, model in blocks():
        if inspect.isclass(model) and issubclass(model, BaseModel) and "." not in name:
            assert set(parameters[name]) == set(model.model_fields), name


@pytest.mark.parametrize("name", [*(name for name in CHAIN if name != "classify"), "ingest"])
def test_an_unknown_parameter_is_named(project, name):
    with pytest.raises(Exception, match=rf"(?s){name}.*unheard_of"):
        project.run(name, params={name: {"unheard_of": 1}})


@pytest.mark.parametrize("name", [*(name for name in CHAIN if name != "classify"), "ingest"])
def test_a_mistyped_parameter_is_named(project, name):
    model = dict(blocks())[name]
    field = next(iter(model.model_fields))  # type: ignore[attr-defined]
    with pytest.raises(Exception, match=rf"(?s){name}.*{field}"):
        project.run(name, params={name: {field: {"no": "such value"}}})


def test_the_command_line_starts_without_the_heavy_libraries():
    code = (
        "import sys; from kedro.framework.startup import bootstrap_project; import kedro.framework"
        ".session; bootstrap_project('.'); from kedro.framework.project import validate_settings;"
        "validate_settings(); print({'torch', 'mlflow', 'sklearn'} & set(sys.modules))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip().endswith("set()")
