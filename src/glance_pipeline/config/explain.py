"""Parameters of the ``explain`` pipeline."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Effect = Literal["direct", "causal"]
"""``direct``: everything but the concepts that are set is held. ``causal``: what they cause
follows."""

_INDEX = re.compile(r"[0-9]{1,18}")
_RANGE = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")
_MOST_IMAGES = 1_000_000  # named by ranges


def parse_images(value: Any) -> Any:
    """Turn what a person writes for ``explain.images`` into a tuple of indices and paths.

    Kedro's ``--params`` takes a comma for the next parameter, so on the command line several
    images are written with blanks or semicolons, and runs of indices with a dash: ``3``,
    ``"3 17 42"``, ``"0-7;42"``, ``digit.png``, ``"3;my digits/seven.png"``; a folder stands for
    all images in it. Blanks separate only
    where every word is an index or a range, so that a path may hold blanks.

    Args:
        value: an integer, a text of this form, a list of either, or None.

    Raises:
        ValueError: if an index is negative, a range runs backwards, nothing is named, or it is
            something else altogether.
    """
    if value is None or isinstance(value, tuple):
        return value
    parts = value if isinstance(value, list) else [value]
    images: dict[int | str, None] = {}  # an ordered set: an image named twice is explained once
    for part in parts:
        if isinstance(part, bool) or not isinstance(part, int | str):
            raise ValueError(f"an image is named by an index or a file path, not by {part!r}")
        if isinstance(part, int) and part < 0:
            raise ValueError(f"images are numbered from 0, and {part} is below")
        images |= dict.fromkeys([part] if isinstance(part, int) else _split(part))
    if not images:
        raise ValueError("no image is named: give an index, a range such as 0-7, or a file path")
    return tuple(images)


def _split(text: str) -> list[int | str]:
    images: list[int | str] = []
    for piece in filter(None, (piece.strip() for piece in text.split(";"))):
        words = piece.split()
        if not all(_INDEX.fullmatch(word) or _RANGE.fullmatch(word) for word in words):
            images.append(piece)
            continue
        for word in words:
            first, last = map(int, word.split("-") if "-" in word else (word, word))
            if last < first:
                raise ValueError(f"the range {word} of images runs backwards")
            if last - first + len(images) >= _MOST_IMAGES:
                raise ValueError(
                    f"the range {word} is of {last - first + 1:,} images, wanted at most "
                    f"{_MOST_IMAGES:,} in all; a folder stands for all images in it"
                )
            images.extend(range(first, last + 1))
    return images


Strategy = Literal["gradient", "attfind"]
"""``gradient`` walks along the gradient of the teacher's answer; ``attfind`` sends concepts to
their bounds one after the other, as StylEx does."""


class CounterfactualSearchParameters(BaseModel):
    """How counterfactuals are looked for.

    Attributes:
        strategy: ``gradient`` walks along the gradient of the classifier's answer; ``attfind``
            moves concepts to their bounds one after the other, as StylEx does.
        largest: largest number of concepts that ``attfind`` changes.
        starts: walks of ``gradient`` per image; each begins with another concept at a bound.
        walk_steps: largest number of steps in one walk.
        step: longest step, in standard deviations of the concept that moves most.
        halvings: rounds of the line search that shrinks a change; n end at 2⁻ⁿ of its length.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    strategy: Strategy = "attfind"
    largest: int = Field(default=6, ge=1)
    starts: int = Field(default=4, ge=1)
    walk_steps: int = Field(default=8, ge=1)
    step: float = Field(default=1.0, gt=0)
    halvings: int = Field(default=5, ge=1)


class ImportanceParameters(BaseModel):
    """How concept importances are computed.

    Attributes:
        measure: ``margin``, the lead of the predicted class over the next best in logits, as in the
            causal graph; or ``logit``, its logit alone. Labels and numbers have but one measure.
        exact_up_to: largest number of concepts for which all coalitions are computed; for more,
            permutations are sampled. The levels of a categorical feature count as one.
        exact_pictures: largest number of pictures per image that this may take: 2^concepts for each
            background. If they do not suffice for all ``backgrounds``, fewer are chosen that
            represent the training images; at least one.
        backgrounds: training images whose concept values stand for "not known".
        permutations: sampled orders per image, an even number; each is also walked backwards.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    measure: Literal["margin", "logit"] = "margin"
    exact_up_to: int = Field(default=6, ge=0, le=12)
    exact_pictures: int = Field(default=4096, ge=1)
    backgrounds: int = Field(default=48, ge=1)
    permutations: int = Field(default=96, ge=4, multiple_of=2)


class SaliencyParameters(BaseModel):
    """How saliency maps are computed.

    Attributes:
        paths: number of paths per image, each from the concepts of another training image; at most
            ``importance.backgrounds`` are used.
        steps: number of steps of a path on which all concepts move together.
        by_concept: whether each concept gets a map of its own. Concepts then move one after the
            other, with as many steps as there are concepts: a categorical feature counts as one.
        emphasis: how much of a pixel's weight depends on how far it stands out from the image's
            median: 0 nothing, all pixels weigh the same; 1 all of it.
        smoothing: standard deviation of the Gaussian that a map is blurred with, as a part of the
            image's height; 0 leaves it as it is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    paths: int = Field(default=12, ge=1)
    steps: int = Field(default=2, ge=1)
    by_concept: bool = False
    emphasis: float = Field(default=0.7, ge=0, le=1)
    smoothing: float = Field(default=0.04, ge=0, le=0.5)


class ExplainParameters(BaseModel):
    """Which images are explained, and how.

    Attributes:
        images: indices, files and folders, such as ``0-7``; null takes the first of the test split.
        count: number of images of the test split that are taken if ``images`` is null.
        target: class that counterfactuals aim at: ``runner_up``, ``any`` other, or a class name.
            The guide on labels and numbers says what can be aimed at there.
        number_of_counterfactuals: largest number that is kept per image; for a number, per
            direction.
        steps: pictures in an effect strip.
        effect: ``direct`` holds all but the concepts that are set; ``causal`` lets what they cause
            follow, through the structural causal models. Counterfactuals, importances, strips and
            the saliency maps of single concepts obey it.
        residual_warning: mean absolute error of a reconstruction, images in [−1, 1], above which
            the explanation carries a warning.
        report_images: largest number of images that the report shows; it shows the first ones.
        distance_warning: share of training images whose concepts lie further out than an image's,
            0–1, below which the explanation carries a warning.
        search: search of counterfactuals.
        importance: importance of concepts.
        saliency: saliency of pixels.
        at_once: number of images that are worked on together; it bounds the memory used.
        num_shards: number of parts that the images are divided into; each run explains one of them.
        shard_index: which one, 0 to ``num_shards`` − 1.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    images: Annotated[
        tuple[Annotated[int, Field(strict=True)] | str, ...] | None,
        BeforeValidator(parse_images),
    ] = None
    count: int = Field(default=8, ge=1)
    target: str = "runner_up"
    number_of_counterfactuals: int = Field(default=3, ge=1)
    steps: int = Field(default=7, ge=2)
    effect: Effect = "direct"
    residual_warning: float = Field(default=0.15, gt=0)
    report_images: int = Field(default=32, ge=1)
    distance_warning: float = Field(default=0.01, ge=0, lt=1)
    search: CounterfactualSearchParameters = CounterfactualSearchParameters()
    importance: ImportanceParameters = ImportanceParameters()
    saliency: SaliencyParameters = SaliencyParameters()
    at_once: int = Field(default=64, ge=1)
    num_shards: int = Field(default=1, ge=1, le=1_000_000)
    shard_index: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _check_shard(self) -> Self:
        if self.shard_index >= self.num_shards:
            raise ValueError(
                f"shard_index is {self.shard_index}, but {self.num_shards} shards (num_shards) "
                f"are numbered 0 to {self.num_shards - 1}"
            )
        return self
