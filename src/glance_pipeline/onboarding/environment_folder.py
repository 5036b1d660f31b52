"""An environment's folder: written aside, read back as Kedro will, and put in its place whole."""

import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from glance_pipeline.support.errors import UserError
from glance_pipeline.support.names import is_reserved


def check_name(name: str, conf: Path) -> str:
    """Return the name of an environment that can be made.

    Raises:
        UserError: if it is no name, or there is such an environment.
    """
    if not re.fullmatch(r"[A-Za-z0-9][\w-]*", name):
        raise UserError(f"found {name!r}, wanted letters, digits, - and _: it names a folder")
    if is_reserved(name) or len(name) > 100:
        raise UserError(
            f"found {name!r}, wanted at most 100 characters, and none of Windows' own names"
        )
    there = {path.name.casefold() for path in conf.iterdir()} if conf.is_dir() else set()
    if name.casefold() in there:  # some systems take A for a
        raise UserError(
            f"there is a {conf.name}/{name} already, and it stays as it is: wanted another name, "
            "or that folder moved away"
        )
    return name


@contextmanager
def written_aside(files: Mapping[str, str], name: str, conf: Path) -> Iterator[Path]:
    """Write an environment's files into a temporary folder, beside a copy of ``base``.

    Yields:
        The folder that stands for ``conf``; it is gone afterwards.
    """
    with tempfile.TemporaryDirectory() as folder:
        aside = Path(folder)
        shutil.copytree(conf / "base", aside / "base")
        (aside / name).mkdir()
        for file, text in files.items():
            (aside / name / file).write_text(text, encoding="utf-8")
        yield aside


def put_in_place(files: Mapping[str, str], name: str, conf: Path) -> Path:
    """Make ``conf/<name>`` with all of its files or not at all; return it.

    Raises:
        UserError: if it has come to be there meanwhile.
        OSError: if the disk is full or the folder cannot be written.
    """
    part = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=conf))
    try:
        for file, text in files.items():
            (part / file).write_text(text, encoding="utf-8")
        part.chmod(0o755)
        check_name(name, conf)
        part.rename(conf / name)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return conf / name
