"""Parts of what ``init`` says, as they stand on the terminal."""

from dataclasses import dataclass
from textwrap import wrap

from glance_pipeline.support.names import columns, made_visible

_WIDTH = 100
_LONGEST_NAME = 40  # columns; beside a longer one there is no room for what is said of it


@dataclass(frozen=True)
class Section:
    """A heading, and lines of a name and what is said of it."""

    heading: str
    lines: list[tuple[str, str]]

    def __str__(self) -> str:
        """Write it in two columns, broken into lines of at most ``_WIDTH`` characters."""
        lines = [(made_visible(name), made_visible(said)) for name, said in self.lines]
        width = max((columns(n) for n, _ in lines if columns(n) <= _LONGEST_NAME), default=0)
        left = 4 if width else 2
        gap = "  " if width else ""
        written = [made_visible(self.heading)]
        for name, said in lines:
            parts = wrap(said, _WIDTH - width - left, break_on_hyphens=False) or [""]
            if columns(name) > _LONGEST_NAME:  # it gets lines of its own
                written += [f"  {part}" for part in wrap(name, _WIDTH - 2)]
                name = ""
            names = [name, *[""] * (len(parts) - 1)]
            pairs = zip(names, parts, strict=True)
            written += [f"  {n}{' ' * (width - columns(n))}{gap}{p}" for n, p in pairs]
        return "\n".join(line.rstrip() for line in written)
