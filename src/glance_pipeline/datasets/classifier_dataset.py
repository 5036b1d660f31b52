"""Dataset of the teacher: the catalog entry that a user overrides for a model of their own."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, get_args

from kedro.io import DatasetError, Version
from pydantic import ValidationError

from glance_pipeline.classifiers.as_read import LoadedNetwork
from glance_pipeline.classifiers.black_box import Queries
from glance_pipeline.classifiers.classifier import Classifier, ClassifierSpecification, on_device
from glance_pipeline.classifiers.forms.building import (
    arguments_of_header,
    build,
    imported,
    in_float32,
)
from glance_pipeline.classifiers.forms.file_formats import (
    PROGRAMS,
    Format,
    is_safetensors,
    tell_format,
)
from glance_pipeline.classifiers.forms.state_dict import read_state_dicts, under_prefix
from glance_pipeline.classifiers.forms.weight_names import settle_weights
from glance_pipeline.classifiers.specification import specify
from glance_pipeline.config.reading.conf_files import project_path
from glance_pipeline.config.reading.places import located
from glance_pipeline.datasets.versioned_path import VersionedPathDataset
from glance_pipeline.datasets.weights_file import SUFFIX, load_into, read_weights, write_weights
from glance_pipeline.support.compute import chosen_device
from glance_pipeline.support.errors import UserError, fields_in_words
from glance_pipeline.support.untrusted_files import read_text, regular_file

logger = logging.getLogger(__name__)


class UnusableClassifierError(DatasetError, UserError):
    """A classifier that cannot be loaded or does not answer as it should, in one line."""


_MANY_CLASSES = 1000
_LONGEST = 1000  # characters of a message


class ClassifierDataset(VersionedPathDataset[Classifier]):
    """A frozen classifier: its file, and what the file cannot say of itself.

    For a model of your own, in ``conf/local/catalog.yml`` (docs/how_to/bring_your_own.md)::

        classifier:
          type: glance_pipeline.datasets.ClassifierDataset
          filepath: data/06_models/mine.pt
          network: my_package.MyNetwork
          arguments: {classes: 2}
          specification:
            image_shape: [3, 64, 64]
            class_names: [calm, smiling]

    Args:
        filepath: ``.safetensors``, or a state dict that ``torch.save`` wrote, which is read
            without running any code in it; an ``.onnx`` file; a folder of transformers; a
            TorchScript file; a ``.pt2`` file of ``torch.export``. A missing suffix is
            ``.safetensors``. None for a Python callable.
        network: Import path: of the ``nn.Module`` whose weights the file holds or of a function
            that makes it, or of a callable. No file's word is taken for it.
        arguments: What it is called with; by default nothing, or for a class of this project what
            the file's header says. A network that was saved here says it in its attribute
            ``arguments``.
        trust: Whether formats that are programs are loaded: TorchScript, ``torch.export``, a Python
            callable. Loading one runs what its author wrote, with your rights (SECURITY.md).
        specification: Fields of ``ClassifierSpecification`` that the file does not hold; where
            both say something, they must agree. ``class_names`` may be a text file, one name per
            line; a relative path is one from the project's root, ``~`` is home.
        key: Name under which a checkpoint keeps its state dict (Lightning: ``state_dict``), or of
            an ONNX file's output with the logits. By default the only state dict that fits.
        prefix: Prefix of the classifier's weights in it; it is cut off, other weights are left out.
            By default what stands before all names of the file, where they fit without it.
        format: ``weights``, ``torchscript``, ``exported``, ``transformers``, ``onnx`` or
            ``callable``; None is told by suffix and content, or ``callable`` without a file.
        most_queries: Images that a black box may be asked about in a run; None sets no cap.
        cache_mb: Most memory for what a black box answered, MB.
        most_gb: Most memory for the constants of an ONNX file, and for what it computes, GB.
        version: Given by Kedro where the entry says ``versioned: true``.
        metadata: Not used by Kedro; read by hooks and Kedro-Viz.

    Attributes:
        queries: What a black box was asked so far.
    """

    suffix = SUFFIX

    def __init__(
        self,
        *,
        filepath: str | None = None,
        network: str | None = None,
        arguments: dict[str, Any] | None = None,
        trust: bool = False,
        specification: dict[str, Any] | None = None,
        key: str | None = None,
        prefix: str = "",
        format: Format | None = None,
        most_queries: int | None = None,
        cache_mb: float = 256.0,
        most_gb: float = 8.0,
        version: Version | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        if format is not None and format not in get_args(Format):
            raise DatasetError(f"format: found {format!r}, wanted one of {get_args(Format)}")
        if not isinstance(trust, bool):
            raise DatasetError(f"trust: found {trust!r}, wanted true or false")
        if filepath is None and network is None:
            raise DatasetError("a classifier needs a `filepath`, or a `network` to import")
        super().__init__(filepath=filepath or str(network), version=version, metadata=metadata)
        self._format: Format | None = "callable" if filepath is None else format
        self._network = network
        self._arguments = arguments
        self._trust = trust
        self._specification = specification
        self._key = key
        self._prefix = prefix
        self._most_gb = most_gb
        self._spoken: set[str] = set()
        try:
            # One for all loads of a run: every node loads the teacher, none forgets the count.
            self.queries = Queries(most_queries, cache_mb, f"classifier {self._filepath}")
        except ValueError as error:
            raise DatasetError(str(error)) from error

    def load(self) -> Classifier:
        """Read the classifier in whatever form it comes, freeze it, and move it to the device.

        Raises:
            UnusableClassifierError: if that cannot be done; it names the file.
        """
        path = self.load_path
        with _naming(path):
            told = self._told()
            source = self._read(path, told.get("feature_layer"))
            specification = specify(source.known, told)
            classifier = Classifier(source.network, specification, f"classifier {path}")
        for said in source.said:
            self._speak(logging.INFO, f"classifier {path}: {said}")
        self._speak_of_many_classes(len(classifier.class_names))
        classifier.again = self._of_one_file(path).load
        return on_device(classifier, chosen_device())

    def _of_one_file(self, path: Path) -> "ClassifierDataset":
        """Return the dataset of this very file, which another process can load."""
        return ClassifierDataset(
            filepath=None if self._format == "callable" else str(path),
            network=self._network,
            arguments=self._arguments,
            trust=self._trust,
            specification=self._specification,
            key=self._key,
            prefix=self._prefix,
            format=self._format,
            most_gb=self._most_gb,
        )

    def read_source(self) -> LoadedNetwork:
        """Read the network and what its own file says, before anything is made of both.

        Raises:
            UnusableClassifierError: if it cannot be read.
        """
        path = self.load_path
        with _naming(path):
            return self._read(path, self._told().get("feature_layer"))

    def save(self, data: Classifier) -> None:
        """Write the weights with the specification in their header, all or nothing."""
        path = self.save_path
        if path.suffix != SUFFIX:
            raise DatasetError(f"classifier {path}: it is saved as {SUFFIX} only")
        tensors, arguments = data.network.state_dict(), getattr(data.network, "arguments", {})
        wanted = arguments if self._arguments is None else self._arguments
        load_into(
            build(self._needed_network("weights"), wanted), tensors, path
        )  # what cannot be loaded is not saved
        header = {
            "specification": data.specification.model_dump(mode="json"),
            "arguments": arguments,
        }
        write_weights(path, tensors, str(self._network), header)

    def _read(self, path: Path, feature_layer: str | None) -> LoadedNetwork:
        form = self._format or tell_format(path)
        if form in PROGRAMS and not self._trust:
            raise ValueError(
                f"it is {PROGRAMS[form]}, which is a program: loading it runs what its author "
                "wrote, with your rights on this machine. Where you trust its author, say `trust: "
                "true` in the catalog entry (`--trust` for init); otherwise ask for safetensors, a "
                "state dict or ONNX, which are data"
            )
        if form == "callable":
            from glance_pipeline.classifiers.forms.callables import read_callable

            name = self._needed_network(form)
            return read_callable(imported(name), name, self._arguments, self.queries)
        if form == "transformers":
            from glance_pipeline.classifiers.forms.transformers_folder import read_transformers

            return read_transformers(path)
        regular_file(path)
        if form == "torchscript":
            from glance_pipeline.classifiers.forms.torchscript import read_torchscript

            return read_torchscript(path, feature_layer)
        if form == "exported":
            from glance_pipeline.classifiers.forms.exported import read_exported

            return read_exported(path, feature_layer)
        if form == "onnx":
            from glance_pipeline.classifiers.forms.onnx.onnx_file import read_onnx

            return read_onnx(path, feature_layer, self.queries, self._key, self._most_gb)
        return self._read_weights(path)

    def _read_weights(self, path: Path) -> LoadedNetwork:
        name = self._needed_network("weights")
        if is_safetensors(path) or path.suffix.lower() == SUFFIX:
            tensors, header = read_weights(path, name)
            found = {"": tensors}
        else:
            found, header = read_state_dicts(path, self._key), {}
        arguments = self._arguments
        if arguments is None:
            arguments = arguments_of_header(name, header.get("arguments", {}), found)
        network = build(name, arguments)
        if self._prefix:
            found = {place: under_prefix(each, self._prefix) for place, each in found.items()}
        settled = settle_weights(found, network.state_dict(), self._key)
        counted = {
            name: value
            for name, value in network.state_dict().items()
            if name.endswith("num_batches_tracked")
        }
        # Files of torch before 0.4.1 lack this count, which no answer depends on.
        load_into(network, counted | settled.tensors, path, settled.hint)
        stored = {t.dtype for t in settled.tensors.values() if t.is_floating_point()}
        said = settled.said + in_float32(network, stored=stored)
        entry = dict(settled.entry)
        if "prefix" in entry:
            entry["prefix"] = self._prefix + entry["prefix"]
        return LoadedNetwork(network, _known(header), entry, said)

    def _needed_network(self, form: Format) -> str:
        if self._network is None:
            raise DatasetError(
                f"classifier {self._filepath}: the format {form!r} needs the import path of "
                + ("the callable" if form == "callable" else "the class whose weights they are")
                + " under `network`"
            )
        return self._network

    def _speak_of_many_classes(self, classes: int) -> None:
        if classes > _MANY_CLASSES:
            self._speak(
                logging.WARNING,
                f"{classes:,} classes: training holds a logit of each for every training image, "
                "and so does every explanation (docs/how_to/many_classes.md)",
            )

    def _speak(self, level: int, said: str) -> None:
        """Log a sentence once in a run, though every node loads the classifier."""
        if said not in self._spoken:
            logger.log(level, "%s", said)
            self._spoken.add(said)

    def _told(self) -> dict[str, Any]:
        told = dict(self._specification or {})
        names = told.get("class_names")
        if isinstance(names, str):
            try:
                file = Path(located(names, Path(project_path())))
                told["class_names"] = read_text(file).split("\n")
            except (OSError, ValueError) as error:
                raise ValueError(
                    f"specification.class_names: {names} cannot be read as a text file with a "
                    f"name a line: {error}"
                ) from error
            if not told["class_names"][-1]:
                told["class_names"].pop()
        return told

    def _exists(self) -> bool:
        return self._format == "callable" or super()._exists()

    def _with_suffix(self, path: PurePosixPath) -> PurePosixPath:
        is_there = self._version is None and Path(path).exists()
        return path if is_there or self._format is not None else super()._with_suffix(path)

    def _describe(self) -> dict[str, Any]:
        return {**super()._describe(), "network": self._network, "format": self._format}


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Name the file in whatever is said of it."""
    try:
        yield
    except ValidationError as error:
        said = f"classifier {path}: specification: {fields_in_words(error)}"
        raise UnusableClassifierError(_one_line(said)) from error
    except DatasetError as error:
        raise UnusableClassifierError(_one_line(error)) from error
    except (ValueError, RuntimeError, OSError) as error:
        raise UnusableClassifierError(_one_line(f"classifier {path}: {error}")) from error


def _one_line(text: object) -> str:
    """Return a message without the line breaks that torch's have, and not very long."""
    line = " ".join(str(text).split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} …"


def _known(header: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a saved specification that say something."""
    saved = header.get("specification")
    if saved is None:
        return {}
    return ClassifierSpecification.model_validate(saved).model_dump(exclude_defaults=True)
