"""Files and folders that parameters name."""

from pathlib import Path


def located(place: str, root: Path) -> str:
    """Return the path of a file or folder: a relative one lies under ``root``, ``~`` is home."""
    return (root / Path(place).expanduser()).as_posix()
