"""All images of a source, decoded and resized block by block while they are saved."""

import logging
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np
import pandas as pd
from tqdm import tqdm

from glance_pipeline.images import Form, UnreadableImageError, decode, read_picture
from glance_pipeline.images.sources.image_source import ImageSource, Reader
from glance_pipeline.images.twins import Fingerprints
from glance_pipeline.support.errors import UserError

logger = logging.getLogger(__name__)

BLOCK = 256  # images that are in memory at a time
_NAMED = 5  # unreadable images that a message names
_SAMPLE = 64  # images that are looked at for colour


class ResizedImages:
    """Blocks of images, uint8 (B, C, H, W), made when they are asked for; one pass makes them all.

    After the pass it knows which images could not be read. ``ImageArrayDataset`` saves it as it
    would the array, with one block in memory.

    Args:
        source: source of the images.
        rows: those that are wanted, in their order in the array.
        form: what is made of each.
        most_corrupt: largest share of them that may be unreadable.
        workers: threads.
    """

    def __init__(
        self,
        source: ImageSource,
        rows: Sequence[int],
        form: Form,
        most_corrupt: float,
        workers: int,
    ) -> None:
        self._source = source
        self._rows = rows
        self._form = form
        self._most_corrupt = most_corrupt
        self._workers = workers
        self._read: list[int] = []
        self._unreadable: dict[int, str] = {}
        self._prints: list[Fingerprints] = []
        self._finished = False

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yield the blocks.

        Raises:
            UserError: if more images cannot be read than may be, or none can.
        """
        self._read, self._unreadable, self._prints, self._finished = [], {}, [], False
        notes: Counter[str] = Counter()
        pairs = zip(self._rows, self._source.read(self._rows), strict=True)
        with (
            warnings.catch_warnings(),
            ThreadPoolExecutor(self._workers) as pool,
            tqdm(total=len(self._rows), desc="images", unit="image") as bar,
        ):
            warnings.filterwarnings("ignore", module="PIL")  # of broken metadata, and large images
            while block := list(islice(pairs, BLOCK)):
                kept = []
                made = pool.map(self._make, [reader for _, reader in block])
                for (row, _), result in zip(block, made, strict=True):
                    if isinstance(result, UnreadableImageError):
                        self._unreadable[row] = str(result)
                        continue
                    kept.append(result[0])
                    notes.update(result[1])
                    self._read.append(row)
                self._check()
                bar.update(len(block))
                if kept:
                    images = np.stack(kept)
                    self._prints.append(Fingerprints.of(images))
                    yield images
        self._finished = True
        self._log(notes)

    @property
    def read(self) -> np.ndarray:
        """Rows of the source that are in the array, in its order, int64 (N,)."""
        self._check_finished()
        return np.array(self._read, dtype=np.int64)

    @property
    def fingerprints(self) -> Fingerprints:
        """What the images in the array are compared by, in its order."""
        self._check_finished()
        return Fingerprints.joined(self._prints)

    @property
    def unreadable(self) -> pd.DataFrame:
        """Frame of ``file`` and ``reason``, one row for each image that could not be read."""
        self._check_finished()
        names = [self._source.names[row] for row in self._unreadable]
        return pd.DataFrame({"file": names, "reason": list(self._unreadable.values())}, dtype=str)

    def _make(self, reader: Reader) -> tuple[np.ndarray, list[str]] | UnreadableImageError:
        try:
            return read_picture(reader(), self._form)
        except UnreadableImageError as error:
            return error
        except Exception as error:  # whatever the source of the images raises
            return UnreadableImageError(f"{type(error).__name__}: {error}")

    def _check(self) -> None:
        """Stop where too much is unreadable, as soon as it is known."""
        found, most = len(self._unreadable), self._most_corrupt * len(self._rows)
        done = found + len(self._read)
        if found > most or (not self._read and done == len(self._rows)):
            raise UserError(
                f"ingest.source: {self._source.place}: {found} of the {done} images so far cannot "
                f"be read, ingest.most_corrupt {self._most_corrupt:g} allows {int(most)} of "
                f"{len(self._rows)}: {self._named()}"
            )

    def _named(self) -> str:
        some = list(self._unreadable.items())[:_NAMED]
        more = len(self._unreadable) - len(some)
        named = "; ".join(f"{self._source.names[row]} ({reason})" for row, reason in some)
        return f"{named}; and {more} more" if more else named

    def _log(self, notes: Counter[str]) -> None:
        for note, count in notes.most_common():
            logger.info("%s: %d images were %s", self._source.place, count, note)
        for row, reason in self._unreadable.items():
            logger.warning("left out: %s cannot be read: %s", self._source.names[row], reason)

    def _check_finished(self) -> None:
        if not self._finished:
            raise RuntimeError("the images have not been read to their end yet")


def channels_of(source: ImageSource, rows: Sequence[int], most_megapixels: float = 100) -> int:
    """Return 3 where any of a sample of the images is in colour, 1 where none is.

    Args:
        source: source of the images.
        rows: those that are wanted; of a source in order the first ones are the sample.
        most_megapixels: of an image.
    """
    step = max(1, len(rows) // _SAMPLE) if source.in_any_order else 1
    sample = list(rows[::step][:_SAMPLE])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="PIL")
        for reader in source.read(sample):
            try:
                if decode(reader(), most_megapixels=most_megapixels)[0].mode == "RGB":
                    return 3
            except Exception:  # as above
                continue  # named when all of them are read
    return 1
