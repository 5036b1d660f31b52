"""Nodes of the ingest pipeline."""

import pandas as pd

from glance_pipeline.compute import available_cores
from glance_pipeline.config.align import AlignParameters
from glance_pipeline.config.ingest import IngestParameters
from glance_pipeline.ingest.found import FoundImages, find_images
from glance_pipeline.ingest.picture import Form
from glance_pipeline.ingest.resized import ResizedImages, channels_of


def find_images_and_their_context(
    parameters: IngestParameters, alignment: AlignParameters, seed: int
) -> FoundImages:
    """Find the images, join their tables, choose the context features, and split."""
    return find_images(parameters, alignment.kinds, seed)


def resize_images(
    found: FoundImages, parameters: IngestParameters, workers: int | None
) -> tuple[ResizedImages, ResizedImages]:
    """Return the images twice: to be made while they are saved, and to be asked which were made."""
    rows = found.rows.tolist()
    form = Form(
        channels=parameters.channels or channels_of(found.source, rows),  # type: ignore[arg-type]
        size=parameters.size,
        crop=parameters.crop,
        resampling=parameters.resampling,
    )
    threads = workers or available_cores()
    images = ResizedImages(found.source, rows, form, parameters.most_corrupt, threads)
    return images, images


def record_the_images_that_were_read(
    found: FoundImages, resized: ResizedImages
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the context features and the records of the images that were read, and the others."""
    records, context = found.that_were(resized.read)
    return context, records, resized.unreadable
