import io

import numpy as np
import pytest
from PIL import Image

from glance_pipeline.report.pictures import Album
from glance_pipeline.report.strips import strip_on_page
from helpers.browser import opened


@pytest.fixture
def page(browser, report_file):
    with opened(browser, report_file) as (page, _):
        yield page


def shown(block):
    """Return the picture that a slider shows, (H, W), without its rounded edge."""
    png = block.locator(".frame").screenshot()
    picture = Image.open(io.BytesIO(png)).convert("L").resize((16, 16), Image.Resampling.BOX)
    return np.asarray(picture, float)[2:-2, 2:-2]


def expect(block, explanation, strip, number):
    """Assert that a slider shows one frame of a strip: picture, value, answer, probability."""
    frame = strip_on_page(strip, explanation, Album()).frames[number]
    value = f"{frame.value} {strip.unit}"
    assert block.locator(".value").inner_text() == value
    assert block.locator(".called").inner_text() == strip.class_names[number]
    assert block.locator(".probability").inner_text() == f"{strip.probabilities[number]:.2f}"
    spoken = block.locator("input").get_attribute("aria-valuetext")
    assert spoken.startswith(f"{value}, called {strip.class_names[number]}, probability of ")
    other = strip.class_names[number] != explanation.prediction.class_name
    assert ("other" in block.locator(".reading").get_attribute("class").split()) == other
    away = [np.abs(shown(block) - picture[0, 2:-2, 2:-2]).mean() for picture in strip.pictures]
    assert np.argmin(away) == number and away[number] < 6


@pytest.mark.parametrize("image", [0, 1])
def test_a_slider_starts_nearest_to_the_image_and_follows_the_keys(page, explanations, image):
    explanation = explanations[image]
    number, strip = next((k, s) for k, s in enumerate(explanation.strips) if s.concept == "tilt")
    block = page.locator(f"#card-{image + 1} .slider").nth(number)
    own = next(c.value for c in explanation.concepts if c.name == "tilt")
    expect(block, explanation, strip, int(np.abs(np.array(strip.values) - own).argmin()))
    slider = block.locator("input")
    slider.press("Home")
    expect(block, explanation, strip, 0)
    slider.press("ArrowRight")
    expect(block, explanation, strip, 1)
    slider.press("End")
    expect(block, explanation, strip, 2)


def test_there_is_a_slider_for_every_strip_in_the_order_of_importance(page, explanations):
    for number, explanation in enumerate(explanations, start=1):
        labels = page.locator(f"#card-{number} .slider label").all_inner_texts()
        assert labels == [importance.concept for importance in explanation.importances.of]
