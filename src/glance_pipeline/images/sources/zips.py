"""Image files in a zip, read without unpacking it to disk."""

import contextlib
import logging
import re
import stat
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from glance_pipeline.images import UnreadableImageError, format_of, is_hidden, is_image_name
from glance_pipeline.images.decoding import too_large
from glance_pipeline.images.formats import FIRST_BYTES, READ, may_be_an_image, suffix_of
from glance_pipeline.images.sources.image_files import check_found, say_by_content
from glance_pipeline.images.sources.image_source import ImageSource, Reader, Rules
from glance_pipeline.support.errors import UserError

logger = logging.getLogger(__name__)

_UTF8 = 0x800  # the flag of a name in UTF-8
_ENCRYPTED = 0x1
_MEGA = 1_000_000


def open_zip(path: Path, rules: Rules) -> ImageSource:
    """Find the image files of a zip, in the order of their paths.

    A member is unpacked in memory when it is asked for, and no further than it may be large. Its
    name is a name and no place: ``/``, ``..`` and a drive's letter are taken off its beginning.

    Raises:
        UserError: if the file is no zip, holds no image, or two of one name.
    """
    place = f"zip {path}"
    try:
        archive = zipfile.ZipFile(path)
        members = archive.infolist()
    except Exception as error:  # a broken one raises anything: struct.error, OverflowError, …
        raise UserError(
            f"zip {path}: {path.stat().st_size} bytes were found which are no complete zip file "
            f"({error})"
        ) from error
    found: dict[str, zipfile.ZipInfo] = {}
    left_out: Counter[str] = Counter()
    by_content = 0
    for member in members:
        name = _name(member)
        what = _no_image(member, name)
        if what == "unknown":
            what = "" if _head(archive, member) in READ else suffix_of(name) or "without suffix"
            by_content += not what
        if what:
            left_out[what] += 1
        elif name in found:
            raise UserError(f"zip {path}: two members are called {name}, wanted one of each name")
        else:
            found[name] = member
    left_out.pop("folders", None)
    names = tuple(sorted(found))
    check_found(names, left_out, place)
    say_by_content(by_content, place)
    changed = [name for name in names if name != found[name].filename]
    if changed:
        first = found[changed[0]].filename
        logger.info(
            "%s: %d names are put right, the first %r as %r", place, len(changed), first, changed[0]
        )

    def read(rows: Sequence[int]) -> Iterator[Reader]:
        most = rules.limits.image_mb
        return (partial(_content, archive, found[names[row]], most) for row in rows)

    return ImageSource(place, names, read)


def _name(member: zipfile.ZipInfo) -> str:
    """Return a member's path with ``/``, relative, whatever the tool that wrote it."""
    name = member.filename
    if not member.flag_bits & _UTF8 and not name.isascii():
        with contextlib.suppress(UnicodeError):  # some tools write UTF-8 and do not say so
            name = name.encode("cp437").decode("utf-8")
    parts = re.sub(r"^[A-Za-z]:", "", name.replace("\\", "/")).split("/")
    return "/".join(part for part in parts if part not in ("", ".", ".."))


def _no_image(member: zipfile.ZipInfo, name: str) -> str:
    """Say what a member is that is no image; empty for an image, ``unknown`` where open."""
    if not name or member.filename.endswith(("/", "\\")):
        return "folders"
    if is_hidden(name):
        return "hidden"
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        return "links or devices"
    if is_image_name(name):
        return ""
    return "unknown" if may_be_an_image(name) else suffix_of(name) or "without suffix"


def _head(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> str | None:
    try:
        with archive.open(member) as file:
            return format_of(file.read(FIRST_BYTES))
    except Exception:  # as above; what cannot be read is no image by its content
        return None


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most_megabytes: float) -> bytes:
    """Unpack one member in memory, whatever size the zip says that it has."""
    if member.flag_bits & _ENCRYPTED:
        raise UnreadableImageError("it is encrypted; wanted a zip without a password")
    most = int(most_megabytes * _MEGA)
    if member.file_size > most:
        raise too_large(member.file_size, most_megabytes)
    try:
        with archive.open(member) as file:
            content = file.read(most + 1)
            if len(content) <= most and file.read(1):
                raise zipfile.BadZipFile("it is longer than the zip says")
    except Exception as error:  # a wrong checksum, a method that is not known, …
        raise UnreadableImageError(str(error) or type(error).__name__) from error
    if len(content) > most:
        raise too_large(len(content), most_megabytes)
    return content
