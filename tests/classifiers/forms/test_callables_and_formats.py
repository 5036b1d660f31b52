import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from kedro.io import DataCatalog, DatasetError
from kedro.pipeline import Node, Pipeline

from glance_pipeline.classifiers.forms.file_formats import tell_format
from glance_pipeline.datasets import ClassifierDataset
from glance_pipeline.project.hooks.cannot_run import CannotRunError
from glance_pipeline.project.hooks.contents import check_classifier
from glance_pipeline.project.hooks.queries import queries_of
from helpers.teachers import SPECIFICATION, assert_same, conv_net, images, reference

NETWORK = conv_net()
NOT_CALLABLE = 3


@torch.no_grad()
def answer(batch: np.ndarray) -> np.ndarray:
    return NETWORK(torch.from_numpy(batch)).numpy()


def answer_with_features(batch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return answer(batch), batch.reshape(len(batch), -1)[:, :7]


def make_network(classes: int) -> torch.nn.Module:
    return conv_net(classes)


def fails(batch: np.ndarray) -> np.ndarray:
    raise KeyError("endpoint")


class Endpoint:
    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, batch: np.ndarray) -> list[list[float]]:
        assert self.url == "http://here"
        return answer(batch).tolist()


def entry(name: str, **changes) -> ClassifierDataset:
    arguments = {"network": f"{__name__}.{name}", "specification": SPECIFICATION, "trust": True}
    return ClassifierDataset(**(arguments | changes))


def test_a_callable_is_not_asked_without_trust():
    with pytest.raises(DatasetError, match=r"it is a Python callable, which is a program"):
        entry("answer", trust=False).load()


@pytest.mark.parametrize(
    ("name", "arguments"), [("answer", None), ("Endpoint", {"url": "http://here"})]
)
def test_a_callable_is_a_black_box(name, arguments):
    dataset = entry(name, arguments=arguments)
    assert dataset.exists()
    loaded = dataset.load()
    assert not loaded.differentiable
    torch.testing.assert_close(loaded.logits(images()), reference(NETWORK).logits(images()))


def test_a_callable_may_give_features():
    found = entry("answer_with_features").load()(images()).features
    wanted = ((images() + 1) / 2 - 0.2) / 0.3
    torch.testing.assert_close(found, wanted.flatten(1)[:, :7])


def test_a_callable_that_makes_a_module_has_gradients():
    loaded = entry("make_network", arguments={"classes": 3}).load()
    assert loaded.differentiable
    assert_same(loaded, reference(NETWORK))


def test_the_count_is_the_catalog_entrys():
    dataset = entry("answer", most_queries=100)
    assert queries_of(DataCatalog({"classifier": dataset})) is None
    dataset.load().logits(images(4))
    queries = queries_of(DataCatalog({"classifier": dataset}))
    assert str(queries) == "asked about 13 images of at most 100; 0 answers were known already"
    assert queries_of(DataCatalog({})) is None


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("NOT_CALLABLE", {}, "NOT_CALLABLE is int; a function, a class"),
        ("nothing", {}, r"nothing cannot be imported: .* source_dir .* or on PYTHONPATH"),
        ("Endpoint", {"arguments": {"host": 1}}, "cannot be made with the arguments .*'host'"),
        ("fails", {}, r"fails does not answer a batch \(1, 1, 8, 8\) of float32: KeyError"),
        ("answer", {"specification": None}, "does not say its image_shape and class_names"),
    ],
)
def test_what_is_no_teacher_is_said(name, changes, said):
    with pytest.raises(DatasetError, match=said):
        entry(name, **changes).load()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "needs a `filepath`, or a `network`"),
        ({"filepath": "mine.pt", "format": "keras"}, "format: found 'keras', wanted one of"),
        ({"filepath": "mine.onnx", "most_queries": 0}, "most_queries: found 0, wanted 1 or more"),
    ],
)
def test_entries_that_make_no_sense_are_refused(arguments, said):
    with pytest.raises(DatasetError, match=said):
        ClassifierDataset(**arguments)


def test_weights_without_their_class_are_refused(tmp_path):
    torch.save(NETWORK.state_dict(), tmp_path / "mine.pth")
    with pytest.raises(DatasetError, match=r"'weights' needs the import path of the class"):
        ClassifierDataset(filepath=str(tmp_path / "mine.pth")).load()


def test_the_format_can_be_told_against_the_suffix(tmp_path):
    path = tmp_path / "weights.dat"
    torch.save(NETWORK.state_dict(), path)
    told = {"network": f"{__name__}.make_network", "arguments": {"classes": 3}}
    dataset = ClassifierDataset(
        filepath=str(path), format="weights", specification=SPECIFICATION, **told
    )
    assert_same(dataset.load(), reference(NETWORK))
    path.unlink()
    with pytest.raises(DatasetError, match=r"weights.dat: no such file"):
        dataset.load()


def test_class_names_may_be_a_text_file(tmp_path):
    names = tmp_path / "names.txt"
    names.write_text("red\ngreen\nblue\n")
    told = {**SPECIFICATION, "class_names": str(names)}
    assert entry("answer", specification=told).load().class_names == ("red", "green", "blue")
    names.unlink()
    with pytest.raises(DatasetError, match=r"class_names: .*names.txt cannot be read"):
        entry("answer", specification=told).load()


def test_many_classes_are_warned_of(caplog):
    told = {**SPECIFICATION, "class_names": [f"class {k}" for k in range(1001)]}
    changes = {"arguments": {"classes": 1001}, "specification": told}
    loaded = entry("make_network", **changes).load()
    assert loaded.logits(images()).shape == (5, 1001)
    assert caplog.text.count("1,001 classes") == 1


def archive(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name in names:
            file.writestr(f"model/{name}", "x")
    return path


def test_archives_of_torch_are_told_apart_by_content(tmp_path):
    assert tell_format(archive(tmp_path / "a.pt", "data.pkl", "code/a.py")) == "torchscript"
    assert tell_format(archive(tmp_path / "b.pth", "data.pkl", "data/0")) == "weights"
    assert tell_format(archive(tmp_path / "c.pt", "models/model.json")) == "exported"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("mine.xyz", b"x", r"suffix '.xyz' is unknown, .*begins with b'x'; known are .*'.onnx'"),
        ("mine.pt", b"", "0 bytes were found, an empty file"),
        ("mine.pt", b"PK\x03\x04 and no end", "no complete file of torch.save"),
        ("mine.pt", None, "no such file"),
    ],
)
def test_what_is_no_model_is_said(tmp_path, name, content, said):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DatasetError, match=said):
        ClassifierDataset(filepath=str(tmp_path / name), network="a.B").load()


def test_a_state_dict_from_before_batches_were_counted_is_read(tmp_path):
    weights = {n: w for n, w in NETWORK.state_dict().items() if "num_batches_tracked" not in n}
    assert len(weights) < len(NETWORK.state_dict())
    torch.save(weights, tmp_path / "old.pt")
    dataset = entry("make_network", arguments={"classes": 3}, filepath=str(tmp_path / "old.pt"))
    assert_same(dataset.load(), reference(NETWORK))


def test_a_class_that_cannot_be_imported_is_said_once(tmp_path):
    torch.save(NETWORK.state_dict(), tmp_path / "net.pt")
    with pytest.raises(DatasetError, match=r"^classifier \S+: the network \S+nothing cannot be im"):
        entry("nothing", filepath=str(tmp_path / "net.pt")).load()


def test_names_of_classes_in_a_file_with_a_byte_order_mark(tmp_path):
    (tmp_path / "names.txt").write_text("a\nb\nc\n", encoding="utf-8-sig")
    told = {**SPECIFICATION, "class_names": str(tmp_path / "names.txt")}
    assert entry("answer", specification=told).load().class_names == ("a", "b", "c")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"arguments": {"classes": 4}}, r"shape \(1, 4\); \(1, 3\) was wanted"),
        ({"arguments": {"clases": 3}}, "cannot be made with the arguments"),
        ({"specification": {**SPECIFICATION, "class_names": ["a"]}}, "found 1 .* at least 2"),
    ],
)
def test_a_classifier_that_cannot_be_used_is_said_in_one_line_before_a_run(changes, said):
    catalog = DataCatalog({"classifier": entry("make_network", **changes)})
    pipeline = Pipeline([Node(len, inputs="classifier", outputs="number")])
    with pytest.raises(CannotRunError, match=said) as raised:
        check_classifier(pipeline, catalog)
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith("classifier ")
