"""Sentences, literally: singular and plural, units, what follows, doubts."""

import numpy as np
import pytest

from glance_pipeline.explanations.result.answer import Prediction
from glance_pipeline.explanations.result.explanation import (
    Change,
    ConceptValue,
    Counterfactual,
    Counterfactuals,
    Importance,
    Importances,
)
from glance_pipeline.explanations.trust.sentence import describe

SEVEN = Prediction(class_name="7", probability=0.963, logits=(1, 0))
ONE = Prediction(class_name="1", probability=0.6, logits=(0, 1))
START = "Predicted 7 (0.96). Mostly because of slant 0.31 rad (+2.1 logits). "


def change(concept, unit, before, after, move=-1.0):
    return Change(concept=concept, unit=unit, before=before, after=after, standard_deviations=move)


THICKNESS = change("thickness", "px", 3.4, 2.1)
INTENSITY = change("intensity", "", 180, 120)
SLANT = change("slant", "rad", 0.31, -0.12)
LATENT = change("latent_2", "sd", 0.5, -1.2)
SMILE = change("smile", "", 0.982, 0.018)
LITTLE = change("length", "px", 31.0, 31.4, 0.03)


def counterfactual(changes, following=(), graphs_agreeing=None):
    return Counterfactual(
        prediction=ONE,
        changes=changes,
        distance=1,
        picture=np.zeros((1, 2, 2), np.uint8),
        following=following,
        graphs_agreeing=graphs_agreeing,
    )


def say(*found, contributions=(("slant", 2.13, 0.1),), note="", doubts=(), untold=()):
    values = {"slant": (0.312, "rad"), "smile": (0.97, ""), "intensity": (180.0, "")}
    concepts = [
        ConceptValue(
            name=name, kind="aligned", unit=unit, value=value, standardised=1, low=-1, high=1
        )
        for name, (value, unit) in values.items()
    ]
    importances = Importances(
        measure="margin", class_name="7", prediction=4, baseline=1, exact=False,
        of=tuple(
            Importance(concept=name, contribution=value, standard_error=error)
            for name, value, error in contributions
        ),
    )  # fmt: skip
    counterfactuals = Counterfactuals(target="1", found=found, note=note)
    return describe(SEVEN, concepts, importances, counterfactuals, doubts, untold=untold)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ((THICKNESS,), "thickness 2.1 px instead of 3.4 px"),
        ((INTENSITY,), "intensity 120 instead of 180"),
        ((SMILE,), "smile 0.0 instead of 1.0"),
        ((THICKNESS, LATENT), "thickness 2.1 px instead of 3.4 px and latent_2 −1.2 sd instead of "
         "0.5 sd"),
        ((THICKNESS, SLANT, LATENT), "thickness 2.1 px instead of 3.4 px, slant −0.1 rad instead "
         "of 0.3 rad and latent_2 −1.2 sd instead of 0.5 sd"),
    ],
)  # fmt: skip
def test_what_would_change_the_answer(changes, words):
    assert say(counterfactual(changes)) == f"{START}With {words} it would be read as 1."


@pytest.mark.parametrize(
    ("following", "words"),
    [
        ((), ""),
        ((LITTLE,), ""),
        ((INTENSITY,), " (and intensity, which follows, 120 instead of 180)"),
        ((INTENSITY, LITTLE), " (and intensity, which follows, 120 instead of 180)"),
        ((INTENSITY, SLANT), " (and intensity 120 instead of 180 and slant −0.1 rad instead of "
         "0.3 rad, which follow)"),
        ((INTENSITY, SLANT, LATENT), " (and intensity 120 instead of 180, slant −0.1 rad instead "
         "of 0.3 rad and latent_2 −1.2 sd instead of 0.5 sd, which follow)"),
    ],
)  # fmt: skip
def test_what_follows_is_said_in_brackets(following, words):
    found = counterfactual((THICKNESS,), following, 1.0)
    assert say(found) == (
        f"{START}With thickness 2.1 px instead of 3.4 px{words} it would be read as 1."
    )


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (1.0, ""),
        (0.625, " (in 62 % of the causal graphs that the evidence allows)"),
        (0.004, " (in under 1 % of the causal graphs that the evidence allows)"),
        (0.999, " (in over 99 % of the causal graphs that the evidence allows)"),
    ],
)
def test_graphs_that_disagree_are_said(share, words):
    assert say(counterfactual((THICKNESS,), (INTENSITY,), share)) == (
        f"{START}With thickness 2.1 px instead of 3.4 px (and intensity, which follows, 120 "
        f"instead of 180) it would be read as 1{words}."
    )


@pytest.mark.parametrize(
    ("contributions", "words"),
    [
        ((("slant", 2.13, 0.1),), "Mostly because of slant 0.31 rad (+2.1 logits)."),
        ((("smile", 0.44, 0.0),), "Mostly because of smile 0.97 (+0.44 logits)."),
        ((("intensity", 12.3, 0.1),), "Mostly because of intensity 180 (+12 logits)."),
        ((("slant", -3.0, 0.1), ("smile", 0.5, 0.1)), "Mostly because of smile 0.97 (+0.50 "
         "logits)."),
        ((("slant", 0.15, 0.1),), "No concept clearly speaks for it."),
        ((("slant", -2.0, 0.1),), "No concept clearly speaks for it."),
    ],
)  # fmt: skip
def test_what_speaks_for_the_answer(contributions, words):
    assert say(contributions=contributions, note="Nothing helped.") == (
        f"Predicted 7 (0.96). {words} Nothing helped."
    )


@pytest.mark.parametrize(
    ("doubts", "words"),
    [
        (("few training images are like it",), "few training images are like it"),
        (("one thing", "another"), "one thing and another"),
        (("one thing", "another", "a third"), "one thing, another and a third"),
    ],
)
def test_a_poor_explanation_says_so_first(doubts, words):
    assert say(counterfactual((THICKNESS,)), doubts=doubts) == (
        f"Poorly explained: {words}. {START}With thickness 2.1 px instead of 3.4 px it would be "
        "read as 1."
    )


def test_a_concept_that_may_be_no_reason_is_doubted() -> None:
    doubted = say(counterfactual((THICKNESS,)), untold={"slant"})
    assert "of slant 0.31 rad (+2.1 logits); whether slant is a reason cannot be told." in doubted
    assert "cannot be told" not in say(counterfactual((THICKNESS,)), untold={"smile"})
