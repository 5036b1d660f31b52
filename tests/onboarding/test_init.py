"""``kedro glance init`` on a user's project, in this process."""

import pytest
import torch
import yaml

from glance_pipeline.config.align import AlignParameters
from glance_pipeline.config.distill import DistillParameters
from glance_pipeline.config.ingest import IngestParameters
from glance_pipeline.datasets import ClassifierDataset
from helpers.onboarding import COUNT, UsersProject, loaded, weights


def test_an_environment_is_written_and_what_was_found_is_said(users: UsersProject) -> None:
    result = users.init("--no-timing")
    assert result.exit_code == 0, result.output
    for said in (
        "weights, users_net.ColourNet, 1,538 weights",
        "input       3 × 16 × 16 (tried: no other usual size)",
        "green, red (those of the labels, in their order)",
        "features    768, the input of linear",
        "60: train 48, validation 6, test 6 (at random)",
        "24×20 px, in colour",
        "cropped to the middle square first",
        "green 30, red 30",
        "100.0 % of a sample of 60 labelled images",
        "categorical: flat, long, round",
        "age    continuous, 1.",
        "planet is left out: it is constant, earth wherever it is known",
        "Gradients: yes",
        "Next:    kedro run --env pets --pipeline own_data",
    ):
        assert said in result.output, said
    assert "Expected of a run" not in result.output


def test_what_is_written_loads_and_is_typed(users: UsersProject) -> None:
    users.init("--no-timing")
    catalog, parameters = loaded(users)
    ingest = IngestParameters.model_validate(parameters["ingest"])
    assert (ingest.source, ingest.size, ingest.channels, ingest.crop, ingest.labels) == (
        "data/01_raw/pets", 16, 3, "square", "folders",
    )  # fmt: skip
    assert ingest.context.tables == ("data/01_raw/pets.csv",)
    assert ingest.context.features == ("age", "shape")
    assert DistillParameters.model_validate(parameters["distill"]).surrogate.widths == (96, 64, 48)
    assert AlignParameters.model_validate(parameters["align"]).reader.widths == (64, 48, 32)
    entry = catalog["classifier"]
    assert entry.pop("type") == "glance_pipeline.datasets.ClassifierDataset"
    assert ClassifierDataset(**entry).load().class_names == ("green", "red")
    assert catalog["images"]["filepath"].startswith("data/pets/")


@pytest.mark.parametrize("name", ["2024", "no"])
def test_a_name_that_is_no_word_to_yaml_names_its_folder_all_the_same(users, name: str) -> None:
    assert users.init("--no-timing", name=name).exit_code == 0
    assert loaded(users, name)[0]["images"]["filepath"].startswith(f"data/{name}/")


def test_a_file_whose_name_looks_like_an_interpolation_is_named_as_it_is(users) -> None:
    torch.save(weights(), users.root / "${a.pt")
    result = users.init("--no-timing", model="${a.pt")
    assert result.exit_code == 0, result.output
    assert loaded(users)[0]["classifier"]["filepath"] == "${a.pt"


def test_an_environment_that_is_there_is_left_alone(users: UsersProject) -> None:
    (users.root / "conf" / "pets").mkdir()
    (users.root / "conf" / "pets" / "mine.yml").write_text("a: 1")
    result = users.init("--no-timing")
    assert result.exit_code == 1
    assert "Error: --name: there is a conf/pets already, and it stays as it is" in result.output
    assert [path.name for path in (users.root / "conf" / "pets").iterdir()] == ["mine.yml"]
    assert users.environments() == ["base", "logging.yml", "pets"]


def test_without_labels_and_context_both_are_said_to_be_absent(users: UsersProject) -> None:
    result = users.init("--no-timing", table=None, labels="none", class_names="g, r")
    assert result.exit_code == 0, result.output
    assert "labels    none: accuracy is not measured" in result.output
    assert "Context features: none: all concepts will be latent" in result.output
    _, parameters = loaded(users)
    assert parameters["ingest"]["labels"] is None
    assert IngestParameters.model_validate(parameters["ingest"]).context.tables == ()


def test_named_classes_are_what_the_labels_become(users: UsersProject) -> None:
    result = users.init("--no-timing", class_names="leaf,brick")
    assert "accuracy  100.0 %" in result.output
    catalog, parameters = loaded(users)
    assert parameters["ingest"]["class_names"] == ["leaf", "brick"]
    assert catalog["classifier"]["specification"]["class_names"] == ["leaf", "brick"]


def test_a_file_of_class_names_is_read_as_the_run_reads_it(users: UsersProject) -> None:
    (users.root / "names.txt").write_text("green\nred\n", encoding="utf-8-sig")
    result = users.init("--no-timing", class_names="names.txt")
    assert "accuracy  100.0 %" in result.output, result.output
    assert loaded(users)[1]["ingest"]["class_names"] is None  # the labels are these very names


def test_the_layer_that_answers_is_named_and_not_the_last_in_the_list(users: UsersProject) -> None:
    network = """
from users_net import ColourNet
from torch import nn

class WithSpareHead(ColourNet):
    def __init__(self):
        super().__init__()
        self.spare = nn.Linear(5, 2)
"""
    (users.root / "src" / "spare_net.py").write_text(network)
    spare = {"spare.weight": torch.zeros(2, 5), "spare.bias": torch.zeros(2)}
    torch.save({**weights(), **spare}, users.root / "spare.pt")
    result = users.init("--no-timing", model="spare.pt", network="spare_net.WithSpareHead")
    assert "features    768, the input of linear\n" in result.output, result.output


def test_an_accuracy_that_is_no_better_than_chance_is_a_warning(users: UsersProject) -> None:
    result = users.init("--no-timing", class_names="red,green")
    assert "accuracy  0.0 %" in result.output, result.output
    assert "always the most frequent class would be right on 50.0 %" in result.output


@pytest.mark.parametrize("missing", ["--name", "--model", "--images"])
def test_a_missing_option_is_named_where_nobody_can_be_asked(users, missing: str) -> None:
    result = users.init("--no-timing", **{missing[2:]: None})
    assert result.exit_code == 1
    assert result.output.startswith(f"Error: {missing} is missing: ")
    assert users.environments() == ["base", "logging.yml"]


def test_a_state_dict_without_its_class_says_what_is_in_it(users: UsersProject) -> None:
    result = users.init("--no-timing", network=None)
    assert result.exit_code == 1
    assert "--network is missing" in result.output
    assert "linear.weight (2, 768), linear.bias (2,)" in result.output


def test_questions_are_asked_on_a_terminal_with_defaults(users, monkeypatch) -> None:
    monkeypatch.setattr("glance_pipeline.cli._is_terminal", lambda: True)
    answers = [
        "base",
        "pets",
        "gone.pt",
        "data/01_raw/pets.pt",
        "users_net.ColourNet",
        "{classes: 2}",
        *[""] * 8,
        "y",
    ]
    result = users.init(
        "--no-timing", name=None, model=None, network=None, text="\n".join(answers) + "\n"
    )
    assert result.exit_code == 0, result.output
    assert "there is a conf/base already" in result.output  # asked again
    assert "there is no file or folder" in result.output  # likewise
    assert "data/01_raw/pets.pt holds weights alone: linear.weight (2, 768)" in result.output
    assert "px (a power of two; more take longer) [16]" in result.output
    assert "or none [folders]" in result.output
    assert "[green,red]" in result.output
    entry = loaded(users)[0]["classifier"]
    assert entry["arguments"] == {"classes": 2}
    assert entry["specification"]["class_names"] == ["green", "red"]


def test_who_does_not_agree_gets_nothing(users, monkeypatch) -> None:
    monkeypatch.setattr("glance_pipeline.cli._is_terminal", lambda: True)
    result = users.init("--no-timing", text="\n" * 7 + "n\n")
    assert result.output.endswith("Nothing was written.\n")
    assert users.environments() == ["base", "logging.yml"]


def test_yes_asks_nothing_on_a_terminal(users, monkeypatch) -> None:
    monkeypatch.setattr("glance_pipeline.cli._is_terminal", lambda: True)
    assert users.init("--no-timing", "--yes").exit_code == 0


def test_a_black_box_is_told_from_its_module_and_its_queries_are_stated(users) -> None:
    result = users.init("--no-timing", "--trust", model="users_net:ask", network=None, size="16")
    assert result.exit_code == 0, result.output
    assert "Gradients: none, a black box" in result.output
    training = 2 * 16 * (4500 + 200 + 3000)
    assert f"at most {training:,} for training, {COUNT} for the images themselves" in result.output
    # 32 to see what it answers, 10 on loading, 60 for the accuracy; its normalisation is not tried.
    assert "this command asked it about 102 images" in result.output
    assert "not known, and not tried: images as they are" in result.output
    entry = loaded(users)[0]["classifier"]
    assert entry["network"] == "users_net.ask" and "filepath" not in entry
    assert entry["specification"]["output"] == "probabilities"
    assert "features    none: its answers take their place" in result.output


def test_the_written_files_say_what_may_be_changed(users: UsersProject) -> None:
    users.init("--no-timing")
    text = (users.root / "conf/pets/parameters_ingest.yml").read_text()
    assert "# context: planet is left out: it is constant" in text
    assert "- shape # categorical" in text
    assert "source: data/01_raw/pets # 24×20 px, in colour" in text
    for file in (users.root / "conf/pets").iterdir():
        assert yaml.safe_load(file.read_text()), file
