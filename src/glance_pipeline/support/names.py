r"""Users' names as keys of other systems: safe there, never two alike, and told back.

A name that a system takes as it is stays as it is. Any other is shown as far as the system's
characters go, followed by a mark of ten hexadecimal digits, which are a hash of the whole name:
``size [px]`` is ``size _px_-41f7…``. Names that differ, if only in case or in signs, get different
keys. What a key stands for is kept beside it: in ``names.json`` of an MLflow run, in the documents
that name files.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Sequence

LONGEST_FILE_NAME = 120
"""Of the part that comes from a name, bytes; what surrounds it fits into the usual 255 as well."""

_MARK = re.compile(r"-[0-9a-f]{10}$")
_MLFLOW_LONGEST = 250
_MLFLOW_PART = 100
_WINDOWS = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


def mlflow_key(*parts: str) -> str:
    """Return the key of a metric, a parameter or a tag in MLflow.

    Args:
        parts: keys of nested mappings from without to within; joined by dots.

    Returns:
        At most 250 characters of letters, digits, ``_``, ``-``, ``.``, ``/`` and blanks, which are
        no path that could be written in another way.
    """
    safe = [_safe(part, _is_mlflow_part, r"[^\w/ -]", _MLFLOW_PART) for part in parts]
    key = ".".join(safe)
    if len(key) <= _MLFLOW_LONGEST and _is_one_path(key):
        return key
    return _marked(key, r"[^\w. -]", _MLFLOW_LONGEST, "\0".join(parts))


def file_name(name: str, longest: int = LONGEST_FILE_NAME) -> str:
    """Return the name of a file or folder on any system, as far as it comes from a user's name.

    Upper case is marked, since some systems take ``A`` for ``a``.

    Args:
        name: any text.
        longest: bytes of UTF-8 at most.
    """
    return _safe(name, _is_file_name, r"[^\w.-]+", longest)


def file_names(names: Sequence[str], longest: int = LONGEST_FILE_NAME) -> list[str]:
    """Return a file name for each of several names that lie in one folder.

    What ``file_name`` marks for its case alone stays plain where no other name looks like it.

    Args:
        names: all different.
        longest: as in ``file_name``.
    """
    folded = [unicodedata.normalize("NFKD", name).casefold() for name in names]
    chosen = []
    for name, fold in zip(names, folded, strict=True):
        alone = folded.count(fold) == 1 and _is_file_name(name.casefold())
        plain = alone and len(name.encode()) <= longest
        chosen.append(name if plain else file_name(name, longest))
    return chosen


def readable_file_name(name: str, longest: int = LONGEST_FILE_NAME) -> str:
    """Return part of a file's name that shows a user's name; another name may show the same."""
    shown = re.sub(r"[^\w.-]+", "_", unicodedata.normalize("NFC", name)).strip("._") or "unnamed"
    return shown if len(shown.encode()) <= longest else _marked(shown, r"\s", longest, name)


def is_reserved(name: str) -> bool:
    """Return whether Windows takes a file's name for a device, or drops its end."""
    return bool(_WINDOWS.fullmatch(name)) or name.endswith((".", " "))


def made_visible(name: str) -> str:
    r"""Return a name with what cannot be seen written out, as Python writes it: ``\n``, ``\x1b``.

    Line breaks, control characters, marks that turn the direction of a text, and what is no
    character at all neither break a line nor a file of XML or JSON.
    """
    return "".join(
        char.encode("unicode_escape").decode() if unicodedata.category(char) in _HIDDEN else char
        for char in name
    )


def xml_key(name: str) -> str:
    """Return the name of a node in GraphML, which XML can hold."""
    if all(unicodedata.category(char) not in _HIDDEN for char in name) and not _MARK.search(name):
        return name
    return f"{made_visible(name)}-{_hash(name)}"


def columns(text: str) -> int:
    """Return how many columns of a terminal a text takes: East Asian signs and emoji take two."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def shortened(name: str, most: int) -> str:
    """Return a name in one line of at most ``most`` columns: its start and end, ``…`` between."""
    name = made_visible(name)
    if columns(name) <= most:
        return name
    start, end = "", ""
    for first, last in zip(name, reversed(name), strict=True):
        if columns(start + first + end) >= most:
            break
        start += first
        if columns(start + last + end) >= most:
            break
        end = last + end
    return f"{start}…{end}"


def lines_made_visible(text: str) -> str:
    """Return a text whose lines stay lines and hold nothing that a terminal would obey."""
    return "\n".join(made_visible(line) for line in text.split("\n"))


def _is_mlflow_part(part: str) -> bool:
    return bool(re.fullmatch(r"[\w/ -]+", part))


def _is_one_path(key: str) -> bool:
    segments = key.split("/")
    return bool(key) and all(one not in ("", ".", "..") for one in segments) and key[0] != "."


def _is_file_name(name: str) -> bool:
    return (
        bool(re.fullmatch(r"\w[\w.-]*", name))
        and unicodedata.normalize("NFKD", name).casefold() == unicodedata.normalize("NFKD", name)
        and unicodedata.normalize("NFKC", name) == name
        and not is_reserved(name)
    )


def _safe(name: str, good: Callable[[str], bool], unwanted: str, longest: int) -> str:
    fits = len(name.encode("utf-8", "surrogatepass")) <= longest
    if good(name) and fits and not _MARK.search(name):  # or another name's key could look like it
        return name
    return _marked(name, unwanted, longest, name)


def _marked(shown: str, unwanted: str, longest: int, whole: str) -> str:
    mark = f"-{_hash(whole)}"
    shown = re.sub(unwanted, "_", unicodedata.normalize("NFC", shown)).strip("./ ") or "unnamed"
    shown = f"_{shown}" if is_reserved(shown) else shown
    room = longest - len(mark)
    return shown.encode("utf-8", "ignore")[:room].decode("utf-8", "ignore") + mark


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:10]
