"""Images and tables that would harm: what a stranger's data set can try."""

from pathlib import Path
from typing import Any

from benchmarks.hostile import data_contents as contents
from benchmarks.hostile.kinds import HostileFile
from glance_pipeline.context.join import join_tables
from glance_pipeline.images import Form, read_picture
from glance_pipeline.images.sources.arrays import read_labels
from glance_pipeline.images.sources.opening import open_source
from glance_pipeline.tables import TableReading

_FORM = Form(channels=3, size=32)


def read_images(place: Path) -> Any:
    """Read all images of a source as ``ingest`` does; raise the first refusal at the end."""
    source = open_source(str(place))
    refused: Exception | None = None
    for reader in source.read(list(range(len(source)))):
        try:
            read_picture(reader(), _FORM)
        except (ValueError, OSError) as error:
            refused = refused or error
    if refused is not None:
        raise refused


def read_bounded_context(table: Path) -> Any:
    """Read a context table of at most 100 MB."""
    return join_tables([str(table)], None, ["0.png"], TableReading(most_megabytes=100))


def read_context(table: Path) -> Any:
    """Read a context table as ``ingest`` does."""
    return join_tables([str(table)], None, ["0.png", "1.png"])


_IMAGES: tuple[HostileFile, ...] = (
    HostileFile(
        "picture.eps",
        "is a PostScript program that writes a file and starts another program",
        contents.in_folder("1.eps", contents.eps),
        read_images,
    ),
    HostileFile(
        "eps-called.png",
        "is a PostScript program under the name of a PNG",
        contents.in_folder("1.png", contents.eps),
        read_images,
    ),
    HostileFile(
        "picture-without-suffix",
        "is a PostScript program under a name that says nothing",
        contents.in_folder("1", contents.eps),
        read_images,
    ),
    HostileFile(
        "svg-called.png",
        "takes a file in as an entity",
        contents.in_folder("1.png", contents.svg),
        read_images,
    ),
    HostileFile(
        "png-bomb.png",
        "declares 3,600 megapixels",
        contents.in_folder("1.png", contents.huge_png),
        read_images,
    ),
    HostileFile(
        "png-below-pillows-limit.png",
        "declares 144 megapixels, which Pillow lets through with a warning",
        contents.in_folder("1.png", contents.large_png),
        read_images,
    ),
    HostileFile(
        "png-text-bomb.png",
        "unpacks 2 GB of comments",
        contents.in_folder("1.png", contents.text_bomb),
        read_images,
    ),
    HostileFile(
        "gif-bomb.gif",
        "declares 65,535 px squared",
        contents.in_folder("1.gif", contents.huge_gif),
        read_images,
    ),
    HostileFile(
        "webp-bomb.webp",
        "declares an animation of 16,383 px squared",
        contents.in_folder("1.webp", contents.huge_webp),
        read_images,
    ),
    HostileFile(
        "scans.jpg",
        "goes over its pixels ten thousand times",
        contents.in_folder("1.jpg", contents.scans),
        read_images,
    ),
    HostileFile(
        "tiles.tif",
        "has thirty thousand strips",
        contents.in_folder("1.tif", contents.tiles),
        read_images,
    ),
    HostileFile("pipe-in-a-folder", "lets a reader wait for ever", contents.pipe, read_images),
    HostileFile(
        "link-to-a-secret",
        "is a link called as an image that leads to a file outside",
        contents.link("1.png", lambda canaries: canaries.secret),
        read_images,
    ),
    HostileFile(
        "link-to-a-folder-outside",
        "is a link that leads to the folder above",
        contents.link("class", lambda canaries: canaries.folder.parent),
        read_images,
    ),
    HostileFile(
        "link-to-itself",
        "is a folder in which a link leads to the folder",
        contents.link("again", lambda canaries: canaries.folder / "images"),
        read_images,
    ),
    HostileFile(
        "link-to-a-device",
        "is a link to a file without end",
        contents.link("1.png", lambda _: Path("/dev/zero")),
        read_images,
    ),
)

_ARCHIVES: tuple[HostileFile, ...] = (
    HostileFile(
        "bomb.zip",
        "unpacks 200 MB into one image",
        contents.as_file("a.zip", contents.zip_bomb),
        read_images,
    ),
    HostileFile(
        "liar.zip",
        "says of 100 MB that they are 10 bytes",
        contents.as_file("a.zip", contents.zip_that_lies),
        read_images,
    ),
    HostileFile(
        "traversal.zip",
        "names members that lie outside",
        contents.as_file(
            "a.zip",
            contents.zip_of(
                ("../../ran", b"x"), ("/ran.png", contents.png()), ("C:\\ran.png", b"x")
            ),
        ),
        read_images,
    ),
    HostileFile(
        "link.zip",
        "holds a link to a secret",
        contents.as_file("a.zip", contents.zip_with_link),
        read_images,
    ),
    HostileFile(
        "idx-bomb.gz",
        "unpacks 200 MB where its header says 128 bytes",
        contents.as_file("train-images-idx3-ubyte.gz", contents.idx_bomb),
        read_images,
    ),
    HostileFile(
        "idx-that-boasts.gz",
        "declares eight billion images",
        contents.as_file("train-images-idx3-ubyte.gz", contents.idx_that_boasts),
        read_images,
    ),
)

_ARRAYS: tuple[HostileFile, ...] = (
    HostileFile(
        "pickle.npy",
        "holds a pickled program",
        contents.as_file("a.npy", contents.npy),
        read_images,
    ),
    HostileFile(
        "pickle-called.npy",
        "is a pickled program under the name of an array",
        contents.as_file("a.npy", contents.pickled),
        read_images,
    ),
    HostileFile(
        "labels.npy",
        "holds a pickled program in place of labels",
        contents.as_file("y.npy", contents.npy),
        lambda path: read_labels(path, str(path)),
    ),
    HostileFile(
        "shape.npy", "declares 3 TB", contents.as_file("a.npy", contents.shape_beyond), read_images
    ),
    HostileFile(
        "header.npy",
        "has an expression of a million brackets for its header",
        contents.as_file(
            "a.npy", contents.of_text(contents.npy_header("(" * 1_000_000, version=b"\x02\x00"))
        ),
        read_images,
    ),
    HostileFile(
        "holes.npy",
        "declares 100 million images and has holes for them",
        contents.holes,
        read_images,
    ),
)

_PATHS: tuple[HostileFile, ...] = tuple(
    HostileFile(f"path-{name}.parquet", f"names {what} in place of an image", make, read_images)
    for name, what, make in (
        ("absolute", "an absolute path", contents.data_set(lambda canaries: str(canaries.secret))),
        ("above", "a path with ..", contents.data_set(lambda c: f"../../{c.secret.name}")),
        ("url", "a URL of a file", contents.data_set(lambda canaries: f"file://{canaries.secret}")),
        ("web", "an address of the web", contents.data_set(lambda _: "http://127.0.0.1:9/x.png")),
        ("drive", "a drive", contents.data_set(lambda _: "C:\\secret.png")),
        ("home", "a path of home", contents.data_set(lambda _: "~/secret.png")),
        ("link", "a link that leads outside", contents.data_set_with_link),
    )
)

_DATA_SETS: tuple[HostileFile, ...] = (
    *_PATHS,
    HostileFile(
        "state.json",
        "lists a file outside the data set",
        contents.state_that_names_others,
        read_images,
    ),
)

_TABLES: tuple[HostileFile, ...] = (
    HostileFile(
        "pickle.parquet",
        "keeps a pickle where types are kept",
        contents.pickled_metadata,
        read_context,
    ),
    HostileFile(
        "rows.parquet",
        "holds 30 GB of words in a few bytes",
        contents.rows_without_end,
        read_context,
    ),
    HostileFile(
        "pickle-called.csv",
        "is a pickled program under the name of a table",
        contents.as_file("t.csv", contents.pickled),
        read_context,
    ),
    HostileFile(
        "pickle.pkl",
        "is a pickled frame",
        contents.as_file("t.pkl", contents.pickled),
        read_context,
    ),
    HostileFile(
        "formula.csv",
        "holds formulas that a spreadsheet would run",
        contents.as_file(
            "t.csv", contents.of_text(b"file,age\n0.png,\"=cmd|'/c calc'!A1\"\n1.png,@SUM(1)\n")
        ),
        read_context,
    ),
    HostileFile(
        "bomb.csv.gz",
        "unpacks 120 MB where 100 are allowed",
        contents.as_file("t.csv.gz", lambda _: contents.gz(b"0.png,1\n" * 1_000_000, 15)),
        read_bounded_context,
    ),
    HostileFile(
        "line.csv",
        "has one row of 20 MB",
        contents.as_file("t.csv", contents.of_text(b"file,age\n0.png," + b"9" * 20_000_000)),
        read_context,
    ),
    HostileFile(
        "columns.csv",
        "has a million columns",
        contents.as_file(
            "t.csv", contents.of_text(b"file" + b",a" * 1_000_000 + b"\n0.png" + b",1" * 1_000_000)
        ),
        read_context,
    ),
    HostileFile(
        "zeros.csv",
        "holds zero bytes",
        contents.as_file("t.csv", contents.of_text(b"a,b\n\0,1\n")),
        read_context,
    ),
)

FILES: tuple[HostileFile, ...] = (*_IMAGES, *_ARCHIVES, *_ARRAYS, *_DATA_SETS, *_TABLES)
