"""Whether what is ingested fits what is to be trained on it, said before anything is read."""

from collections.abc import Sequence
from pathlib import Path

from glance_pipeline.config.ingest import IngestParameters


def absent_files(parameters: IngestParameters) -> list[str]:
    """Return a sentence for each file or folder of the parameters that does not exist."""
    places = {"ingest.source": parameters.source, "ingest.label_file": parameters.label_file}
    places |= {f"ingest.context.tables, {t}": t for t in parameters.context.tables}
    return [
        f"{name}: there is no {Path(place).expanduser().absolute()}"
        for name, place in places.items()
        if place is not None and not Path(place).expanduser().exists()
    ]


def disagreements(
    parameters: IngestParameters,
    image_shape: tuple[int, int, int] | None,
    widths: dict[str, Sequence[int]],
) -> list[str]:
    """Say what will not fit.

    Args:
        parameters: parameters of the ingest pipeline.
        image_shape: (channels, height, width) that the classifier takes; None if not known.
        widths: channels at 4, 8, … px of each network to be trained, by the parameter's name.

    Returns:
        A sentence for each disagreement.
    """
    size = parameters.size
    said = []
    if image_shape is not None and image_shape[1:] != (size, size):
        said.append(
            f"ingest.size is {size}, but the classifier takes images of "
            f"{image_shape[1]}×{image_shape[2]} px"
        )
    if image_shape is not None and parameters.channels not in (None, image_shape[0]):
        said.append(
            f"ingest.channels is {parameters.channels}, but the classifier takes images of "
            f"{image_shape[0]} channels"
        )
    steps = size.bit_length() - 2  # 4, 8, …, size
    for name, found in widths.items():
        if len(found) != steps:
            said.append(
                f"{name} has {len(found)} values {list(found)}, but ingest.size {size} wants "
                f"{steps}: one for each of 4, 8, …, {size} px"
            )
    return said
