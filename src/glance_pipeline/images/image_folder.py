"""The image files of a folder and of the folders in it; links are followed as far as is safe."""

import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from glance_pipeline.images.formats import (
    FIRST_BYTES,
    OTHER_IMAGES,
    READ,
    format_of,
    is_hidden,
    is_image_name,
    may_be_an_image,
    suffix_of,
)


@dataclass
class FoundFiles:
    """What a walk through a folder found.

    Attributes:
        files: image files, relative to the folder, sorted; each file comes once.
        by_content: how many of them have a suffix that says nothing and are images by content.
        left_out: other files, by what they are: a suffix, or words.
        linked: folders and files that were read through a link, as said in a message.
        outside: links that lead out of the folder and were not followed, as said in a message.
    """

    files: list[str] = field(default_factory=list)
    by_content: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    linked: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)


def find_image_files(folder: Path, follow: bool = False) -> FoundFiles:
    """Find the image files of a folder.

    What is hidden is passed over. Links within the folder are followed, each folder and file being
    taken once; pipes, sockets and devices are never opened.

    Args:
        folder: to be walked.
        follow: whether links that lead out of the folder are followed too.
    """
    return _Walk(folder, follow).found


def left_out_in_words(left_out: Counter[str], most: int = 8) -> str:
    """Say how many files of which kind were left out, as "3 .txt, 1 hidden"."""
    some = [f"{count} {what}" for what, count in left_out.most_common(most)]
    return ", ".join(some) + (", …" if len(left_out) > most else "")


class _Walk:
    """A walk: first what lies in the folder itself, then what links lead to."""

    def __init__(self, folder: Path, follow: bool) -> None:
        self.found = FoundFiles()
        self._folder = folder
        self._root = folder.resolve()
        self._follow = follow
        self._folders: set[Path] = set()
        self._taken: set[Path] = set()
        self._links: list[tuple[str, Path]] = []
        self._walk(folder, self._root)
        while self._links:
            links, self._links = sorted(self._links), []
            for name, target in links:
                self._through(name, target)
        self.found.files.sort()

    def _walk(self, folder: Path, real: Path) -> None:
        """Take the files below a folder, and keep its links for later."""
        for place, folders, files in os.walk(folder, onerror=self._closed):
            here = real / Path(place).relative_to(folder)
            self._folders.add(here)
            kept = []
            for name in sorted(folders):
                path = Path(place, name)
                if is_hidden(name):
                    self.found.left_out["hidden folders"] += 1
                elif path.is_symlink():
                    self._links.append((self._name(path), path))
                else:
                    kept.append(name)
            folders[:] = kept
            for name in files:
                path = Path(place, name)
                if path.is_symlink() and not is_hidden(name):
                    self._links.append((self._name(path), path))
                else:
                    self._take(self._name(path), path, here / name)

    def _closed(self, _error: OSError) -> None:
        self.found.left_out["folders that may not be read"] += 1

    def _name(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()

    def _through(self, name: str, path: Path) -> None:
        """Follow a link, where it leads to anything that is not read already."""
        try:
            real = path.resolve(strict=True)
        except (OSError, RuntimeError):  # broken, or a loop of links
            self.found.left_out["broken links"] += 1
            return
        known = self._folders if real.is_dir() else self._taken
        if real in known:
            self.found.left_out["links to what is read already"] += 1
            return
        if not real.is_relative_to(self._root) and not self._follow:
            if real.is_dir() or is_image_name(name) or may_be_an_image(name):
                self.found.outside.append(f"{name} → {real}")
            else:
                self.found.left_out[suffix_of(name) or "without suffix"] += 1
            return
        before = len(self.found.files)
        if real.is_dir():
            self._walk(path, real)
        else:
            self._take(name, path, real)
        if len(self.found.files) > before:
            self.found.linked.append(f"{name} → {real}")

    def _take(self, name: str, path: Path, real: Path) -> None:
        """Take a file where it is an image, or count what it is."""
        if is_hidden(path.name):
            self.found.left_out["hidden"] += 1
            return
        if not stat.S_ISREG(path.stat().st_mode):
            self.found.left_out["pipes, sockets or devices"] += 1
            return
        by_content = may_be_an_image(name) and _content(path) in READ
        if not is_image_name(name) and not by_content:
            self.found.left_out[suffix_of(name) or "without suffix"] += 1
            return
        if real in self._taken:
            self.found.left_out["links to what is read already"] += 1
            return
        self._taken.add(real)
        self.found.by_content += by_content
        self.found.files.append(name)


def _content(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return format_of(file.read(FIRST_BYTES))
    except OSError:
        return None


def unread_images(left_out: Counter[str]) -> Iterator[str]:
    """Yield the suffixes among what was left out that are images of formats that are not read."""
    return (suffix for suffix in left_out if suffix in OTHER_IMAGES)
