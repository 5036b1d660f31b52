"""Parameters of the ingest pipeline."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from glance_pipeline.config.reading.places import located
from glance_pipeline.config.splits import SplitFractions

Kind = Literal["folder", "zip", "npy", "idx", "hugging_face"]
LabelOrder = Literal["names_as_text", "names_as_numbers"]
Labels = Literal["folders", "column", "file"]
Crop = Annotated[int, Field(ge=1)] | Literal["square"]


Separator = Literal[",", ";", "\t", "|"]


class ReadingLimits(BaseModel):
    """The largest files that are read. A file from a stranger may be larger than it looks.

    Attributes:
        image_mb: largest image file, in million bytes. An image in a zip counts unpacked.
        megapixels: largest image, in million pixels.
        array_mb: largest idx file, unpacked, in million bytes.
        table_mb: largest table, or data set without its images, in memory, in million bytes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    image_mb: float = Field(default=64, gt=0)
    megapixels: float = Field(default=100, gt=0, le=178)
    array_mb: float = Field(default=2000, gt=0)
    table_mb: float = Field(default=500, gt=0)


class ContextParameters(BaseModel):
    """Which tables hold the context features, and how their rows find their images.

    Attributes:
        tables: CSV (``.csv``, ``.csv.gz``, ``.tsv``) and parquet files, joined one after another;
            an empty list takes the columns that a Hugging Face data set has beside its images.
        key: column that names the images: by path, file name or number; null finds it.
        separator: character between the values of a CSV file; null finds it.
        encoding: encoding of a CSV file; null takes UTF-8, or UTF-16 if the file starts like that.
        features: columns that become context features; null takes all that can be used.
        without_row: whether an image that no row names is kept, with all its values missing, or
            dropped.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tables: tuple[str, ...] = ()
    key: str | None = None
    separator: Separator | None = None
    encoding: str | None = None
    features: tuple[str, ...] | None = None
    without_row: Literal["keep", "drop"] = "keep"


class IngestParameters(BaseModel):
    """Where a user's images are, what is made of them, and how they are split.

    Files and folders are named from the project's root, as in the catalog.

    Attributes:
        source: a folder of image files, a zip of them, an ``.npy`` array, an idx file, or a folder
            with a Hugging Face data set.
        kind: which of these the source is; null finds out.
        links: links in a folder that lead out of it: ``inside`` refuses, ``anywhere`` follows them.
        image_column: column of a Hugging Face data set with the images; null takes the only one, or
            the one named ``image``.
        number_of_images: number of images to take, at random; null takes all.
        channels: 1 makes every image grey, 3 RGB; null decides by a sample of them.
        size: height and width of the prepared images, in px.
        crop: side of the centre square that is cut out before resizing, in px, or ``square`` for
            the largest one; null squeezes the whole image into the square.
        resampling: filter of the resizing.
        most_corrupt: largest share of the images that may be unreadable.
        labels: where the classes come from: ``folders``, the name of each image's folder;
            ``column``, ``label_column`` of the tables; ``file``, ``label_file``; null has none.
        label_column: column with the labels, in the tables or in a Hugging Face data set.
        label_file: an ``.npy`` or idx file of integers or strings; null takes the one beside an
            idx file.
        label_order: which image each label of the file is of, where images are files with names:
            those in the order of their paths as text, or of the numbers that their names end in.
        class_names: names of the labels' values in sorted order; null takes the values as they are.
        context: tables of context features.
        group: column of the tables whose equal values never come into two splits.
        split_column: column of the tables that says train, validation or test, or ``folders`` for
            the first folder of each image; null splits by ``fractions``.
        fractions: share of the images in each split.
        limits: the largest files that are read.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    kind: Kind | None = None
    links: Literal["inside", "anywhere"] = "inside"
    image_column: str | None = None
    number_of_images: int | None = Field(default=None, ge=1)
    channels: Literal[1, 3] | None = None
    size: int = 32
    crop: Crop | None = None
    resampling: Literal["lanczos", "bicubic", "bilinear", "box"] = "lanczos"
    most_corrupt: float = Field(default=0.01, ge=0, le=1)
    labels: Labels | None = None
    label_column: str = "label"
    label_file: str | None = None
    label_order: LabelOrder | None = None
    class_names: tuple[str, ...] | None = None
    context: ContextParameters = ContextParameters()
    group: str | None = None
    split_column: str | None = None
    fractions: SplitFractions = SplitFractions()
    limits: ReadingLimits = ReadingLimits()

    def under(self, root: Path) -> "IngestParameters":
        """Return the same, its files and folders those under ``root`` where they are relative."""
        tables = tuple(located(table, root) for table in self.context.tables)
        label_file = None if self.label_file is None else located(self.label_file, root)
        changes = {
            "source": located(self.source, root),
            "label_file": label_file,
            "context": self.context.model_copy(update={"tables": tables}),
        }
        return self.model_copy(update=changes)

    @field_validator("size")
    @classmethod
    def _is_a_power_of_two(cls, size: int) -> int:
        if size < 8 or size & (size - 1):
            raise ValueError(f"found {size} px, wanted 8, 16, 32, 64, … (the generator's sizes)")
        return size

    @model_validator(mode="after")
    def _splits_one_way(self) -> "IngestParameters":
        if self.group is not None and self.split_column is not None:
            raise ValueError(
                f"group {self.group!r} and split_column {self.split_column!r} were both found; "
                "wanted one of them: a column that says the split leaves nothing to group"
            )
        return self
