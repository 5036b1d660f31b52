"""Images and tables that were once read wrongly, each made anew: what comes, and what should."""

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from benchmarks.hostile.kinds import Case
from glance_pipeline.config.ingest import IngestParameters
from glance_pipeline.context.join import join_tables
from glance_pipeline.images import Form, UnreadableImageError, read_picture
from glance_pipeline.images.sources.opening import open_source
from glance_pipeline.images.twins import Fingerprints, find_twins
from glance_pipeline.ingest.found import FoundImages, find_images
from glance_pipeline.support.errors import UserError
from glance_pipeline.tables import TableReading, read_table

_CLASSES = ("red", "green", "blue")
_COUNT = 30


def _picture(number: int) -> Image.Image:
    return Image.fromarray(np.full((8, 8, 3), 8 * number, np.uint8))


def _content(number: int) -> bytes:
    file = io.BytesIO()
    _picture(number).save(file, "PNG")
    return file.getvalue()


def _images(folder: Path, first: int = 0, by_class: bool = True, suffix: str = "png") -> Path:
    """Write 30 images, in folders by class or in one."""
    for number in range(_COUNT):
        place = folder / "img" / (_CLASSES[number % 3] if by_class else "")
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number + first}.{suffix}").write_bytes(_content(number))
    return folder / "img"


def _find(source: Path, **fields: Any) -> FoundImages:
    shares = {"train": 0.6, "validation": 0.2, "test": 0.2}
    given = {"source": str(source), "size": 8, "fractions": shares, **fields}
    return find_images(IngestParameters.model_validate(given), {}, 0)


def _table(folder: Path, text: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def _refused(do: Callable[[], Any], *wanted: str) -> tuple[bool, str]:
    """Say whether something is refused with all of these words."""
    try:
        return False, f"taken: {do()}"
    except (UserError, UnreadableImageError) as error:
        return all(word in str(error) for word in wanted), str(error)


def _equal(found: Any, wanted: Any) -> tuple[bool, str]:
    return found == wanted, f"found {found}"


def _values(path: Path, **reading: Any) -> dict[str, list[Any]]:
    frame = read_table(path, TableReading(**reading))
    return {str(name): frame[name].fillna("missing").tolist() for name in frame.astype(object)}


def _reads(text: str | bytes, wanted: dict[str, list[Any]], **reading: Any) -> Any:
    """Return what says whether a CSV file holds these values."""

    def run(folder: Path) -> tuple[bool, str]:
        name = reading.pop("name", "t.csv")
        return _equal(_values(_table(folder, text, name), **reading), wanted)

    return run


def _refuses(text: str | bytes, *words: str, name: str = "t.csv") -> Any:
    def run(folder: Path) -> tuple[bool, str]:
        return _refused(lambda: _values(_table(folder, text, name)), *words)

    return run


def _trailing_comma(folder: Path) -> tuple[bool, str]:
    rows = "".join(f"{n},{n * 2},{_CLASSES[n % 3]},\n" for n in range(_COUNT))
    frame = read_table(_table(folder, f"id,level,label\n{rows}"), TableReading())
    joined = join_tables([str(folder / "t.csv")], "id", [f"{n}.png" for n in range(_COUNT)])
    good = frame["level"].tolist() == [n * 2 for n in range(_COUNT)]
    return good and joined["label"].tolist() == [_CLASSES[n % 3] for n in range(_COUNT)], str(
        frame.iloc[1].to_dict()
    )


def _unnamed_index(folder: Path) -> tuple[bool, str]:
    names = [f"{n}.png" for n in range(_COUNT)]
    pd.DataFrame({"file": names[::-1], "x": range(_COUNT)}).to_csv(folder / "t.csv")
    joined = join_tables([str(folder / "t.csv")], None, names)
    return _equal(joined.to_dict("list"), {"x": list(range(_COUNT))[::-1]})


def _one_off(folder: Path, key: str | None = None, names: Sequence[str] = ()) -> Any:
    rows = "".join(f"{n},IMG-{n + 1:04},{n}\n" for n in range(_COUNT))
    table = _table(folder, f"index,photo,x\n{rows}")
    images = names or [f"{n + 1}.png" for n in range(_COUNT)]
    return join_tables([str(table)], key, images, has_order=bool(names))


def _shuffled_one_off(folder: Path) -> Any:
    frame = pd.DataFrame({"id": range(_COUNT), "x": range(_COUNT)}).sample(frac=1, random_state=0)
    frame.to_csv(folder / "t.csv", index=False)
    return join_tables([str(folder / "t.csv")], None, [f"{n + 1}.png" for n in range(_COUNT)])


def _labels(folder: Path, order: str | None) -> FoundImages:
    np.save(folder / "y.npy", np.arange(_COUNT) % 3)
    fields = {"labels": "file", "label_file": str(folder / "y.npy"), "label_order": order}
    return _find(_images(folder, by_class=False), **fields)


def _labels_by_number(folder: Path) -> tuple[bool, str]:
    records = _labels(folder, "names_as_numbers").records
    numbers = records["file"].str.removesuffix(".png").astype(int)
    right = (records["label"].astype(int) == numbers % 3).mean()
    return right == 1, f"{right:.0%} of the labels are right"


def _arrow_cache(folder: Path) -> tuple[bool, str]:
    table = pa.table({"image": [{"bytes": _content(n), "path": None} for n in range(_COUNT)]})
    for name in ("data-00000-of-00001.arrow", "cache-0123.arrow"):
        place = str(folder / name)
        with pa.OSFile(place, "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
            writer.write_table(table)
    listed = {"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}
    (folder / "state.json").write_text(json.dumps(listed))
    return _equal(len(open_source(str(folder))), _COUNT)


def _deep(folder: Path, name: str, content: bytes) -> tuple[bool, str]:
    (folder / name).write_bytes(content)
    reader = next(iter(open_source(str(folder)).read([0])))
    return _refused(lambda: read_picture(reader(), Form(channels=3, size=8)), "more than 8 bits")


def _rgb16(folder: Path) -> tuple[bool, str]:
    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    rows = b"".join(b"\0" + bytes(range(48)) for _ in range(8))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0))
    content = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows))
    return _deep(folder, "deep.png", content + chunk(b"IEND", b""))


def _rgb16_of_pnm(folder: Path) -> tuple[bool, str]:
    return _deep(folder, "deep.ppm", b"P6\n8 8\n65535\n" + bytes(8 * 8 * 6))


def _zip_of(folder: Path, name_of: Callable[[int], str]) -> Path:
    with zipfile.ZipFile(folder / "img.zip", "w") as archive:
        for number in range(_COUNT):
            archive.writestr(name_of(number), _content(number))
    return folder / "img.zip"


def _backslashes(folder: Path) -> tuple[bool, str]:
    path = _zip_of(folder, lambda n: f"{_CLASSES[n % 3]}\\{n}.png")
    records = _find(path, labels="folders").records
    return _equal(sorted(set(records["label"])), sorted(_CLASSES))


def _twice_in_a_zip(folder: Path) -> Any:
    return open_source(str(_zip_of(folder, lambda n: f"a/{n % 29}.png")))


def _linked_class(folder: Path, links: str = "inside") -> FoundImages:
    source = _images(folder)
    (source / "blue").rename(folder / "store")
    (source / "blue").symlink_to(folder / "store")
    return _find(source, labels="folders", links=links)


def _linked_inside(folder: Path) -> tuple[bool, str]:
    source = _images(folder)
    (source / "green" / "again").symlink_to(source / "red")
    (source / "round").symlink_to(source)
    return _equal(len(open_source(str(source))), _COUNT)


def _nested_class(folder: Path) -> FoundImages:
    source = _images(folder)
    (source / "red" / "dark").mkdir()
    (source / "red" / "dark" / "x.png").write_bytes(_content(1))
    return _find(source, labels="folders")


def _suffixes(folder: Path) -> tuple[bool, str]:
    for number, suffix in enumerate(("jfif", "JPE", "avif", "webp", "dib", "dat", "")):
        path = folder / f"{number}{'.' if suffix else ''}{suffix}"
        path.write_bytes(_content(number))
    (folder / "notes.txt").write_text("P1 is the first person")
    return _equal(len(open_source(str(folder))), 7)


def _two_columns_of_images(folder: Path) -> Any:
    content = [_content(0)]
    pq.write_table(pa.table({"scan": content, "mask": content}), folder / "a.parquet")
    return open_source(str(folder))


def _one_picture(folder: Path) -> Any:
    np.save(folder / "one.npy", np.zeros((64, 48, 3), np.uint8))
    return open_source(str(folder / "one.npy"))


def _twins(folder: Path) -> tuple[bool, str]:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (4, 1, 32, 32)).astype(np.uint8)
    images[2] = images[0]
    images[3] = np.clip(images[1].astype(int) + 3, 0, 255)
    split, file = ["train", "train", "test", "test"], ["a", "b", "c", "d"]
    records = pd.DataFrame({"split": split, "file": file})
    found = find_twins(Fingerprints.of(images), records)
    return _equal(found[["file", "twin", "same"]].to_numpy().tolist(), [
        ["c", "a", True], ["d", "b", False],
    ])  # fmt: skip


def _big_numbers(folder: Path) -> tuple[bool, str]:
    names = ["0.png", "1.png", "2.png"]
    text = "file,who\n0.png,9007199254740993\n1.png,9007199254740992\n"
    joined = join_tables([str(_table(folder, text))], None, names)
    return _equal(joined["who"].nunique(), 2)


_JOINS = (
    Case(
        "csv_trailing_comma",
        "the values under their own names",
        _trailing_comma,
    ),
    Case("csv_unnamed_index", "the table, joined by its file names", _unnamed_index),
    Case(
        "csv_index_one_off",
        "a refusal that says how to state the key",
        lambda folder: _refused(lambda: _one_off(folder), "one off", "ingest.context.key: index"),
    ),
    Case(
        "csv_index_one_off_of_an_array",
        "a refusal, for images 0 … 29 and an index 1 … 30 too",
        lambda folder: _refused(
            lambda: _one_off(folder, None, [str(n + 1) for n in range(_COUNT)]), "one off"
        ),
    ),
    Case(
        "csv_index_one_off_shuffled",
        "a refusal, whatever the order of the rows",
        lambda folder: _refused(lambda: _shuffled_one_off(folder), "one off"),
    ),
    Case(
        "npy_labels_beside_a_folder",
        "a refusal that says how to state the order",
        lambda folder: _refused(lambda: _labels(folder, None), "ingest.label_order"),
    ),
    Case("npy_labels_in_a_stated_order", "all labels right", _labels_by_number),
    Case(
        "csv_long_numbers",
        "two persons whose numbers differ above 2^53 stay two",
        _big_numbers,
    ),
)

_IMAGE_CASES = (
    Case("hf_arrow_cache", "each image once: state.json lists the files", _arrow_cache),
    Case("png_rgb16", "a refusal of 16 bits a channel", _rgb16),
    Case("ppm_rgb16", "a refusal of 16 bits a channel", _rgb16_of_pnm),
    Case("zip_backslashes", "three classes", _backslashes),
    Case(
        "zip_of_two_members_of_one_name",
        "a refusal that names them",
        lambda folder: _refused(lambda: _twice_in_a_zip(folder), "a/0.png"),
    ),
    Case(
        "linked_class_folder",
        "a word that a link leads out, and how it is followed",
        lambda folder: _refused(lambda: _linked_class(folder), "blue →", "ingest.links: anywhere"),
    ),
    Case(
        "linked_class_folder_followed",
        "all images",
        lambda folder: _equal(len(_linked_class(folder, "anywhere").rows), _COUNT),
    ),
    Case("links_within_a_folder", "each image once, and no loop", _linked_inside),
    Case(
        "class_folder_within_another",
        "a refusal that names both",
        lambda folder: _refused(lambda: _nested_class(folder), "red/dark"),
    ),
    Case("unusual_suffixes", "images by suffix or by content", _suffixes),
    Case(
        "two_columns_of_images",
        "a refusal that names both",
        lambda folder: _refused(
            lambda: _two_columns_of_images(folder), "scan", "mask", "ingest.image_column"
        ),
    ),
    Case(
        "npy_of_one_image",
        "a refusal, not 64 images of 3 px",
        lambda folder: _refused(lambda: _one_picture(folder), "(64, 48, 3)"),
    ),
    Case("twins_between_splits", "both found, the near one as near", _twins),
)

_CSV_CASES = (
    Case(
        "csv_class_called_none",
        "words stay words",
        _reads("c,n\nNone,1\nNA,2\nnull,3\n", {"c": ["None", "NA", "null"], "n": [1, 2, 3]}),
    ),
    Case(
        "csv_missing_number",
        "missing among numbers",
        _reads("n,m\n1.5,x\nNA,y\n", {"n": [1.5, "missing"], "m": ["x", "y"]}),
    ),
    Case(
        "csv_leading_zeros",
        "as they are written, in whatever row",
        _reads(
            "k,n\n" + "7,1\n" * 2000 + "007,2\n",
            {
                "k": ["7"] * 2000 + ["007"],
                "n": [1] * 2000 + [2],
            },
        ),
    ),
    Case(
        "csv_semicolons_and_decimal_commas",
        "numbers",
        _reads("a;b\n1,5;x\n-2,25;y\n", {"a": [1.5, -2.25], "b": ["x", "y"]}),
    ),
    Case("csv_utf16", "read", _reads("ä,b\n1,2\n".encode("utf-16"), {"ä": [1], "b": [2]})),
    Case("csv_bom", "the name without the mark", _reads("\ufefffile\n1\n", {"file": [1]})),
    Case(
        "csv_latin1",
        "a refusal that says how to state the encoding",
        _refuses("ä,b\n1,2\n".encode("latin-1"), "ingest.context.encoding"),
    ),
    Case("csv_short_row", "a refusal that names the row", _refuses("a,b\n1,2\n3\n", "#3")),
    Case("csv_long_row", "a refusal that names the row", _refuses("a,b\n1,2\n3,4,5\n", "#3")),
    Case(
        "csv_names_one_short",
        "a refusal, not an index",
        _refuses("a,b\nx,1,2\ny,3,4\n", "2 names", "3 values"),
    ),
    Case("csv_name_twice", "a refusal, not a.1", _refuses("a,a\n1,2\n", "['a']")),
    Case("csv_open_quotation", "a refusal", _refuses('a,b\n1,"2\n3,4\n', "not closed")),
    Case(
        "csv_two_separators",
        "a refusal that says how to state it",
        _refuses("a;b,c\n1;2,3\n4;5,6\n", "ingest.context.separator"),
    ),
    Case("csv_upper_case_suffix", "read", _reads("a,b\n1,2\n", {"a": [1], "b": [2]}, name="T.CSV")),
    Case("xlsx", "a refusal that says what to do", _refuses(b"PK\3\4", "CSV", name="t.xlsx")),
    Case(
        "xlsx_called_csv", "a refusal that says what it is", _refuses(b"PK\3\4rest", "spreadsheet")
    ),
)

CASES: tuple[Case, ...] = (*_JOINS, *_IMAGE_CASES, *_CSV_CASES)
