"""What ``init`` takes a file's word for, and what only the user's."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from helpers.onboarding import UsersProject, loaded, weights

RAW = Path("data/01_raw")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glance_pipeline.cli._is_terminal", lambda: True)


def program() -> str:
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 2))
    network.load_state_dict({name.replace("linear", "1"): t for name, t in weights().items()})
    torch.jit.save(torch.jit.trace(network.eval(), torch.zeros(2, 3, 16, 16)), RAW / "pets.ts")
    return str(RAW / "pets.ts")


@pytest.mark.parametrize("model", ["users_net:ask", "program"])
def test_a_program_wants_the_users_word(users: UsersProject, model: str) -> None:
    model = program() if model == "program" else model
    result = users.init("--no-timing", "--yes", model=model, network=None, size="16")
    assert result.exit_code == 1
    assert "--trust is missing" in result.output
    assert "runs what its author wrote, with your rights on this machine" in result.output
    assert result.output.count("\n") == 1
    assert users.environments() == ["base", "logging.yml"]
    result = users.init("--no-timing", "--trust", model=model, network=None, size="16")
    assert result.exit_code == 0, result.output
    assert "  trust " in result.output and " a program, loaded on your word\n" in result.output
    assert loaded(users)[0]["classifier"]["trust"] is True


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("answer", ["n", ""])
def test_a_program_that_is_not_trusted_is_not_loaded(users: UsersProject, answer: str) -> None:
    result = users.init("--no-timing", model=program(), network=None, text=f"{answer}\n")
    assert "Do you trust its author? [y/N]" in result.output
    assert "it was not loaded, and nothing was written" in result.output
    assert users.environments() == ["base", "logging.yml"]


@pytest.mark.usefixtures("terminal")
def test_a_program_is_trusted_on_a_terminal(users: UsersProject) -> None:
    text = "y\n" + "\n" * 8 + "y\n"
    result = users.init("--no-timing", model=program(), network=None, text=text)
    assert result.exit_code == 0, result.output
    assert loaded(users)[0]["classifier"]["trust"] is True


def test_data_are_not_said_to_be_trusted(users: UsersProject) -> None:
    result = users.init("--no-timing", "--trust")
    assert result.exit_code == 0 and " data: nothing in it was run\n" in result.output
    assert "trust" not in loaded(users)[0]["classifier"]


def with_header(network: str, arguments: dict[str, object]) -> str:
    entry = {"format": 1, "project": "0", "network": network, "header": {"arguments": arguments}}
    path = RAW / "pets.safetensors"
    save_file(weights(), path, {"glance_pipeline": json.dumps(entry)})
    return str(path)


def test_a_class_in_a_header_is_shown_and_not_imported(users: UsersProject) -> None:
    model = with_header("subprocess.run", {"args": ["touch", "ran"]})
    result = users.init("--no-timing", model=model, network=None)
    assert "--network is missing" in result.output
    assert "Its header says subprocess.run, which is not imported on its word." in result.output
    result = users.init("--no-timing", model=model)
    assert "found weights of subprocess.run; wanted those of users_net.ColourNet" in result.output
    assert not Path("ran").exists()


def test_arguments_in_a_header_are_the_users_to_say(users: UsersProject) -> None:
    model = with_header("users_net.ColourNet", {"classes": 2})
    result = users.init("--no-timing", model=model)
    assert result.exit_code == 1
    assert "was called with {'classes': 2}; a file's word is not taken for that" in result.output
    result = users.init("--no-timing", model=model, arguments="{classes: 2}")
    assert result.exit_code == 0, result.output


def test_what_was_settled_is_said_and_written(users: UsersProject) -> None:
    content = {"epoch": 3, "model_state": {f"module.{n}": t.half() for n, t in weights().items()}}
    torch.save(content, RAW / "pets.th")
    result = users.init("--no-timing", model=str(RAW / "pets.th"))
    assert result.exit_code == 0, result.output
    assert (
        "weights     those under 'model_state'; 'module.' is cut off their names" in result.output
    )
    assert "float16; it runs in float32" in result.output
    entry = loaded(users)[0]["classifier"]
    assert entry["key"] == "model_state" and entry["prefix"] == "module."


def test_one_of_several_state_dicts_is_the_users_choice(users: UsersProject, monkeypatch) -> None:
    torch.save({"state_dict": weights(), "ema": weights()}, RAW / "pets.tar")
    result = users.init("--no-timing", model=str(RAW / "pets.tar"))
    assert result.exit_code == 1
    assert "under ['state_dict', 'ema']" in result.output
    assert "name the one that is wanted as --key" in result.output
    monkeypatch.setattr("glance_pipeline.cli._is_terminal", lambda: True)
    text = "averaged\nema\n" + "\n" * 8 + "y\n"
    result = users.init("--no-timing", model=str(RAW / "pets.tar"), text=text)
    assert "Which of its state dicts (state_dict, ema)" in result.output
    assert "found 'averaged', wanted one of ['state_dict', 'ema']" in result.output
    assert result.exit_code == 0, result.output
    assert loaded(users)[0]["classifier"]["key"] == "ema"


def test_names_in_a_file_do_not_reach_the_terminal_as_they_are(users: UsersProject) -> None:
    torch.save({"\x1b]0;owned\x07.weight": torch.zeros(2)}, RAW / "net.pt")
    result = users.init(model=str(RAW / "net.pt"), network=None)
    assert result.exit_code == 1 and "\\x1b]0;owned\\x07.weight" in result.output
    assert "\x1b" not in result.output and "\x07" not in result.output


def test_a_file_of_class_names_is_bounded(users: UsersProject) -> None:
    Path("names.txt").write_bytes(b"a\n" * 2**26)
    result = users.init("--class-names", "names.txt")
    assert result.exit_code == 1 and "longer than the 67,108,864 bytes" in result.output
