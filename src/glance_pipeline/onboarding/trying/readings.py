"""The usual ways in which images of [0, 1] are brought into a network's range, by name."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

Numbers = tuple[float, ...]

_IMAGENET = (0.485, 0.456, 0.406)
_BYTE = 1 / 255

_COLOUR: dict[str, tuple[Numbers, Numbers]] = {
    "[0, 1]": ((0.0,), (1.0,)),
    "ImageNet's": (_IMAGENET, (0.229, 0.224, 0.225)),
    "[−1, 1]": ((0.5,), (0.5,)),
    "CIFAR-10's": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
    "CIFAR-10's with std 0.20": ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)),
    "CIFAR-100's": ((0.5071, 0.4867, 0.4408), (0.2675, 0.2565, 0.2761)),
    "CLIP's": ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)),
    "[−0.5, 0.5]": ((0.5,), (1.0,)),
    "0 … 255": ((0.0,), (_BYTE,)),
    "0 … 255 less ImageNet's mean": (_IMAGENET, (_BYTE,)),
}
"""Of networks that take three channels; with the last, Caffe's networks take BGR."""

_GREY: dict[str, tuple[Numbers, Numbers]] = {
    "[0, 1]": ((0.0,), (1.0,)),
    "[−1, 1]": ((0.5,), (0.5,)),
    "MNIST's": ((0.1307,), (0.3081,)),
    "Fashion-MNIST's": ((0.2860,), (0.3530,)),
    "KMNIST's": ((0.1918,), (0.3483,)),
    "EMNIST's": ((0.1722,), (0.3309,)),
    "ImageNet's grey": ((0.449,), (0.226,)),
    "[−0.5, 0.5]": ((0.5,), (1.0,)),
    "0 … 255": ((0.0,), (_BYTE,)),
}


@dataclass(frozen=True)
class Reading:
    """A way in which images in [0, 1] reach a network.

    Attributes:
        name: name of the normalisation.
        mean: subtracted, in the order of the channels that the network takes.
        std: what the difference is divided by.
        bgr: whether the channels are reversed first.
        allowed: whether it agrees with what the file and the user say.
    """

    name: str
    mean: Numbers
    std: Numbers
    bgr: bool = False
    allowed: bool = True

    def __str__(self) -> str:
        """Name it, with the order of the channels where that is not the images' own."""
        return f"{self.name} in BGR" if self.bgr else self.name

    @property
    def fields(self) -> dict[str, Any]:
        """What ``ClassifierSpecification`` calls it."""
        return {"mean": list(self.mean), "std": list(self.std)} | (
            {"colour": "bgr"} if self.bgr else {}
        )

    def reads_as(self, other: "Reading") -> bool:
        """Whether both are the same numbers in the same order of channels."""
        longest = max(len(self.mean), len(other.mean), len(self.std), len(other.std))

        def numbers(reading: Reading) -> list[float]:
            pair = (reading.mean, reading.std)
            return [round(v, 4) for vs in pair for v in (vs * longest if len(vs) == 1 else vs)]

        return self.bgr == other.bgr and numbers(self) == numbers(other)


def usual_readings(channels: int, own: tuple[Numbers, Numbers], flips: bool) -> list[Reading]:
    """Return the usual readings, the plainest first; those in BGR after those in RGB.

    Args:
        channels: that the network takes.
        own: mean and standard deviation of the images themselves, a value for each channel, RGB.
        flips: whether the channels may come in either order; the constants are reversed with them.
    """
    known = (_GREY if channels == 1 else _COLOUR) | {"the images' own": own}
    readings = [Reading(name, mean, std) for name, (mean, std) in known.items()]
    if flips:
        readings += [
            replace(reading, mean=reading.mean[::-1], std=reading.std[::-1], bgr=True)
            for reading in readings
        ]
    return readings


def with_what_is_said(
    readings: Sequence[Reading], said: tuple[Numbers, Numbers] | None, bgr: bool | None
) -> list[Reading]:
    """Mark what may be taken: that which agrees with what is said.

    Args:
        readings: the usual ones.
        said: mean and std, where the file or the user says them: in the order of the channels that
            the network takes.
        bgr: whether it takes BGR; None if nobody says.
    """
    if said is None:
        return [replace(each, allowed=bgr in (None, each.bgr)) for each in readings]
    orders = sorted({each.bgr for each in readings}) if bgr is None else [bgr]
    named = [Reading("as said", *said, order) for order in orders]
    named = [next((r for r in readings if r.reads_as(n)), n) for n in named]
    rest = [
        replace(each, allowed=False)
        for each in readings
        if not any(each.reads_as(one) for one in named)
    ]
    return [*(replace(each, allowed=True) for each in named), *rest]
