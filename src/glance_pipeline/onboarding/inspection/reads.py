"""How images reach a network and what its answers mean: said, or found out on the images."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glance_pipeline.classifiers.as_read import LoadedNetwork
from glance_pipeline.classifiers.black_box import BlackBox
from glance_pipeline.context.labels import values_in_order
from glance_pipeline.images import Form
from glance_pipeline.images.sources.image_source import ImageSource
from glance_pipeline.onboarding.inspection import labelling, pictures
from glance_pipeline.onboarding.inspection import settled_specification as specification
from glance_pipeline.onboarding.inspection.model import Model
from glance_pipeline.onboarding.inspection.pictures import SampledPictures
from glance_pipeline.onboarding.inspection.settled_specification import Classes, Outputs
from glance_pipeline.onboarding.terminal.asking import Asker, numbers
from glance_pipeline.onboarding.terminal.command_options import Wishes
from glance_pipeline.onboarding.terminal.kept_messages import kept_messages
from glance_pipeline.onboarding.trying import finding, network, telling
from glance_pipeline.onboarding.trying.deciding import decide
from glance_pipeline.onboarding.trying.finding import Declared, Labelled
from glance_pipeline.onboarding.trying.orders import Order, possible_orders
from glance_pipeline.onboarding.trying.trial import Tried
from glance_pipeline.support.errors import UserError

_SECONDS = 20.0  # to read further images in, where those of the sample do not tell


@dataclass(frozen=True)
class Seen:
    """What is known before a network is asked what it makes of images.

    Attributes:
        source: the network and what its file says.
        model: where it is.
        opened: the images.
        beside: what there is beside them.
        images: their file or folder.
        sample: sample of them.
        form: that they are brought into.
        seed: seed of the run.
    """

    source: LoadedNetwork
    model: Model
    opened: ImageSource
    beside: labelling.Around
    images: Path
    sample: SampledPictures
    form: Form
    seed: int


@dataclass(frozen=True)
class Reads:
    """How images reach a network and what its answers mean.

    Attributes:
        entrance: fields of ``ClassifierSpecification`` on size, colour and normalisation.
        how: the normalisation is known, in words.
        outputs: what the network's numbers are.
        labels: fields of ``ingest`` that say where labels are; empty without any.
        classes: and how they are known.
        tried: what was tried to find it out; None if nothing was.
    """

    entrance: dict[str, Any]
    how: str
    outputs: Outputs
    labels: dict[str, Any]
    classes: Classes
    tried: Tried | None


def asking_costs(source: LoadedNetwork, model: Model) -> bool:
    """Say whether each image that a network is asked about may cost something, or is counted."""
    counted = model.form == "callable" or "most_queries" in model.entry
    return isinstance(source.network, BlackBox) and counted


def how_it_reads(
    seen: Seen, entrance: dict[str, Any], wishes: Wishes, root: Path, asker: Asker
) -> Reads:
    """Settle outputs, labels, classes and normalisation, in this order.

    Args:
        seen: network and images.
        entrance: fields of ``ClassifierSpecification`` on size and colour, and on what is named.
        wishes: of the user.
        root: root of the project.
        asker: asks for what cannot be found out.

    Raises:
        UserError: if something is missing that nothing says.
    """
    source = seen.source
    with kept_messages():
        outputs = _outputs(seen, entrance, wishes)
    labels = labelling.settle_labels(seen.beside, seen.images, outputs.count, wishes, asker)
    column = None
    if labels:
        column = labelling.values_of_labels(seen.beside, labels, seen.images, wishes.label_order)
    classes = specification.classes_said(outputs, source, wishes, root)
    values = None if column is None else values_in_order(column)
    if classes is None and (values is None or len(values) != outputs.count):
        classes = specification.settle_classes(outputs, None, root, asker)
    orders: list[Order] = []
    if column is not None and values is not None:
        names = None if classes is None else classes.names
        first = labelling.first_come(column)
        orders = possible_orders(values, first, names, outputs.count, wishes.class_order)
    said = specification.said_of_reading(source, wishes)
    tried = _tried(seen, entrance, outputs, said, orders, column)
    tried = None if tried is None else decide(tried, asker)
    order = tried.order if tried is not None else None
    order = order or (orders[0] if orders else None)
    if classes is None:
        assert order is not None
        how = _how_of_order(order, tried)
        classes = specification.settle_classes(outputs, order.values(), root, asker, how)
    if order is not None and values is not None:
        labels["class_names"] = labelling.names_for_labels(values, classes.names, order)
    normalised, how = _normalised(said, tried, asker)
    entrance = entrance | normalised
    with kept_messages():
        outputs = _outputs(seen, entrance, wishes)  # as they are when images are read rightly
    return Reads(entrance, how, outputs, labels, classes, tried)


def _outputs(seen: Seen, entrance: dict[str, Any], wishes: Wishes) -> Outputs:
    said = network.outputs_on(seen.source, seen.sample.images, entrance)
    return specification.settle_outputs(said, seen.source, wishes)


def _how_of_order(order: Order, tried: Tried | None) -> str:
    if tried is None or not tried.by_labels or len(tried.orders) < 2:
        return "in their order"
    return f"in the order {order}, which was tried"


def _tried(
    seen: Seen,
    entrance: dict[str, Any],
    outputs: Outputs,
    said: Declared,
    orders: list[Order],
    column: pd.Series | None,
) -> Tried | None:
    """Try what is not said, and what is against what is not; None if that cannot be done."""
    images = seen.sample.images
    if asking_costs(seen.source, seen.model) or (said.numbers is not None and not orders):
        return None
    with kept_messages():
        readings = finding.readings_of(seen.source, images, entrance, said)
        none = np.full(len(images), None, dtype=object)
        labels = none if column is None else finding.labels_at(column, seen.sample.rows)
        more = partial(_more, seen, column)
        return finding.find_out(
            seen.source,
            entrance,
            outputs.kind,
            (readings, orders),
            Labelled(images, labels),
            more,
        )


def _more(seen: Seen, column: pd.Series | None) -> Labelled:
    """Read further images beside those of the sample, as many as the time allows."""
    assert column is not None
    rows = pictures.sample_of(seen.opened, None, seen.seed, len(seen.opened))
    further = finding.further_rows(rows, seen.sample.rows)
    further = further[: int(_SECONDS / max(seen.sample.seconds, 1e-6))]
    try:
        read = pictures.read_sample(seen.opened, further, seen.form, 1.0)
    except (UserError, ValueError):  # there are none, or none that can be read
        return Labelled(seen.sample.images[:0], np.zeros(0, dtype=object))
    return Labelled(read.images, finding.labels_at(column, read.rows))


def _normalised(said: Declared, tried: Tried | None, asker: Asker) -> tuple[dict[str, Any], str]:
    """Return the fields that nobody said, and how the normalisation is known, in words."""
    if said.numbers is not None:
        return {}, said.by
    if tried is not None:
        return tried.reading.fields, telling.in_short(tried)
    what = "of the network's normalisation of images in [0, 1], one number or one a channel"
    mean = asker.settle("--mean", None, f"Mean {what}", "0", numbers)
    std = asker.settle("--std", None, f"Std {what}", "1", numbers)
    how = "as chosen" if asker.may_ask else "not known, and not tried: images as they are"
    return {"mean": list(mean), "std": list(std)}, how
