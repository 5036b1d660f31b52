"""What the classifier's catalog entry has to say under ``specification``."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from glance_pipeline.classifiers.as_read import LoadedNetwork
from glance_pipeline.classifiers.specification import TASKS, Output
from glance_pipeline.classifiers.task import OneOf
from glance_pipeline.onboarding.inspection.pictures import Looks, parse_size, size_for
from glance_pipeline.onboarding.terminal.asking import Asker, comma_separated, none_or, numbers
from glance_pipeline.onboarding.terminal.command_options import Wishes
from glance_pipeline.onboarding.terminal.user_paths import Place, place_of
from glance_pipeline.onboarding.trying.finding import Declared
from glance_pipeline.onboarding.trying.network import Takes, kind_of_outputs
from glance_pipeline.support.errors import UserError
from glance_pipeline.support.untrusted_files import read_text


def settle_entrance(
    source: LoadedNetwork, takes: Takes, looks: Looks, wishes: Wishes, asker: Asker
) -> dict[str, Any]:
    """Return how images reach the network: size, colour, and the normalisation that is named.

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
    fields |= normalisation_named(wishes)
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


def normalisation_named(wishes: Wishes) -> dict[str, Any]:
    """Return the mean and std that the user names; empty if none.

    Raises:
        UserError: if only one of them is named, for nothing says the other.
    """
    named = {"mean": wishes.mean, "std": wishes.std}
    given = {k: list(_numbers(f"--{k}", text)) for k, text in named.items() if text is not None}
    if len(given) == 1:
        (one,) = given
        other = "std" if one == "mean" else "mean"
        usual = "1 where images are not scaled" if other == "std" else "0 where nothing is taken"
        raise UserError(f"--{other} is missing: --{one} is of little use alone; it is {usual}")
    return given


def _numbers(option: str, text: str) -> tuple[float, ...]:
    try:
        found = numbers(text)
    except UserError as error:
        raise UserError(f"{option}: {error}") from error
    if not found:
        raise UserError(f"{option}: found no number, wanted one, or one for each channel")
    return found


def said_of_reading(source: LoadedNetwork, wishes: Wishes) -> Declared:
    """Return what user and file say of normalisation and order of channels, the user first.

    A file that says its whole specification, or what its processor does, says it by leaving
    nothing out.
    """
    known = source.known
    whole = "image_shape" in known
    bgr = None if wishes.colour is None else wishes.colour == "bgr"
    if bgr is None and ("colour" in known or whole or "mean" in known):
        bgr = known.get("colour") == "bgr"
    named = normalisation_named(wishes)
    if named:  # images are RGB; that the network takes them in reverse would have been said too
        return Declared((tuple(named["mean"]), tuple(named["std"])), bool(bgr), "as named")
    if whole or "mean" in known or "std" in known:
        of_file = (tuple(known.get("mean", (0.0,))), tuple(known.get("std", (1.0,))))
        return Declared(of_file, bool(bgr), "said by its file")
    return Declared(None, bgr)


@dataclass(frozen=True)
class Outputs:
    """What a network's numbers are.

    Attributes:
        kind: of ``ClassifierSpecification``.
        count: K of the classes, labels or numbers: a single number tells two classes.
        how: the kind is known, in words.
    """

    kind: Output
    count: int
    how: str


@dataclass(frozen=True)
class Classes:
    """The classes of a classifier, or what its labels or numbers are called.

    Attributes:
        names: names of them.
        written: what the catalog's entry says of the names; None if the file does.
        how: they are known, in words.
    """

    names: tuple[str, ...]
    written: list[str] | str | None
    how: str


def settle_outputs(said: Tensor, source: LoadedNetwork, wishes: Wishes) -> Outputs:
    """Return what the outputs (n, K) are: as named, as the file says, or as they look."""
    kind, how = kind_of_outputs(said)
    if wishes.output is not None:
        kind, how = wishes.output, "as named"  # type: ignore[assignment]
    elif "output" in source.known or "image_shape" in source.known:
        kind, how = source.known.get("output", "logits"), "said by its file"
    elif said.shape[1] == 1 and _is_one_name(wishes.class_names):
        kind, how = "values", "one number, for which one name is given"
    return Outputs(kind, said.shape[1] if TASKS[kind] is not OneOf else max(2, said.shape[1]), how)


def _is_one_name(text: str | None) -> bool:
    if text is None or Path(text).expanduser().is_file():
        return False
    return len(comma_separated(text)) == 1


def classes_said(
    outputs: Outputs, source: LoadedNetwork, wishes: Wishes, root: Path
) -> Classes | None:
    """Return the classes as the user names them, or the file; None if neither does.

    Raises:
        UserError: if there are not as many as the network has answers.
    """
    if wishes.class_names is not None:
        return _named(wishes.class_names, outputs.count, root)
    if "class_names" not in source.known:
        return None
    names = tuple(source.known["class_names"])
    return Classes(_checked(names, outputs.count, "the file"), None, "said by its file")


def settle_classes(
    outputs: Outputs, of_labels: Sequence[str] | None, root: Path, asker: Asker, how: str = ""
) -> Classes:
    """Name the classes as the labels are, or as asked.

    Args:
        outputs: outputs of the network.
        of_labels: values of the labels in the order of the answers; None without labels.
        root: root of the project.
        asker: asks for names.
        how: the order is known, in words.

    Raises:
        UserError: if there are none, or not as many as the network has answers.
    """
    count = outputs.count
    if of_labels is not None and len(of_labels) != count:
        of_labels = None
    if of_labels is not None and not asker.may_ask:
        return Classes(tuple(of_labels), list(of_labels), f"those of the labels, {how}")
    what, first = "classes", ""
    if TASKS[outputs.kind] is not OneOf:
        what = "numbers" if outputs.kind == "values" else "labels"
    elif outputs.kind == "sigmoid":
        first = " (first the class of a negative logit; of a number that is no class, one name)"
    text: str = asker.settle(
        "--class-names",
        None,
        f"Names of the {count} {what}, separated by commas, or a text file{first}",
        None if of_labels is None else ",".join(of_labels),
        missing=(
            f"the classifier has {count} {what} whose names neither its file nor labels say; "
            f"wanted {count} names separated by commas, or a text file with one name per "
            f"line{first}"
        ),
    )
    return _named(text, count, root)


def _named(text: str, count: int, root: Path) -> Classes:
    file = _file_of_names(text, root)
    names = _lines(file) if file else comma_separated(text)
    written: list[str] | str = file.written if file else list(names)
    return Classes(_checked(names, count, "--class-names"), written, "as named")


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
        lines = read_text(file.path).split("\n")
    except (OSError, ValueError) as error:
        raise UserError(f"--class-names {file.written}: it cannot be read: {error}") from error
    return tuple(lines if lines[-1] else lines[:-1])
