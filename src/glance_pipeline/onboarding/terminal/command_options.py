"""What a user says on the command line, as it was said."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Wishes:
    """The options of ``kedro glance init``; what is None or an empty tuple was not given.

    Attributes:
        name: name of the environment, ``conf/<name>/``.
        model: file or folder of the classifier, or import path of a callable.
        network: import path of the class whose weights the file holds.
        arguments: what it is called with: YAML, or a file of it.
        trust: whether formats that are programs are loaded.
        key: entry of a checkpoint with the state dict, or output of an ONNX file.
        prefix: prefix of the weights' names, cut off.
        format: format of the file, where its name and content do not say it.
        class_names: separated by commas, or a text file with one name per line.
        class_order: in which the labels' values stand for the network's answers.
        mean: mean of the normalisation, numbers separated by commas.
        std: standard deviation of the normalisation.
        input_size: height and width that the network takes, px.
        fit: how images come to that size.
        colour: what the network takes, where the images have another.
        output: what the network's numbers are.
        feature_layer: the layer whose input is the penultimate features.
        most_queries: images that a black box may be asked about in a run.
        images: folder, zip, array, idx file or data set.
        links: whether links that lead out of a folder of images are followed: ``anywhere``.
        image_column: image column of a data set.
        number_of_images: taken at random.
        size: height and width of the images that are explained, px.
        channels: channels of the images that are explained.
        most_corrupt: largest share of the images that may be unreadable.
        crop: side of the centre square, ``square`` or ``none``.
        tables: CSV and parquet files of context; the one word ``none`` for none.
        table_key: column that names the images.
        separator: separator of the values in CSV files.
        encoding: encoding of CSV files.
        features: columns that become context features, separated by commas.
        labels: ``folders``, ``file``, ``none``, or the name of a column.
        label_file: file with the labels.
        label_order: which image each label of a file is of.
        group: column whose equal values stay in one split, or ``none``.
        split: column that says the split, ``folders``, or ``none``.
    """

    name: str | None = None
    model: str | None = None
    network: str | None = None
    arguments: str | None = None
    trust: bool = False
    key: str | None = None
    prefix: str | None = None
    format: str | None = None
    class_names: str | None = None
    class_order: str | None = None
    mean: str | None = None
    std: str | None = None
    input_size: int | None = None
    fit: str | None = None
    colour: str | None = None
    output: str | None = None
    feature_layer: str | None = None
    most_queries: int | None = None
    images: str | None = None
    links: str = "inside"
    image_column: str | None = None
    number_of_images: int | None = None
    size: int | None = None
    channels: int | None = None
    most_corrupt: float = 0.01
    crop: str | None = None
    tables: tuple[str, ...] = ()
    table_key: str | None = None
    separator: str | None = None
    encoding: str | None = None
    features: str | None = None
    labels: str | None = None
    label_file: str | None = None
    label_order: str | None = None
    group: str | None = None
    split: str | None = None
