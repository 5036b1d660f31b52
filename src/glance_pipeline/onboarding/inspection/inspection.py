"""Everything that is found out about a model and images, in the order in which it can be."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glance_pipeline.classifiers.as_read import LoadedNetwork
from glance_pipeline.classifiers.black_box import BlackBox
from glance_pipeline.classifiers.classifier import Classifier
from glance_pipeline.config.ingest import IngestParameters
from glance_pipeline.images import Form
from glance_pipeline.images.sources.image_source import ImageSource, Rules
from glance_pipeline.images.sources.opening import open_source
from glance_pipeline.images.twins import find_twins, say_twins
from glance_pipeline.ingest.found import FoundImages, find_images
from glance_pipeline.onboarding.inspection import labelling, pictures
from glance_pipeline.onboarding.inspection import settled_specification as specification
from glance_pipeline.onboarding.inspection.model import Model, find_model
from glance_pipeline.onboarding.inspection.pictures import Looks, SampledPictures
from glance_pipeline.onboarding.inspection.reads import Reads, Seen, asking_costs, how_it_reads
from glance_pipeline.onboarding.inspection.settled_specification import Classes
from glance_pipeline.onboarding.terminal.asking import Asker, comma_separated, none_or
from glance_pipeline.onboarding.terminal.command_options import Wishes
from glance_pipeline.onboarding.terminal.kept_messages import kept_messages
from glance_pipeline.onboarding.terminal.user_paths import Place, place_of, there
from glance_pipeline.onboarding.trying import network

_FEW = 64
"""Images that a callable without gradients is shown at most: its answers may cost something."""


@dataclass(frozen=True)
class Inspected:
    """What was found.

    Attributes:
        model: where the classifier is.
        specification: specification of its catalog entry, as it is written.
        takes: what the network takes, and how that is known.
        reads: how images reach the network and what its answers mean, and how that is known.
        classifier: as the run will load it.
        source: source of the images.
        looks: of the images.
        sample: sample of the images as they will be.
        found: images, records and context features of the run.
        ingest: parameters of the run, paths as they are written.
        messages: what the log would say of classifier, images and tables.
        asked: images that a black box was asked about before ``classifier`` was made.
    """

    model: Model
    specification: dict[str, Any]
    takes: network.Takes
    reads: Reads
    classifier: Classifier
    source: ImageSource
    looks: Looks
    sample: SampledPictures
    found: FoundImages
    ingest: IngestParameters
    messages: tuple[str, ...]
    asked: int

    @property
    def classes(self) -> Classes:
        """The classes, and how they are known."""
        return self.reads.classes

    def labels_of_sample(self) -> pd.Series | None:
        """Return the class names of the sample's images, missing where not known; or None."""
        if "label" not in self.found.records:
            return None
        by_row = pd.Series(self.found.records["label"].to_numpy(), index=self.found.rows)
        return by_row.reindex(self.sample.rows)


def inspect(wishes: Wishes, root: Path, seed: int, asker: Asker) -> Inspected:
    """Find out about model, images and tables; ask for what they do not say.

    Args:
        wishes: of the user.
        root: root of the project, absolute.
        seed: seed of the run.
        asker: asks, or says what is missing.

    Raises:
        ValueError: if something is missing or cannot be used, ``UserError`` or of the parts of
            the project that read models and images.
        FileNotFoundError: if images or tables are not there.
    """
    model = find_model(wishes, root, asker)
    with kept_messages():
        source = model.read(wishes.feature_layer)
    question = "Images: a folder, a zip, an .npy or idx file, a Hugging Face data set"
    images = asker.settle("--images", wishes.images, question, parse=partial(there, root))
    with kept_messages():
        rules = Rules(wishes.links == "anywhere", wishes.image_column)
        opened = open_source(images.path.as_posix(), rules=rules)
        count = _FEW if asking_costs(source, model) else pictures.SAMPLE
        rows = pictures.sample_of(opened, wishes.number_of_images, seed, count)
        looks = pictures.look_at(opened, rows)
    takes = network.what_it_takes(source, wishes.input_size, asker)
    entrance = specification.settle_entrance(source, takes, looks, wishes, asker)
    fields = {"crop": _crop(looks, wishes, asker), **_form(entrance)}
    with kept_messages() as messages:
        sample = pictures.read_sample(opened, rows, Form(**fields), wishes.most_corrupt)
    beside = _beside(opened, wishes, root, asker)
    seen = Seen(source, model, opened, beside, images.path, sample, Form(**fields), seed)
    reads = how_it_reads(seen, entrance, wishes, root, asker)
    told = _told(reads, source)
    with kept_messages() as of_classifier:
        classifier = model.dataset(told).load()
    fields |= reads.labels | labelling.settle_group_and_split(beside, wishes, asker)
    parameters = _parameters(fields, images, beside, wishes)
    with kept_messages() as more:
        found = find_images(parameters(lambda place: place.path.as_posix(), None), {}, seed)
        sampled, _ = found.that_were(sample.rows[np.isin(sample.rows, found.rows)])
        if len(sampled) == len(sample.rows):
            twins = find_twins(sample.fingerprints, sampled)
            say_twins(sample.fingerprints, sampled, twins, sample=True)
    features = tuple(map(str, found.context)) if beside.columns.shape[1] else None
    logged = [record.getMessage() for record in [*of_classifier, *messages, *more]]
    asked = source.network.queries.asked if isinstance(source.network, BlackBox) else 0
    return Inspected(
        model, told, takes, reads, classifier, opened, looks, sample, found,
        parameters(lambda place: place.written, features),
        tuple(dict.fromkeys(logged)), asked,
    )  # fmt: skip


def _crop(looks: Looks, wishes: Wishes, asker: Asker) -> int | str | None:
    question = "Crop of the images first: a number of px, square, or none to squeeze them"
    default = "none" if looks.square else "square"
    if looks.square and wishes.crop is None:
        return None
    return asker.settle("--crop", wishes.crop, question, default, pictures.parse_crop)


def _form(entrance: dict[str, Any]) -> dict[str, Any]:
    channels, size, _ = entrance["image_shape"]
    return {"channels": channels, "size": size}


def _beside(source: ImageSource, wishes: Wishes, root: Path, asker: Asker) -> labelling.Around:

    def places(text: str) -> list[Place]:
        texts = wishes.tables or comma_separated(text)  # a path that was given may hold commas
        return [there(root, each) for each in texts if none_or(each) is not None]

    given = ",".join(wishes.tables) or None
    question = "Context tables, CSV or parquet, separated by commas, or none"
    tables = asker.settle("--table", given, question, "none", places)
    label_file = None if wishes.label_file is None else place_of(wishes.label_file, root)
    with kept_messages():
        return labelling.around(source, tables, wishes, label_file)


def _told(reads: Reads, source: LoadedNetwork) -> dict[str, Any]:
    """Return what the catalog's entry says: what the file does not."""
    known = dict(source.known)
    if None not in known.get("network_shape", (None,)):
        known["input_size"] = known["network_shape"][1:]
    told = {
        key: value
        for key, value in reads.entrance.items()
        if key not in known or _plain(value) != _plain(known[key])
    }
    if reads.classes.written is not None:
        told["class_names"] = reads.classes.written
    if reads.outputs.kind != source.known.get("output", "logits"):
        told["output"] = reads.outputs.kind
    return told


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _parameters(
    fields: dict[str, Any], images: Place, beside: labelling.Around, wishes: Wishes
) -> Callable[[Callable[[Place], str], tuple[str, ...] | None], IngestParameters]:
    """Return what makes the parameters of ``ingest``, given how paths are written."""
    given = None if wishes.features is None else comma_separated(wishes.features)

    def parameters(
        path_of: Callable[[Place], str], features: tuple[str, ...] | None
    ) -> IngestParameters:
        context = {
            "tables": [path_of(place) for place in beside.tables],
            "key": wishes.table_key,
            "separator": wishes.separator,
            "encoding": wishes.encoding,
            "features": given if features is None else features,
        }
        label_file = fields.get("label_file")
        return IngestParameters.model_validate(
            {
                **fields,
                "source": path_of(images),
                "links": wishes.links,
                "image_column": wishes.image_column,
                "label_order": wishes.label_order,
                "number_of_images": wishes.number_of_images,
                "most_corrupt": wishes.most_corrupt,
                "label_file": None if label_file is None else path_of(label_file),
                "context": context,
            }
        )

    return parameters
