import io
from dataclasses import replace

import pandas as pd
import pytest

from glance_pipeline.graph.model.edge_table import COLUMNS, edge_table
from glance_pipeline.graph.model.evidence import DoseResponse, Reexamination, Suggestion
from glance_pipeline.graph.model.evidence_in_words import evidence_in_words
from helpers.causal_words import associated, correlation, edge, effect, full_graph, graph, used


def words(one) -> str:
    return evidence_in_words(one, graph(one))


@pytest.mark.parametrize(
    ("marks", "said"),
    [
        ("o-o", "Whether a causes b, b causes a or something hidden causes both cannot be told."),
        (
            "o->",
            "b does not cause a; whether a causes b or something hidden causes both cannot be "
            "told.",
        ),
        ("-->", "a causes b."),
        ("<->", "Neither causes the other: something hidden causes both."),
        ("--o", "a causes b, or what the images were selected by; the end at b cannot be told."),
        ("---", "The images seem to be selected by what both a and b cause."),
        # The other way round.
        ("<--", "b causes a."),
        (
            "<-o",
            "a does not cause b; whether b causes a or something hidden causes both cannot be "
            "told.",
        ),
        ("o--", "b causes a, or what the images were selected by; the end at a cannot be told."),
    ],
)
def test_what_marks_say(marks, said):
    assert words(edge(f"a {marks} b")) == said


def test_frequencies_of_edge_and_marks():
    marks = {"tail": 0.004, "arrow": 0.92, "circle": 0.076}
    given = edge(
        "a o-> b",
        association=correlation(-0.618, -0.641, -0.597),
        frequency=0.87,
        source_marks=marks,
        target_marks=marks,
    )
    assert words(given) == (
        "In 87 % of 100 resamples; correlation −0.62 (−0.64 to −0.60); b does not cause a; whether "
        "a causes b or something hidden causes both cannot be told. Of the resamples that hold the "
        "edge, an arrowhead at b in 92 %."
    )
    assert words(edge("a --> b", frequency=0.997)).startswith("In over 99 % of 100 resamples;")


def test_used():
    assert words(used()) == (
        "do(a) changes the margin of yes by +1.3 logits (+1.2 to +1.4; adjusted p < 0.001) for one "
        "standard deviation, 0.40 standard deviations of the margin. In over 99 % of 1,000 "
        "resamples of the images the effect has this sign and is not negligible."
    )


def test_used_with_a_sign_that_changes_and_a_level():
    given = used(effect=effect(-0.5, 0.012, -0.15, 1.2), level="red")
    said = words(given)
    assert said.startswith("do(a = red) changes the margin of yes by −0.50 logits (−0.60 to −0.40;")
    assert "adjusted p = 0.012" in said
    assert said.endswith("Its sign changes from image to image: its mean size is 1.2 logits.")


def test_used_for_its_curve_alone():
    curve = DoseResponse(
        (-1, 0, 1), (2, 0, 2), (0,) * 3, (0,) * 3, size=0.3, adjusted_p_value=0.01, decisive=True
    )
    given = used(effect=effect(0.01, 0.9, 0.01, 0.01), dose_response=curve, frequency=0.8)
    said = words(given)
    assert "That average alone would not count; the margin differs between the values" in said
    assert "(adjusted p = 0.010). In 80 % of 1,000 resamples of the images the curve is not" in said
    table = edge_table(graph(given))
    assert table["strength"].tolist() == [0.3]
    assert table["adjusted_p_value"].tolist() == [0.01]


@pytest.mark.parametrize(
    ("adjusted", "standardised", "reason"),
    [
        (0.3, 0.2, "adjusted p = 0.30) for one standard deviation, which cannot be told from"),
        (
            0.01,
            0.02,
            "adjusted p = 0.010) for one standard deviation, which is less than the smallest "
            "effect that counts, 0.050 standard deviations of the margin.",
        ),
    ],
)
def test_only_associated_and_why(adjusted, standardised, reason):
    said = words(associated(adjusted, standardised))
    assert said.startswith(
        "b goes along with the margin of yes: correlation 0.31 (0.29 to 0.34; adjusted p < 0.001). "
        "do(b) changes the margin of yes by +0.02 logits (−0.08 to +0.12; "
    )
    assert reason in said


def test_only_associated_without_an_intervention():
    given = edge("b o-> prediction:yes", verdict="only_associated")
    assert words(given).endswith("goes along with the margin of yes. An effect of do(b) was not "
                                 "tested.")  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"reexamination": Reexamination("RCIT", 0.002, ("c", "d"), True)},
            "RCIT still finds it given c, d (p = 0.0020).",
        ),
        ({"reexamination": Reexamination("RCIT", 0.41, (), False)},
         "RCIT does not find it again (p = 0.41)."),
        ({"reexamination": Reexamination("RCIT", 0.41, ("c",), True)},
         "RCIT does not find it again given c (p = 0.41), yet it stays."),
        ({"knowledge": "a is a cause of b"}, "Background knowledge: a is a cause of b."),
        (
            {"suggestion": Suggestion("LiNGAM", "b", "a", 0.4, 1e-5)},
            "LiNGAM suggests b before a (p = 0.40, the other way round p < 0.001): a hint, not a "
            "finding.",
        ),
    ],
)  # fmt: skip
def test_further_evidence(fields, said):
    assert words(edge("a --> b", **fields)) == f"a causes b. {said}"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"dose_response": DoseResponse((1.5, 2, 2.5), (-1, 0, 2.25), (0,) * 3, (0,) * 3)},
            "Set from 1.5 to 2.5 px on every image, the mean margin goes from −1.0 to 2.2 logits.",
        ),
        (
            {"dose_response": DoseResponse((0.018, 0.982), (-1, 2.25), (0,) * 2, (0,) * 2)},
            "Set from a clear no to a clear yes on every image, the mean margin goes from "
            "−1.0 to 2.2 logits.",
        ),
        (
            {
                "dose_response": DoseResponse(
                    (0, 1), (-1, 2.25), (0,) * 2, (0,) * 2, levels=("red", "green")
                )
            },
            "Set from red to green on every image, the mean margin goes from −1.0 to 2.2 logits.",
        ),
    ],
)  # fmt: skip
def test_a_curve_is_told_by_its_ends(fields, said):
    drawn = edge("a --> prediction:yes", evidence="intervention", verdict="used", **fields)
    assert words(drawn) == f"do(a) changes the margin of yes. {said}"


def test_numbers_and_labels_are_told_by_what_is_measured_of_them():
    curve = DoseResponse((1.5, 2, 2.5), (38, 40, 41.4), (0,) * 3, (0,) * 3)
    known = graph(used(dose_response=curve))

    def measured_as(measure, unit):
        *concepts, prediction = known.nodes
        node = replace(prediction, measure=measure, unit=unit)
        return evidence_in_words(known.edges[0], replace(known, nodes=(*concepts, node)))

    said = measured_as("value", "mm")
    assert said.startswith("do(a) changes the value of yes by +1.3 mm (+1.2 to +1.4; adjusted")
    assert "for one standard deviation, 0.40 standard deviations of the value." in said
    assert "on every image, the mean value goes from 38 to 41 mm." in said
    assert "the mean value goes from 38 to 41." in measured_as("value", "")
    assert "do(a) changes the logit of yes by +1.3 logits (" in measured_as("logit", "logits")


def test_table_is_sorted_and_leaves_out_what_is_rejected():
    weak = edge("a o-o b", association=correlation(-0.2, -0.3, -0.1), frequency=0.6)
    strong = used()
    no = edge("b o-> prediction:yes", verdict="neither")
    table = edge_table(graph(weak, strong, rejected=(no,)))
    assert table["edge"].tolist() == ["a --> prediction:yes", "a o-o b"]
    assert table["strength"].tolist() == [0.4, -0.2]
    assert table["unit"].tolist() == ["logits per sd", "correlation"]
    assert table["stability"].tolist() == [0.997, 0.6]
    assert table["verdict"].tolist()[0] == "used" and table["verdict"].isna()[1]
    assert table["in_words"][1] == words(weak)


def test_table_survives_csv():
    table = edge_table(full_graph())
    buffer = io.StringIO()
    table.to_csv(buffer, index=False)
    buffer.seek(0)
    pd.testing.assert_frame_equal(pd.read_csv(buffer, dtype=COLUMNS), table)


def test_a_graph_without_edges_has_an_empty_table():
    table = edge_table(graph())
    assert len(table) == 0
    assert dict(table.dtypes.astype(str)) == COLUMNS
