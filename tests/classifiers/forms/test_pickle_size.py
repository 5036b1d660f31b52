"""Pickles of state dicts pass; those that would hang or end the process do not."""

import io
import pickle
from collections import OrderedDict
from typing import Any

import pytest
import torch
from torch import nn

from glance_pipeline.classifiers.forms import pickle_size
from glance_pipeline.classifiers.forms.pickle_size import check_pickle


def nested(levels: int, twice: bool) -> Any:
    content: Any = ()
    for _ in range(levels):
        content = (content, content) if twice else (content,)
    return content


def unpickled(content: Any, protocol: int = 2) -> io.BytesIO:
    return io.BytesIO(pickle.dumps(content, protocol=protocol))


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "content",
    [
        {f"layer{n}.weight": [n, (1, 2), {"a": None}] for n in range(5_000)},
        OrderedDict((str(n), bytes(n)) for n in range(300)),
        nested(150, twice=False),
        nested(20, twice=True),
        [set(range(9)), frozenset("ab"), 2**70, 1.5, True, "é", pickle.PickleBuffer],
    ],
    ids=["large", "ordered", "deep", "shared", "kinds"],
)
def test_whole_pickles_are_passed_and_read_to_their_end(content, protocol):
    stream = unpickled(content, protocol)
    stream.seek(0, io.SEEK_END)
    stream.write(b"what follows")
    stream.seek(0)
    check_pickle(stream)
    assert stream.read() == b"what follows"


@pytest.mark.parametrize(
    "content", [nested(300, twice=False), nested(25, twice=True)], ids=["deep", "unfolding"]
)
def test_what_is_nested_or_unfolds_too_much_is_refused(content):
    with pytest.raises(ValueError, match="nested more than 200 deep or unfolds to more than"):
        check_pickle(unpickled(content))


@pytest.mark.parametrize(
    "content", [b"", b"\x80\x02", b"\x80\x02\x85.", b"\x80\x02h\x07.", b"\xff"]
)
def test_what_is_no_whole_pickle_is_refused(content):
    with pytest.raises(ValueError, match=r"pickle|opcode"):
        check_pickle(io.BytesIO(content))


def test_a_checkpoint_with_its_optimiser_is_passed(tmp_path):
    network = nn.ModuleList([nn.Linear(1, 1) for _ in range(200)])
    optimiser = torch.optim.Adam(network.parameters())
    sum(p.sum() for p in network.parameters()).backward()
    optimiser.step()
    content = {"model": network.state_dict(), "optimizer": optimiser.state_dict()}
    torch.save(content, tmp_path / "net.pt", _use_new_zipfile_serialization=False)
    with (tmp_path / "net.pt").open("rb") as file:
        for _ in range(5):
            check_pickle(file)


@pytest.mark.parametrize(
    ("bound", "words"), [("_LARGEST", "unfolds to more"), ("_MOST_BYTES", "longer than the")]
)
def test_what_stays_flat_is_bounded_too(monkeypatch, bound, words):
    monkeypatch.setattr(pickle_size, bound, 1000)
    content = b"\x80\x02(" + 5000 * b"N" + b"t."
    with pytest.raises(ValueError, match=words):
        check_pickle(io.BytesIO(content))
    check_pickle(io.BytesIO(b"\x80\x02(" + 900 * b"N" + b"t."))
