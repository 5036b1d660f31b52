"""What a network takes and gives, put together from its own file and from the catalog."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from glance_pipeline.classifiers.task import Each, OneOf, Task, Values

Output = Literal[
    "logits", "probabilities", "sigmoid", "label_logits", "label_probabilities", "values"
]

TASKS: Mapping[Output, type[Task]] = {
    "logits": OneOf,
    "probabilities": OneOf,
    "sigmoid": OneOf,
    "label_logits": Each,
    "label_probabilities": Each,
    "values": Values,
}
"""What is decided by outputs of each kind."""


class ClassifierSpecification(BaseModel):
    """What a network does not say of itself.

    Attributes:
        image_shape: (channels, height, width) of the images that are explained, and of the
            network's input where ``input_size`` and ``colour`` say nothing else.
        class_names: one name for each class, label or number, in the order of the outputs; two for
            a classifier of two classes with one output, first the one that a negative logit stands
            for.
        mean: subtracted from images in [0, 1], one value per channel or one for all.
        std: what the difference is divided by.
        feature_layer: dotted name of the module whose *input* is the penultimate features φ(x);
            None takes the layer that answers (``teachers/features.py``).
        input_size: (height, width) the network takes, where the images have another.
        fit: how images come to ``input_size``: ``resize`` (bilinear, antialiased), ``crop`` (the
            middle) or ``pad`` (black all round).
        colour: what the network takes, where the images have another: ``rgb`` repeats the one
            channel of grey images, ``grey`` takes the luminance of colour images (ITU-R BT.601),
            ``bgr`` reverses the channels. None takes them as they are.
        output: what the network's numbers are. Of one class of several: ``logits``;
            ``probabilities``, which become their logarithms; ``sigmoid``, a single logit of the
            second class. A single output, of either kind, becomes two logits
            (``teachers/output.py``). Of labels that are on or off each by itself:
            ``label_logits``, on above 0; ``label_probabilities``, on above ½. Of a regression:
            ``values``.
        units: units of ``values``, one for each or one for all; empty if they have none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    image_shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    feature_layer: str | None = None
    input_size: tuple[int, int] | None = None
    fit: Literal["resize", "crop", "pad"] | None = None
    colour: Literal["rgb", "bgr", "grey"] | None = None
    output: Output = "logits"
    units: tuple[str, ...] = ()

    @property
    def task(self) -> Task:
        """How the outputs are read."""
        if self.output == "values":
            return Values(self.class_names, self.units)
        return TASKS[self.output](self.class_names)

    @property
    def channels(self) -> int:
        """Number of channels the network takes."""
        return {None: self.image_shape[0], "grey": 1}.get(self.colour, 3)

    @property
    def network_shape(self) -> tuple[int, int, int]:
        """(channels, height, width) the network takes."""
        height, width = self.input_size or self.image_shape[1:]
        return self.channels, height, width

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        _check_names(self.class_names, self.output)
        self._check_units()
        for name in ("mean", "std"):
            found = len(getattr(self, name))
            if found not in (1, self.channels):
                raise ValueError(
                    f"{name}: found {found} values, wanted 1 or {self.channels}, one for each "
                    "channel that the network takes"
                )
        if max(self.mean) > 1:
            raise ValueError(
                f"mean: found {self.mean}, subtracted from images in [0, 1]; wanted values "
                "up to 1: divide mean and std by 255 where they are of images in 0 … 255"
            )
        if min(self.std) <= 0:
            raise ValueError(f"std: found {self.std}, wanted values above 0")
        channels, (height, width) = self.image_shape[0], self.image_shape[1:]
        wanted = {"rgb": (1, 3), "bgr": (3,), "grey": (1, 3), None: (channels,)}[self.colour]
        if channels not in wanted:
            raise ValueError(
                f"colour: {self.colour}: found images of {channels} channels, wanted {wanted}"
            )
        self._check_fit(height, width)
        return self

    def _check_units(self) -> None:
        if self.units and self.output != "values":
            raise ValueError(
                f"units: found {list(self.units)} with `output: {self.output}`; only the numbers "
                "of `output: values` have units"
            )
        if self.units and len(self.units) not in (1, len(self.class_names)):
            raise ValueError(
                f"units: found {len(self.units)} {list(self.units)}, wanted "
                f"{len(self.class_names)}, one for each of {list(self.class_names)}, or one for all"
            )

    def _check_fit(self, height: int, width: int) -> None:
        size = self.input_size
        if size is None or size == (height, width):
            return
        if self.fit is None:
            raise ValueError(
                f"found images of {height}×{width} (image_shape) and a network that takes "
                f"{size[0]}×{size[1]} (input_size); say how the one becomes the other, `fit: "
                "resize`, `crop` or `pad`, or give it images of its size"
            )
        larger = size[0] >= height and size[1] >= width
        smaller = size[0] <= height and size[1] <= width
        if (self.fit == "crop" and not smaller) or (self.fit == "pad" and not larger):
            raise ValueError(
                f"fit: {self.fit} cannot bring images of {height}×{width} to {size[0]}×{size[1]}"
            )


def specify(known: Mapping[str, Any], told: Mapping[str, Any]) -> ClassifierSpecification:
    """Put together what the model's own file says and what the catalog entry says.

    Args:
        known: fields of ``ClassifierSpecification`` that the file holds, and ``network_shape``,
            (channels, height, width) of its input, None if the file leaves one open.
        told: fields from the catalog.

    Raises:
        ValueError: if both say something and it is not the same, naming both; where neither
            says what is needed; where the fields do not hold together.
    """
    fields = dict(known)
    channels, height, width = fields.pop("network_shape", (None, None, None))
    if height is not None and width is not None:
        fields["input_size"] = (height, width)
    for name, value in told.items():
        if (
            name in fields
            and not _same(fields[name], value)
            and not _same_range(name, fields, value)
        ):
            raise ValueError(
                f"specification.{name}: found {_short(value)} in the catalog entry, but the "
                f"model's own file says {_short(fields[name])}: leave it out, or correct one"
            )
        if name not in fields or name == "output":
            fields[name] = value
    if "image_shape" not in fields and None not in (channels, height, width):
        fields["image_shape"] = (channels, height, width)
    missing = [name for name in ("image_shape", "class_names") if name not in fields]
    if missing:
        raise ValueError(
            f"the file does not say its {' and '.join(missing)}: name "
            f"{'them' if len(missing) > 1 else 'it'} under `specification` in the catalog entry"
        )
    found = ClassifierSpecification.model_validate(fields)
    if channels is not None and found.channels != channels:
        raise ValueError(
            f"found images of {found.image_shape[0]} channels (image_shape), which reach the "
            f"network as {found.channels}; the file says that it takes {channels}: name `colour`"
        )
    return found


def _check_names(names: tuple[str, ...], output: Output) -> None:
    if TASKS[output] is OneOf and len(names) < 2:
        raise ValueError(
            f"class_names: found {len(names)} {list(names)}, wanted at least 2: with one class "
            "there is no decision to explain. For a network with one output name both answers, "
            "that for a negative logit first, and say `output: sigmoid` or `output: probabilities`;"
            " or name what is on or off, and say `output: label_logits` or "
            "`output: label_probabilities`; or name the number, and say `output: values`"
        )
    if not names:
        raise ValueError("class_names: found none, wanted a name for each output")
    twice = sorted({name for name in names if names.count(name) > 1}) if _repeats(names) else []
    if twice:
        raise ValueError(f"class_names: found {twice[:6]} more than once, wanted each name once")


def _repeats(names: tuple[str, ...]) -> bool:
    return len(set(names)) < len(names)


def _same(one: Any, other: Any) -> bool:
    """Return whether two values say the same; one number stands for all channels."""
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        longest = max(len(one), len(other))
        one, other = (list(v) * (longest if len(v) == 1 else 1) for v in (one, other))
    return bool(one == other)


def _same_range(name: str, fields: Mapping[str, Any], value: Any) -> bool:
    """Return whether two kinds of output hold numbers of one range, as the end of a graph shows.

    A sigmoid at its end says that numbers are from 0 to 1, not what they are of.
    """
    bounded = ("probabilities", "label_probabilities", "values")
    return name == "output" and fields[name] in bounded[:2] and value in bounded


def _short(value: Any) -> str:
    if isinstance(value, (list, tuple)) and len(value) > 6:
        return f"[{', '.join(map(repr, value[:6]))}, …] ({len(value)})"
    return repr(list(value)) if isinstance(value, tuple) else repr(value)
