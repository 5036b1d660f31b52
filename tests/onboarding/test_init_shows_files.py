"""What init says of joins, links and images that come twice, and what it lets the user state."""

import shutil

import numpy as np
import pandas as pd

from helpers.onboarding import COUNT, UsersProject, loaded


def flat(text: str) -> str:
    return " ".join(text.split())


def test_a_join_and_images_that_come_twice_are_shown(users: UsersProject) -> None:
    pets = users.root / "data" / "01_raw" / "pets"
    for number in range(2, COUNT, 2):  # all green pictures are one
        shutil.copy(pets / "green" / "00.png", pets / "green" / f"{number:02}.png")
    said = flat(users.init("--no-timing").output)
    assert "pets.csv has a row for 60 of 60 images (100 %), by file name in its column" in said
    assert "green/00.png ↔ 00.png (age" in said
    assert "images, of a sample of 60: 29 of 60 are the same as another" in said
    assert "are the same as one of another split" in said


def test_links_that_lead_out_are_followed_where_the_user_says_so(users: UsersProject) -> None:
    pets = users.root / "data" / "01_raw" / "pets"
    (pets / "red").rename(users.root / "elsewhere")
    (pets / "red").symlink_to(users.root / "elsewhere")
    result = users.init("--no-timing")
    assert result.exit_code == 1
    assert "links that lead out of it: 1, the first red →" in result.output
    result = users.init("--no-timing", "--links", "anywhere")
    assert result.exit_code == 0, result.output
    assert "links that are followed: 1, the first red →" in flat(result.output)
    assert loaded(users)[1]["ingest"]["links"] == "anywhere"


def test_order_separator_and_encoding_may_be_stated(users: UsersProject) -> None:
    raw = users.root / "data" / "01_raw"
    np.save(raw / "y.npy", np.arange(COUNT) % 2)
    table = pd.read_csv(raw / "pets.csv").rename(columns={"age": "größe, cm"})
    table.to_csv(raw / "pets.csv", sep=";", index=False, encoding="latin-1")
    stated = ("--label-file", str(raw / "y.npy"), "--encoding", "latin-1", "--separator", ";")
    result = users.init("--no-timing", *stated, class_names="green,red")
    assert result.exit_code == 1
    assert "Say --label-order names_as_text or names_as_numbers" in result.output
    stated = (*stated, "--label-order", "names_as_numbers")  # type: ignore[assignment]
    result = users.init("--no-timing", *stated, class_names="green,red")
    assert result.exit_code == 0, result.output
    assert "100.0 % of a sample of 60 labelled images" in result.output
    ingest = loaded(users)[1]["ingest"]
    assert ingest["label_order"] == "names_as_numbers"
    assert ingest["context"]["separator"] == ";"
    assert ingest["context"]["encoding"] == "latin-1"
    assert ingest["context"]["features"] == ["größe, cm", "shape"]
