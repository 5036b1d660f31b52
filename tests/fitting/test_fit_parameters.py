"""Parameters of a training without a project."""

import pytest
import yaml

from glance_pipeline.fitting.fit_parameters import merged, parameters_for
from glance_pipeline.support.errors import UserError
from helpers.project import PROJECT


def test_they_are_those_of_a_new_project():
    found = parameters_for(32, {})
    for name, block in found.blocks.items():
        text = (PROJECT / f"conf/base/parameters_{name}.yml").read_text(encoding="utf-8")
        written = yaml.safe_load(text)[name]
        if name == "align":
            written["units"] = {}
        assert block == type(block).model_validate(written), name
    assert found.shared.seed == 0


@pytest.mark.parametrize("size", [8, 16, 64, 256])
def test_networks_have_a_width_for_each_size(size):
    found = parameters_for(size, {})
    assert 4 * 2 ** (len(found["distill"].surrogate.widths) - 1) == size
    assert len(found["align"].reader.widths) == len(found["distill"].surrogate.widths)


def test_there_is_room_for_many_context_features_unless_the_size_is_said():
    assert parameters_for(32, {}, taken=30)["distill"].surrogate.residual == 52
    assert parameters_for(32, {}, taken=60)["distill"].surrogate.residual == 72
    told = {"distill": {"surrogate": {"residual": 61}}}
    assert parameters_for(32, told, taken=60)["distill"].surrogate.residual == 61


def test_only_what_is_named_is_otherwise():
    told = {"seed": 3, "distill": {"stage": {"objectives": {"reconstruction": {"weight": 2}}}}}
    found, usual = parameters_for(32, told), parameters_for(32, {})
    objectives = found["distill"].stage.objectives
    assert objectives["reconstruction"].weight == 2
    assert {k: v for k, v in objectives.items() if k != "reconstruction"} == {
        k: v for k, v in usual["distill"].stage.objectives.items() if k != "reconstruction"
    }
    assert found.shared.seed == 3 and found["discover"] == usual["discover"]


def test_merging_changes_neither_of_both():
    base, told = {"a": {"b": 1, "c": [2]}}, {"a": {"b": {"d": 3}}}
    assert merged(base, told) == {"a": {"b": {"d": 3}, "c": [2]}}
    assert base == {"a": {"b": 1, "c": [2]}} and told == {"a": {"b": {"d": 3}}}


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"distil": {}}, "parameters: found 'distil': did you mean 'distill'|closest"),
        ({"ingest": {"size": 32}}, "parameters: found 'ingest'"),
        ({"distill": {"stage": {"steps": 0}}}, "parameter distill.stage.steps: .*greater than"),
        ({"distill": {"stage": {"step": 5}}}, "parameter distill.stage.step: Extra"),
        ({"distill": 5}, "parameters: distill: found 5, wanted names and values"),
        ({"compute": {"threads": 0}}, "parameter compute.threads"),
        ({"seed": -1}, "parameter seed"),
    ],
)
def test_what_is_wrong_is_named(told, message):
    with pytest.raises(UserError, match=message):
        parameters_for(32, told)
