"""Names of every kind as keys of other systems: valid there, never two alike, told back."""

import json
import re
import unicodedata
import warnings
import xml.etree.ElementTree as ElementTree

import networkx as nx
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from mlflow.utils.validation import _validate_metric_name, _validate_param_name

from glance_pipeline.onboarding.environment_files import as_yaml
from glance_pipeline.project.tracking.mlflow_run import MlflowRun, flatten
from glance_pipeline.support.figures import say_as_it_is
from glance_pipeline.support.names import (
    columns,
    file_name,
    file_names,
    is_reserved,
    made_visible,
    mlflow_key,
    readable_file_name,
    shortened,
    xml_key,
)
from glance_pipeline.twin.concept_table import ConceptTable

NASTY = (
    "", " ", ".", "..", "../a", "a//b", "a/./b", "/a", "a/", "CON", "con.txt", "nul", "a.", "a ",
    "A", "a", "É", "é", "e\u0301", "ß", "ss", "a b", "a_b", "a-b", "level (grey)", "size [px]",
    "size [px] [cm]", "$x$", "$\\frac$", "a\\b", "x^2_i", "<b>&amp;", '"quoted"', "'", "a\nb",
    "a\0b", "\x1b[31mred", "\u202egnp.exe", "\u05d0\u05d1", "🦊" * 100, "字" * 200, "x" * 250,
    "x" * 251, "x" * 1000, "${oc.env:HOME}", "\\${a}", "size _px_-0123456789", "None", "nan", "a:b",
    "margin:a", "level of", "a.b", "#1", "=1+1", "-", "%41", "\ud800",
)  # fmt: skip
texts = st.one_of(st.sampled_from(NASTY), st.text(max_size=300))
plain = st.one_of(  # what comes from a table or a path of UTF-8
    st.sampled_from([n for n in NASTY if n.isprintable() or "\ud800" not in n]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(texts, min_size=1, max_size=3), st.lists(texts, min_size=1, max_size=3))
@example(["a.b"], ["a", "b"])
@example(["size [px]"], ["size (px)"])
@example(["x" * 251], ["x" * 252])
def test_mlflow_takes_every_key_and_no_two_are_alike(one, other):
    for parts in (one, other):
        key = mlflow_key(*parts)
        _validate_metric_name(key)
        _validate_param_name(key)
        assert 0 < len(key) <= 250
        assert ":" not in key  # which Windows does not allow
    assert (mlflow_key(*one) == mlflow_key(*other)) == (one == other)


def test_keys_that_mlflow_takes_stay_as_they_are():
    assert mlflow_key("matrix", "thickness", "size") == "matrix.thickness.size"
    assert mlflow_key("distill/reconstruction") == "distill/reconstruction"
    assert mlflow_key("Größe 1") == "Größe 1"


def test_the_run_tells_back_what_a_key_stands_for():
    class Client:
        def log_batch(self, _run: str, metrics: list) -> None:
            self.metrics = {metric.key: metric.value for metric in metrics}

        def log_dict(self, _run: str, names: dict, _path: str) -> None:
            self.names = names

        def set_terminated(self, *_: str) -> None:
            pass

    client, results = Client(), {"matrix": {name: float(n) for n, name in enumerate(NASTY)}}
    run = MlflowRun(client, "run")
    run.log_results(results)
    assert run.end("FINISHED")
    told = {client.names.get(key, key): value for key, value in client.metrics.items()}
    assert told == {".".join(keys): value for keys, value in flatten(results)}
    assert len(client.metrics) == len(NASTY)


@settings(max_examples=300, deadline=None)
@given(texts, texts)
@example("Smile", "smile")
@example("é", "e\u0301")
@example("ß", "SS")
@example("a b", "a/b")
@example("ﬁ", "fi")
def test_every_system_takes_every_file_name_and_no_two_are_alike_on_any(one, other):
    folded = []
    for name in (file_name(one), file_name(other), *file_names([one])):
        assert 0 < len(name.encode()) <= 120
        assert re.fullmatch(r"[\w-][\w.-]*|unnamed-.*", name)
        assert not is_reserved(name)
        folded.append(unicodedata.normalize("NFKD", name).casefold())
    assert (folded[0] == folded[1]) == (one == other)


def test_a_readable_name_is_harmless():
    assert readable_file_name("../age / years") == "age_years"
    assert readable_file_name("…") == "unnamed"
    assert len(readable_file_name("é" * 200 + ".png").encode()) <= 120


@settings(max_examples=100, deadline=None)
@given(st.lists(texts, min_size=1, max_size=6, unique=True))
@example(["A", "a"])
@example(["a b", "a/b", "a:b"])
def test_files_of_one_folder_have_names_of_their_own(names):
    given = [unicodedata.normalize("NFKD", name).casefold() for name in file_names(names)]
    assert len(set(given)) == len(names)


def test_a_name_that_is_alone_stays_plain():
    assert file_names(["Smiling", "Mouth_Open", "a b"])[:2] == ["Smiling", "Mouth_Open"]
    assert all(re.search("-[0-9a-f]{10}$", name) for name in file_names(["A", "a"])[:1])


@settings(max_examples=200, deadline=None)
@given(texts, texts)
@example("a\nb", "a\\nb")
def test_graphml_holds_every_name(one, other):
    graph = nx.DiGraph()
    graph.add_nodes_from([xml_key(one), xml_key(other)])
    text = "".join(nx.generate_graphml(graph))
    ElementTree.fromstring(text)
    assert set(nx.parse_graphml(text).nodes) == set(graph.nodes)
    assert len(graph) == len({one, other})


@settings(max_examples=200, deadline=None)
@given(texts)
def test_a_line_stays_one(name):
    line = made_visible(name)
    assert len((line + "x").splitlines()) == 1
    line.encode()
    json.dumps(line, ensure_ascii=False).encode()
    assert not any(unicodedata.category(char) in ("Cc", "Cs", "Cf") for char in line)


@given(texts, st.integers(3, 40))
def test_a_shortened_name_fits(name, most):
    short = shortened(name, most)
    assert columns(short) <= most
    assert short == made_visible(name) or "…" in short


def test_columns_of_a_terminal_are_counted():
    assert [columns(text) for text in ("abc", "字字", "🦊", "e\u0301")] == [3, 4, 2, 1]
    assert shortened("a" * 30 + "z" * 30, 9) == "aaaa…zzzz"


def test_a_figure_says_every_name_as_it_is():
    figure = Figure()
    for number, name in enumerate(NASTY):
        if name != "\ud800":
            figure.text(0, number / len(NASTY), shortened(name, 40))
    figure.text(0, 0, "$\\frac{$ and $")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # signs that the font does not have
        say_as_it_is(figure).canvas.draw()
    assert figure.texts[-1].get_text() == "$\\frac{$ and $"


@settings(max_examples=100, deadline=None)
@given(st.lists(plain, min_size=1, max_size=4, unique=True), plain)
@example(["size [px] [cm]"], "grey [0, 1] levels")
def test_a_concept_table_keeps_names_and_units(names, unit):
    numbers = pd.DataFrame([[1.0] * len(names)], columns=names)
    kinds, units = dict.fromkeys(names, "aligned"), dict.fromkeys(names, unit)
    table = ConceptTable(numbers, numbers, kinds, units, {})
    again = ConceptTable.from_frame(table.to_frame())
    assert list(again.concepts) == list(again.margins) == names
    assert (again.units, again.kinds) == (units, kinds)


NO_NUMBERS = ["7e3", "1e3", "-1_0e2", ".5e1", "a\x85b: 1", "\u2028x", "???", "0o7", "12:30"]


@pytest.mark.parametrize("name", [n for n in NASTY if n != "\ud800"] + NO_NUMBERS)
def test_omegaconf_reads_what_init_writes(name, tmp_path):
    from omegaconf import OmegaConf

    (tmp_path / "a.yml").write_text(f"names: {as_yaml([name])}\n", encoding="utf-8")
    loaded = OmegaConf.load(tmp_path / "a.yml")
    assert OmegaConf.to_container(loaded, resolve=True) == {"names": [name]}
