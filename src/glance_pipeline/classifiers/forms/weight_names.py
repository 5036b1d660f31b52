"""Weights under the names that people really have, brought to those of the network.

Data parallel training puts ``module.`` before every name, compilation ``_orig_mod.``, a training
framework the attribute that held the network; and checkpoints keep averaged weights beside plain
ones. What fits in one way alone is taken, and said; everything else is the user's to choose.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor

StateDicts = dict[str, dict[str, Tensor]]
"""Tensors by their names, by the key that they lie under; empty if the file is one itself."""

_WRAPPERS = ("_orig_mod", "module", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")
"""Names that wrappers of torch put into those of weights."""

_COUNTS = {"n_averaged"}
"""What torch.optim.swa_utils keeps beside averaged weights."""

_MOST_PREFIXES = 100


@dataclass(frozen=True)
class Settled:
    """The weights of a network.

    Attributes:
        tensors: by the network's names, or by the file's where they do not fit.
        entry: fields of the catalog entry that say the same: ``key`` and ``prefix``.
        said: what was settled, sentences for the log.
        hint: said where they do not fit.
    """

    tensors: dict[str, Tensor]
    entry: dict[str, str]
    said: tuple[str, ...] = ()
    hint: str = ""


@dataclass(frozen=True)
class _Way:
    """One way in which a state dict fits: what is cut off, and what is left over."""

    tensors: dict[str, Tensor]
    prefix: str = ""
    cut: str = ""
    rest: tuple[str, ...] = ()

    @property
    def takes_all(self) -> bool:
        return not self.rest


def settle_weights(found: StateDicts, wanted: Mapping[str, Tensor], key: str | None) -> Settled:
    """Choose the state dict that fits a network, and bring its names to the network's.

    Args:
        found: in the file.
        wanted: the network's own weights.
        key: that the user named; None for none.

    Raises:
        ValueError: if more than one fits, or there are several and none does.
    """
    ways = {place: list(_ways(tensors, wanted)) for place, tensors in found.items()}
    whole = {place: [w for w in each if w.takes_all] for place, each in ways.items()}
    fitting = [place for place, each in whole.items() if each]
    if len(fitting) > 1:
        raise ValueError(
            f"it holds several state dicts that fit, under {fitting}, as with averaged weights "
            "beside plain ones: name the one that is wanted under `key`"
        )
    if not fitting and len(found) > 1:
        raise ValueError(
            f"it holds several state dicts, under {list(found)[:8]}, and none fits the network "
            "as it is: name the one that is wanted under `key`"
        )
    place = fitting[0] if fitting else next(iter(found))
    entry = {"key": place} if place and key is None else {}
    said = [f"its weights are those under {place!r}"] if entry else []
    if len(found) > 1:
        said.append(f"those under {[p for p in found if p != place][:6]} do not fit the network")
    if not fitting:
        return Settled(found[place], entry, tuple(said), _hint(ways[place]))
    way = whole[place][0]
    if way.cut:
        said.append(way.cut)
    if way.prefix:
        entry["prefix"] = way.prefix
    return Settled(way.tensors, entry, tuple(said))


def _ways(tensors: dict[str, Tensor], wanted: Mapping[str, Tensor]) -> Iterator[_Way]:
    """Yield the ways in which weights fit, the plainest first; those alone that differ."""
    known = {n: t for n, t in tensors.items() if n not in _COUNTS or n in wanted}
    if _fits(known, wanted):
        yield _Way(known)
        return
    found_whole = False
    for prefix in _prefixes(known, wanted):
        chosen = {n[len(prefix) :]: t for n, t in known.items() if n.startswith(prefix)}
        rest = tuple(n for n in known if not n.startswith(prefix))
        if _fits(chosen, wanted):
            found_whole = found_whole or not rest
            yield _Way(chosen, prefix, f"{prefix!r} is cut off the names of its weights", rest)
    inner = {_unwrapped(name): t for name, t in known.items()}
    if not found_whole and len(inner) == len(known) and _fits(inner, wanted):
        cut = sorted({w for n in known for w in n.split(".")[:-1] if w in _WRAPPERS})
        yield _Way(inner, "", f"{', '.join(map(repr, cut))} is cut out of the names of its weights")


def _fits(tensors: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> bool:
    """Return whether names and shapes are those wanted; counts of batches may be missing."""
    missing = wanted.keys() - tensors.keys()
    return (
        not tensors.keys() - wanted.keys()
        and all(name.endswith("num_batches_tracked") for name in missing)
        and all(tensor.shape == wanted[name].shape for name, tensor in tensors.items())
    )


def _prefixes(tensors: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> list[str]:
    """Return what stands before one of the wanted names."""
    sample = next((n for n in wanted if not n.endswith("num_batches_tracked")), None)
    if sample is None:
        return []
    ends = f".{sample}"
    found = {name[: -len(sample)] for name in tensors if name.endswith(ends)}
    return sorted(found, key=lambda prefix: (len(prefix), prefix))[:_MOST_PREFIXES]


def _unwrapped(name: str) -> str:
    return ".".join(part for part in name.split(".") if part not in _WRAPPERS)


def _hint(ways: list[_Way]) -> str:
    """Say which prefixes would fit where other weights are left out."""
    if not ways:
        return ""
    names = " or ".join(f"`prefix: {way.prefix}`" for way in ways)
    others = ways[0].rest
    return f"; they fit with {names}, which leaves out {len(others)} others as {list(others[:3])}"
