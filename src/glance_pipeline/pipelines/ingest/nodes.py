"""Nodes of the ingest pipeline."""

from typing import Any

import pandas as pd

from glance_pipeline.config.align import AlignParameters
from glance_pipeline.config.ingest import IngestParameters
from glance_pipeline.images import Form
from glance_pipeline.images.sources.resized import ResizedImages, channels_of
from glance_pipeline.images.twins import find_twins, say_twins
from glance_pipeline.ingest.found import FoundImages, find_images
from glance_pipeline.support.compute import available_cores


def find_images_and_their_context(
    parameters: IngestParameters, alignment: AlignParameters, seed: int
) -> FoundImages:
    """Find the images, join their tables, choose the context features, and split."""
    return find_images(parameters, alignment.kinds, seed)


def resize_images(
    found: FoundImages, parameters: IngestParameters, workers: int | None
) -> tuple[ResizedImages, ResizedImages, dict[str, Any]]:
    """Return the images twice: to be made while they are saved, and to be asked which were made.

    With them comes the form they are brought into, so that ``explain`` can bring a file there too.
    """
    rows = found.rows.tolist()
    limits = parameters.limits
    form = Form(
        channels=parameters.channels or channels_of(found.source, rows, limits.megapixels),
        size=parameters.size,
        crop=parameters.crop,
        resampling=parameters.resampling,
        most_megabytes=limits.image_mb,
        most_megapixels=limits.megapixels,
    )
    threads = workers or available_cores()
    images = ResizedImages(found.source, rows, form, parameters.most_corrupt, threads)
    return images, images, form.model_dump()


def record_the_images_that_were_read(
    found: FoundImages, resized: ResizedImages
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the context features and the records of the images that were read, and the others.

    With them come the images of test and validation that have a twin in another split.
    """
    records, context = found.that_were(resized.read)
    prints = resized.fingerprints
    twins = find_twins(prints, records)
    say_twins(prints, records, twins)
    return context, records, resized.unreadable, twins
