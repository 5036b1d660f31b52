"""What a trial showed, in words."""

from collections.abc import Sequence

from glance_pipeline.onboarding.trying.readings import Reading
from glance_pipeline.onboarding.trying.trial import Shown, Tried
from glance_pipeline.support.number_format import format_number

_NAMED = 4
_ROOM = 12  # classes that a hint names in full

_EVIDENCE = {
    "memory": "what its batch normalisations remember of its training images",
    "answers": "how decided the answers are",
}

Lines = list[tuple[str, str]]


def in_short(tried: Tried) -> str:
    """Say in half a sentence how the reading that is taken is known."""
    if tried.asked:
        return f"{tried.reading}: chosen, of what was tried"
    if not tried.by_labels:
        rest = _some([str(tried.readings[reading]) for reading, _ in tried.level])
        others = f"; as good: {rest}" if rest else ""
        return f"{tried.reading}: a guess without labels, by {_EVIDENCE[tried.guessed_by]}{others}"
    shown = tried.shown[tried.chosen]
    said = f"{tried.reading}: tried, right on {_share(shown)} of {shown.images:,} labelled images"
    if tried.hint is not None:
        return f"{said}, on most in another order of the classes"
    if not tried.level:
        return f"{said}, all others clearly worse"
    return f"{said}; cannot be told from {_some(_levels(tried))}"


def section(tried: Tried) -> tuple[str, Lines]:
    """Return the heading and the lines of a table of everything that was tried."""
    if not tried.by_labels:
        return "Normalisation, guessed without labels", _scores(tried) + _guess(tried)
    images = max(shown.images for shown in tried.shown.values())
    if len(_allowed(tried)) == 1 and not warnings(tried):
        return f"Normalisation, tried on {images:,} labelled images", [("taken", _as_said(tried))]
    lines = _table(tried) + _orders(tried)
    lines.append(("taken", _taken(tried)))
    lines += [("warning", text) for text in warnings(tried)]
    return f"Normalisation, tried on {images:,} labelled images", lines


def warnings(tried: Tried) -> list[str]:
    """Return what the labels say against what was taken."""
    said = []
    if tried.better is not None:
        one, other = tried.shown[tried.better], tried.shown[tried.chosen]
        better, chosen = (reading_in_words(tried, cell) for cell in (tried.better, tried.chosen))
        said.append(
            f"{better} is right on {_share(one)} of {one.images:,} labelled images, {chosen}, as "
            f"was said, on {_share(other)}: see whether the network was trained with that"
        )
    if tried.hint is not None:
        said.append(_hint(tried))
    return said


def refusal(tried: Tried) -> str:
    """Say what has to be named where the labels do not tell, with the figures."""
    cells = [tried.chosen, *tried.level]
    figures = "; ".join(
        f"{reading_in_words(tried, cell)} {_share(tried.shown[cell])}"
        for cell in cells[: 2 * _NAMED]
    )
    images = tried.shown[tried.chosen].images
    hints = "".join(f". {text}" for text in warnings(tried))
    return (
        f"nobody says how images reach the network, and {images:,} labelled images do not tell: "
        f"right are {figures} (always the most frequent class: {100 * tried.frequent:.1f} %), "
        f"and their answers differ{hints}. Name {', '.join(settling_options(tried))}, "
        "or --labels none"
    )


def settling_options(tried: Tried) -> list[str]:
    """Return the options that settle what is left."""
    cells = [tried.chosen, *tried.level]
    readings = [tried.readings[cell[0]] for cell in cells]
    several = {
        "--class-order": len({cell[1] for cell in cells}) > 1,
        "--colour": len({each.bgr for each in readings}) > 1,
    }
    names = ["--mean", "--std"] if len({each.name for each in readings}) > 1 else []
    found = [*names, *(name for name, is_open in several.items() if is_open)]
    several_readings = sum(each.allowed for each in tried.readings) > 1
    return found or (["--mean", "--std"] if several_readings else ["--class-order"])


def choices(tried: Tried) -> list[tuple[int, int]]:
    """Return what a question offers, what is proposed first."""
    if tried.by_labels:
        return [tried.chosen, *tried.level]
    return [tried.chosen, *((r, 0) for r in _ranked(tried) if r != tried.chosen[0])]


def reading_in_words(tried: Tried, cell: tuple[int, int]) -> str:
    """Name a reading, with the order of the classes where several were tried."""
    name = str(tried.readings[cell[0]])
    return f"{name} with the order {tried.orders[cell[1]]}" if len(tried.orders) > 1 else name


def _levels(tried: Tried) -> list[str]:
    return [reading_in_words(tried, cell) for cell in tried.level]


def _table(tried: Tried) -> Lines:
    """Return accuracies with the channels in both orders; a line for those that are all equal."""
    order = tried.chosen[1]
    by_name: dict[str, list[tuple[Reading, Shown]]] = {}
    for (reading, of), shown in tried.shown.items():
        if of == order:
            each = tried.readings[reading]
            by_name.setdefault(each.name, []).append((each, shown))
    most = max(shown.images for shown in tried.shown.values())
    lines = []
    for name, found in by_name.items():
        found.sort(key=lambda pair: pair[0].bgr)
        parts = [
            f"{'BGR ' if each.bgr else ''}{_share(shown)}"
            + ("" if shown.images == most else f" of {shown.images}")
            for each, shown in found
        ]
        lines.append((max(shown.right for _, shown in found), name, ", ".join(parts)))
    by_figures: dict[str, list[str]] = {}
    for _, name, said in sorted(lines, key=lambda line: -line[0]):
        by_figures.setdefault(said, []).append(name)
    together: Lines = []
    for said, names in by_figures.items():
        together += [(_first_of(names), said)] if len(names) > 2 else [(n, said) for n in names]
    return together


def _first_of(names: Sequence[str]) -> str:
    return f"{names[0]} and {len(names) - 1} more"


def _as_said(tried: Tried) -> str:
    name, cell = reading_in_words(tried, tried.chosen), tried.shown[tried.chosen]
    others = len(tried.shown) - 1
    rest = f"; none of {others} others is clearly better" if others else ""
    return f"{name}, as said: {_share(cell)} of {cell.images:,} are right{rest}"


def _orders(tried: Tried) -> Lines:
    if len(tried.orders) < 2:
        return []
    said = [
        f"{order} {_share(tried.shown[tried.chosen[0], number])}"
        for number, order in enumerate(tried.orders)
        if (tried.chosen[0], number) in tried.shown
    ]
    return [("class order", ", ".join(said))]


def _taken(tried: Tried) -> str:
    name = reading_in_words(tried, tried.chosen)
    if not tried.level:
        if tried.hint is not None and len(_allowed(tried)) > 1:
            return f"{name}, which the answers fit in the order that the warning names"
        if tried.better is not None or len(_allowed(tried)) == 1:
            return f"{name}, as said"
        return f"{name}: clearly the best (McNemar's test, at 1 % for all of them together)"
    alike = int(100 * tried.alike)
    same = "" if tried.alike == 1 else f"; those as good give the same answer on {alike} % or more"
    return (
        f"{name}, under which the labels are likeliest; not clearly worse, at 1 %, by McNemar's "
        f"test: {_some(_levels(tried))}{same}. --mean, --std, --colour and --class-order settle it"
    )


def _allowed(tried: Tried) -> list[tuple[int, int]]:
    """Return what might be taken, by what is said."""
    return [
        cell
        for cell in tried.shown
        if tried.readings[cell[0]].allowed and tried.orders[cell[1]].allowed
    ]


def _hint(tried: Tried) -> str:
    assert tried.hint is not None
    hint = tried.hint
    by_answer = {number: value for value, number in hint.numbers.items()}
    names = [by_answer.get(number, "?") for number in range(max(by_answer) + 1)]
    some = ",".join(names[:_ROOM]) + (f", … ({len(names)})" if len(names) > _ROOM else "")
    return (
        f"the answers would fit the labels at {100 * hint.right:.0f} %, read as "
        f"{tried.readings[hint.reading]}, if the classes were in another order: --class-names "
        f"{some}"
    )


def _ranked(tried: Tried) -> list[int]:
    """Return the readings of a guess, the best first."""
    sign = 1 if tried.guessed_by == "memory" else -1
    return sorted(tried.scores, key=lambda reading: sign * tried.scores[reading])


def _scores(tried: Tried) -> Lines:
    unit = {"memory": "nats from what its layers saw in training", "answers": "bits"}
    return [
        (
            str(tried.readings[reading]),
            f"{format_number(tried.scores[reading], 3)} {unit[tried.guessed_by]}",
        )
        for reading in _ranked(tried)[: 2 * _NAMED]
    ]


def _guess(tried: Tried) -> Lines:
    others = _some([str(tried.readings[reading]) for reading, _ in tried.level])
    rest = f"; {others} would be as good" if others else ""
    said = (
        f"{tried.reading} is a guess, by {_EVIDENCE[tried.guessed_by]}{rest}. Give labels "
        "(--labels), or --mean and --std (and --colour bgr), where they are known"
    )
    return [("warning", said)]


def _share(shown: Shown) -> str:
    return f"{100 * shown.right:.1f} %"


def _some(names: Sequence[str]) -> str:
    if len(names) > _NAMED + 1:
        return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
