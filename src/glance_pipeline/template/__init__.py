"""The files that a new project starts with: what ``glance new`` lays out.

Their one source is the repository: its own ``conf/``, ``notebooks/`` and the rest of ``PATTERNS``,
and ``files/`` beside this module, which holds what only a new project needs. Building a wheel
copies the former into ``files/`` of the wheel (``setup.py``); an editable install reads them from
the clone. ``setup.py`` loads this module by its path, so it imports the standard library alone.
"""

from pathlib import Path

PATTERNS = (
    ".gitignore",
    ".telemetry",
    "constraints.txt",
    "conf/logging.yml",
    # each environment by its name: a clone may also hold environments of its user's own
    "conf/base/*.yml",
    "conf/celeba/*.yml",
    "conf/ffhq/*.yml",
    "conf/ffhq128/*.yml",
    "conf/ffhq256/*.yml",
    "conf/test/*.yml",
    "conf/local/.gitkeep",
    "data/*/.gitkeep",
    "notebooks/[0-9][0-9]_*.ipynb",
)
"""What of the repository a new project gets, relative to the repository's root."""

OWN = Path(__file__).parent / "files"
"""What is installed with this module."""


def of_repository(root: Path) -> dict[str, Path]:
    """Return the files that ``PATTERNS`` name.

    Args:
        root: root of the repository.

    Returns:
        The path of each, by its POSIX path relative to the root, in the order of ``PATTERNS``.

    Raises:
        FileNotFoundError: if a pattern finds nothing.
    """
    found: dict[str, Path] = {}
    for pattern in PATTERNS:
        matching = sorted(path for path in root.glob(pattern) if path.is_file())
        if not matching:
            raise FileNotFoundError(f"there is no {pattern} in {root}")
        found |= {path.relative_to(root).as_posix(): path for path in matching}
    return found


def template_files() -> dict[str, Path]:
    """Return the files of a new project, each by its POSIX path relative to the project's root.

    Raises:
        FileNotFoundError: if neither a wheel nor a clone with all files is installed.
    """
    found = {
        path.relative_to(OWN).as_posix(): path for path in sorted(OWN.rglob("*")) if path.is_file()
    }
    if "conf/logging.yml" not in found:  # an editable install, for which nothing was copied
        found |= of_repository(Path(__file__).parents[3])
    return found
