"""What the classifier's catalog entry has to say under ``specification``."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from glance_pipeline.errors import UserError
from glance_pipeline.onboarding.asking import Asker, comma_separated, none_or, numbers
from glance_pipeline.onboarding.network import Takes, kind_of_outputs
from glance_pipeline.onboarding.pictures import Looks, parse_size, size_for
from glance_pipeline.onboarding.places import Place, place_of
from glance_pipeline.onboarding.wishes import Wishes
from glance_pipeline.teachers.source import Source


def settle_entrance(
    source: Source, takes: Takes, looks: Looks, wishes: Wishes, asker: Asker
) -> dict[str, Any]:
    """Return how images reach the network: size, colour, normalisation.

    Args:
        source: the network and what its file says.
        takes: what is known of its input.
        looks: of the images.
        wishes: of the user.
        asker: asks for what nothing says.

    Returns:
        Fields of ``ClassifierSpecification``; those that the file says too are equal to the file's.
    """
    saved = source.known.get("image_shape")
    given = wishes.size or (saved[1] if saved else None)
    size = asker.settle(
        "--size",
        None if given is None else str(given),
        "Height and width of the images that are explained, px (a power of two; more take longer)",
        default=str(size_for(looks.side, takes.size)),
        parse=parse_size,
    )
    channels, colour = _colour(takes.channels, looks, wishes)
    fields: dict[str, Any] = {"image_shape": [channels, size, size]}
    if takes.size not in (None, size):
        fields["input_size"] = [takes.size, takes.size]
        fields["fit"] = wishes.fit or source.known.get("fit", "resize")
    if colour is not None:
        fields["colour"] = colour
    for name in ("mean", "std"):
        fields |= _normalisation(name, source, getattr(wishes, name), asker)
    if wishes.feature_layer is not None:
        fields["feature_layer"] = wishes.feature_layer
    return fields


def _colour(taken: int | None, looks: Looks, wishes: Wishes) -> tuple[int, str | None]:
    """Return the channels of the images, and what brings them to those of the network."""
    if wishes.colour is not None:
        own = 3 if looks.in_colour or wishes.colour == "bgr" else 1
        return wishes.channels or own, wishes.colour
    channels = wishes.channels or (3 if looks.in_colour and taken != 1 else 1)
    if taken in (None, channels):
        return channels, None
    return channels, "rgb" if taken == 3 else "grey"


def _normalisation(name: str, source: Source, given: str | None, asker: Asker) -> dict[str, Any]:
    if name in source.known and given is None:
        return {name: list(source.known[name])}
    usual = {"mean": "0", "std": "1"}[name]
    what = f"{name} of the network's normalisation of images in [0, 1], one number or one a channel"
    values = asker.settle(f"--{name}", given, what.capitalize(), usual, numbers)
    is_usual = values == (float(usual),) and name not in source.known
    return {} if is_usual else {name: list(values)}


@dataclass(frozen=True)
class Classes:
    """The classes of a classifier.

    Attributes:
        output: what the network's numbers are.
        count: of its answers.
        names: of them.
        written: what the catalog's entry says of the names; None where the file does.
        how: they are known, in words.
    """

    output: str
    count: int
    names: tuple[str, ...]
    written: list[str] | str | None
    how: str


def number_of_classes(said: Tensor) -> int:
    """Return how many answers outputs (n, K) tell apart: a single number tells two."""
    return max(2, said.shape[1])


def output_of(said: Tensor, source: Source, wishes: Wishes) -> str:
    """Return what the outputs (n, K) are: as named, as the file says, or as they look."""
    return wishes.output or source.known.get("output") or kind_of_outputs(said)


def settle_classes(
    said: Tensor,
    source: Source,
    label_values: Sequence[str] | None,
    wishes: Wishes,
    root: Path,
    asker: Asker,
) -> Classes:
    """Name the classes: as the user says, as the file says, as the labels are, or as asked.

    Args:
        said: outputs (n, K) of the network.
        source: the network and what its file says.
        label_values: values of the labels in order; None without labels.
        wishes: of the user.
        root: of the project.
        asker: asks for names.

    Raises:
        UserError: where there are none, or not as many as the network has answers.
    """
    output, count = output_of(said, source, wishes), number_of_classes(said)
    if wishes.class_names is None and "class_names" in source.known:
        names = tuple(source.known["class_names"])
        return Classes(output, count, _checked(names, count, "the file"), None, "said by its file")
    from_labels = label_values is not None and len(label_values) == count
    if wishes.class_names is None and from_labels and not asker.may_ask:
        assert label_values is not None
        names = tuple(label_values)
        return Classes(output, count, names, list(names), "those of the labels, in their order")
    first = " (first the one that a negative logit stands for)" if output == "sigmoid" else ""
    text: str = asker.settle(
        "--class-names",
        wishes.class_names,
        f"Names of the {count} classes, separated by commas, or a text file{first}",
        ",".join(label_values) if from_labels and label_values is not None else None,
        missing=(
            f"the classifier has {count} classes whose names neither its file nor labels say; "
            f"wanted {count} names separated by commas, or a text file with a name a line{first}"
        ),
    )
    file = _file_of_names(text, root)
    names = _lines(file) if file else comma_separated(text)
    written: list[str] | str = file.written if file else list(names)
    return Classes(output, count, _checked(names, count, "--class-names"), written, "as named")


def _checked(names: tuple[str, ...], count: int, where: str) -> tuple[str, ...]:
    if len(names) != count:
        raise UserError(
            f"{where}: found {len(names)} class names {list(names[:6])}, wanted {count}, one for "
            "each answer of the classifier"
        )
    return names


def _file_of_names(text: str, root: Path) -> Place | None:
    if none_or(text) is None or "," in text:
        return None
    place = place_of(text, root)
    return place if place.path.is_file() else None


def _lines(file: Place) -> tuple[str, ...]:
    try:
        lines = file.path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"--class-names {file.written}: it cannot be read: {error}") from error
    return tuple(lines if lines[-1] else lines[:-1])
