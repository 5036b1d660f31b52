"""Messages of the project, in the words of ``kedro glance init``: options for parameters."""

import re

_OPTIONS = {
    "ingest.source": "--images",
    "ingest.links: anywhere": "--links anywhere",
    "ingest.links": "--links",
    "ingest.image_column": "--image-column",
    "ingest.number_of_images": "--number-of-images",
    "ingest.most_corrupt": "--most-corrupt",
    "ingest.size": "--size",
    "ingest.channels": "--channels",
    "ingest.crop": "--crop",
    "ingest.labels": "--labels",
    "ingest.label_column": "--labels",
    "ingest.label_file": "--label-file",
    "ingest.label_order: names_as": "--label-order names_as",
    "ingest.label_order": "--label-order",
    "ingest.group": "--group",
    "ingest.split_column": "--split",
    "ingest.context.tables": "--table",
    "ingest.context.key: ": "--table-key ",
    "ingest.context.key": "--table-key",
    "ingest.context.separator": "--separator",
    "ingest.context.encoding": "--encoding",
    "ingest.context.features": "--features",
    "under `key`": "as --key",
    "under `network`": "as --network",
}
_PARAMETER = re.compile("|".join(map(re.escape, sorted(_OPTIONS, key=len, reverse=True))))
_OUTPUT = re.compile(r"`output: (\w+)`(?: in the specification)?")


def in_options(message: str) -> str:
    """Name options where a message names the parameters that a configuration would have.

    Args:
        message: an error of the parts of the project that a run uses too.
    """
    said = _PARAMETER.sub(lambda found: _OPTIONS[found.group()], message)
    return _OUTPUT.sub(r"--output \1", said)
