"""Which label stands for which answer: the orders that classes are usually put in, by name."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from glance_pipeline.support.errors import UserError

ORDERS = ("numbers", "numbers-from-1", "text", "nocase", "appearance")
"""Numbers in them by value, where they are whole numbers below K those of the answers; the same
where the first answer is called 1; as Python and torchvision's folders sort text; the same without
regard to case; as they first come."""


@dataclass(frozen=True)
class Order:
    """One way to number labels.

    Attributes:
        name: one of ``ORDERS``, or ``names`` where labels are the classes' names.
        numbers: the answer that each value of the labels stands for.
        allowed: whether it agrees with what is said.
    """

    name: str
    numbers: Mapping[str, int]
    allowed: bool = True

    def __str__(self) -> str:
        """Name it."""
        return self.name

    def values(self) -> tuple[str, ...]:
        """Return the values in the order of their answers."""
        return tuple(sorted(self.numbers, key=lambda value: self.numbers[value]))


def possible_orders(
    values: Sequence[str], first: Sequence[str], names: Sequence[str] | None, count: int,
    wanted: str | None,
) -> list[Order]:  # fmt: skip
    """Return the orders in which labels may stand for answers, each once, the usual one first.

    Args:
        values: values of the labels.
        first: the same as they first come.
        names: names of the classes, where they are known otherwise.
        count: K of the answers.
        wanted: the one that the user names; the others are not allowed then.

    Raises:
        UserError: if no order gives each value an answer, or the wanted one does not.
    """
    if names is not None and set(values) & set(names):
        number = {name: k for k, name in enumerate(names)}
        return [Order("names", {value: number.get(value, -1) for value in values})]
    ways = {
        "numbers": sorted(values, key=_by_numbers),
        "text": sorted(values),
        "nocase": sorted(values, key=lambda value: (value.casefold(), value)),
        "appearance": list(first),
    }
    found: dict[str, dict[str, int]] = {}
    if len(values) == count:
        found = {name: {v: k for k, v in enumerate(way)} for name, way in ways.items()}
    if all(value.isdecimal() for value in values):
        whole = {value: int(value) for value in values}
        if max(whole.values()) < count:
            found["numbers"] = whole
        if min(whole.values()) > 0 and max(whole.values()) <= count:
            found["numbers-from-1"] = {value: number - 1 for value, number in whole.items()}
    if not found:
        raise UserError(
            f"--labels: the {len(values)} values {list(values[:6])} are no class names of the "
            f"classifier, and {'not as many' if names else 'their order is not known'}; wanted "
            f"values of {list(names or ())[:6]} or {count} of them"
        )
    if wanted is not None and wanted not in found:
        raise UserError(f"--class-order: found {wanted}, wanted one of {list(found)} for {values}")
    first_named = [wanted] if wanted else []
    orders: list[Order] = []
    for name in dict.fromkeys([*first_named, *found]):
        if all(order.numbers != found[name] for order in orders):
            orders.append(Order(name, found[name], wanted in (None, name)))
    return orders


def _by_numbers(value: str) -> list[tuple[int, int, str]]:
    """Return a key that sorts the numbers in words by their value."""
    parts = re.split(r"(\d+)", value)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]
