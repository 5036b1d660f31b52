"""The command ``glance``, and what this project adds to Kedro's: ``kedro glance init``.

Kedro imports this file whenever it starts, so everything heavy is imported when it is needed.
"""

import sys
from pathlib import Path
from typing import Any

import click

from glance_pipeline import __version__

_FORMATS = ["weights", "torchscript", "exported", "transformers", "onnx", "callable"]
_OUTPUTS = [
    "logits", "probabilities", "sigmoid", "label_logits", "label_probabilities", "values"
]  # fmt: skip

_HELP = """\
Look at your classifier and images, and write conf/<name>/ for them.

\b
  kedro glance init --name pets --model data/01_raw/pets.pt \\
      --network my_package.PetNet --arguments '{classes: 2}' \\
      --images data/01_raw/pets --labels folders --table data/01_raw/pets.csv
  kedro run --env pets --pipeline own_data

In a terminal, options that are not given are asked for, and what was found is the default. With
--yes, or without a terminal, the default is taken; if there is none, the missing option is named.
--name, --model and --images are always needed. A state dict also needs --network, a program
(TorchScript, torch.export, a callable) --trust, and --class-names is needed if neither the file nor
the labels say them. An existing conf/<name>/ is never overwritten. Nothing is written before
everything was tried: the model is loaded and asked about real images, and some training steps are
timed.

docs/how_to/ describes each form of model and images.
"""


_NEW_HELP = """\
Make FOLDER a new project.

\b
  glance new mine
  cd mine
  kedro run --env test

FOLDER gets the configuration (conf/), empty folders for data, the notebooks, the tested versions
(constraints.txt) and a README.md. It must be new or empty: nothing of yours is ever overwritten.
It appears with everything in it, or not at all.
"""


def __getattr__(name: str) -> Any:
    if name == "run":  # python -m glance_pipeline looks for it here
        from kedro.framework.cli.project import run

        return run
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _is_terminal() -> bool:
    return sys.stdin.isatty()


@click.group(name="glance_pipeline")
def cli() -> None:
    """Commands of the GLANCE pipeline."""


@cli.group(name="glance")
def glance() -> None:
    """Explain a classifier of your own."""


@click.group(name="glance", context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Explain an image classifier.

    `glance new` makes a project; the other commands run in one and are the same as those of
    `kedro glance`. `kedro run` computes explanations.
    """


@main.command(name="new", help=_NEW_HELP)
@click.argument("folder", type=click.Path(path_type=Path))
def new(folder: Path) -> None:
    """Lay out a new project folder."""
    from glance_pipeline.onboarding.new_project import new_project
    from glance_pipeline.support.names import lines_made_visible

    try:
        new_project(folder)
    except (OSError, ValueError) as error:
        raise click.ClickException(lines_made_visible(str(error))) from error
    shown = lines_made_visible(str(folder))
    click.echo(f"Written: {shown}/ (conf, data, notebooks, README.md, constraints.txt)")
    click.echo(f"Next:    cd {shown} && kedro run --env test")


def _project_root(metadata: Any) -> Path:
    """Return the root of the project that a command is run in.

    Args:
        metadata: metadata of the project that Kedro has opened; None if ``glance`` was called,
            which opens it here as Kedro does.

    Raises:
        ClickException: where the working directory lies in no project of this pipeline.
    """
    if metadata is None:
        from kedro.framework.startup import bootstrap_project
        from kedro.utils import find_kedro_project

        root = find_kedro_project(Path.cwd())
        try:
            metadata = None if root is None else bootstrap_project(root)
        except (RuntimeError, ValueError, OSError) as error:
            raise click.ClickException(str(error)) from error
        if metadata is None or metadata.package_name != "glance_pipeline":
            raise click.ClickException(
                "this folder lies in no project of the GLANCE pipeline: go to one, or make one "
                "with `glance new NAME`"
            )
    return Path(metadata.project_path).resolve()


@glance.command(name="init", help=_HELP)
@click.option("--name", help="Name of the environment; the folder conf/<name>/ is made for it.")
@click.option("--model", help="The classifier: a file, a folder, or module:object of a callable.")
@click.option("--network", help="Class whose weights the file holds, as package.module.Class.")
@click.option("--arguments", help="Arguments of the class or callable: YAML, or a YAML file.")
@click.option(
    "--trust",
    is_flag=True,
    help="Load a format that is a program: TorchScript, torch.export, a callable. Loading it runs "
    "code that its author wrote, with your rights (SECURITY.md).",
)
@click.option(
    "--key", help="Entry of a checkpoint that holds the weights, or an output of an ONNX file."
)
@click.option(
    "--prefix", help="Prefix to remove from the weights' names; weights without it are left out."
)
@click.option(
    "--format",
    type=click.Choice(_FORMATS),
    help="Format of the model, if its file does not show it.",
)
@click.option(
    "--class-names", help="Class names, separated by commas, or a text file with one name per line."
)
@click.option(
    "--class-order",
    type=click.Choice(["numbers", "numbers-from-1", "text", "nocase", "appearance"]),
    help="Order in which labels correspond to outputs. Default: the one that fits best.",
)
@click.option(
    "--mean", help="Mean in (x − mean) / std of images in [0, 1]: one number, or one per channel."
)
@click.option("--std", help="Standard deviation; see --mean.")
@click.option("--input-size", type=int, help="Height and width that the network takes, in px.")
@click.option(
    "--fit",
    type=click.Choice(["resize", "crop", "pad"]),
    help="How images are fitted to that size.",
)
@click.option(
    "--colour",
    type=click.Choice(["rgb", "bgr", "grey"]),
    help="Colour order that the network takes.",
)
@click.option(
    "--output",
    type=click.Choice(_OUTPUTS),
    help="What the network's outputs are. Default: what they look like.",
)
@click.option(
    "--feature-layer",
    help="Layer whose input is the feature vector. Default: the layer that answers.",
)
@click.option(
    "--most-queries",
    type=click.IntRange(1),
    help="Largest number of images that a black box is asked about per run.",
)
@click.option(
    "--images", help="The images: a folder, a zip, an .npy or idx file, or a Hugging Face data set."
)
@click.option(
    "--links",
    type=click.Choice(["inside", "anywhere"]),
    default="inside",
    show_default=True,
    help="Which links in the folder are followed.",
)
@click.option(
    "--image-column",
    help="Column of a Hugging Face data set with the images. Default: the only one.",
)
@click.option(
    "--number-of-images",
    type=click.IntRange(1),
    help="Number of images to take, at random. Default: all.",
)
@click.option(
    "--size", type=int, help="Size of the images that are explained, in px: 8, 16, 32, 64, …"
)
@click.option(
    "--channels",
    type=click.Choice(["1", "3"]),
    help="Channels of these images: 1 for grey, 3 for RGB.",
)
@click.option(
    "--crop",
    help="Crop before resizing: a number of px, square, or none. Default: square, if needed.",
)
@click.option(
    "--most-corrupt",
    type=click.FloatRange(0, 1),
    default=0.01,
    show_default=True,
    help="Share of the images that may be unreadable.",
)
@click.option(
    "--table",
    "tables",
    multiple=True,
    help="CSV or parquet file of context features; may be repeated; or none.",
)
@click.option("--table-key", help="Column that names the images. Default: it is detected.")
@click.option("--separator", help="Separator of the values in a CSV file. Default: it is detected.")
@click.option("--encoding", help="Encoding of a CSV file. Default: UTF-8.")
@click.option("--features", help="Columns that become context features, separated by commas.")
@click.option(
    "--labels", help="Where labels come from: folders, file, the name of a column, or none."
)
@click.option("--label-file", help="An .npy or idx file of labels.")
@click.option(
    "--label-order",
    type=click.Choice(["names_as_text", "names_as_numbers"]),
    help="Order of the images that the labels of a file belong to.",
)
@click.option("--group", help="Column whose equal values stay in one split; or none.")
@click.option("--split", help="Column that says train, validation or test; or folders; or none.")
@click.option("--yes", is_flag=True, help="Ask nothing and take the defaults.")
@click.option(
    "--no-timing", is_flag=True, help="Do not time training steps; there is no estimate then."
)
@click.pass_obj
def init(metadata: Any, /, yes: bool, no_timing: bool, **options: Any) -> None:
    """Look at a classifier and images, and write an environment for them."""
    from kedro.io import DatasetError
    from pydantic import ValidationError

    from glance_pipeline.onboarding.initialise import initialise
    from glance_pipeline.onboarding.terminal.asking import Asker, tell
    from glance_pipeline.onboarding.terminal.command_options import Wishes
    from glance_pipeline.onboarding.terminal.options import in_options
    from glance_pipeline.project.hooks.cannot_run import CannotRunError
    from glance_pipeline.support.errors import fields_in_words

    channels = options.pop("channels")
    wishes = Wishes(channels=None if channels is None else int(channels), **options)
    may_ask = not yes and _is_terminal()
    root = _project_root(metadata)

    def agree(question: str) -> bool:
        return not may_ask or click.confirm(question, default=True)

    def say(part: str) -> None:
        tell(part + "\n")

    try:
        made = initialise(wishes, root, Asker(may_ask), say, agree, not no_timing)
    except ValidationError as error:
        raise CannotRunError(fields_in_words(error)) from error
    except (ValueError, DatasetError, OSError, FloatingPointError) as error:
        raise CannotRunError(in_options(" ".join(str(error).split()))) from error
    if made is None:
        click.echo("Nothing was written.")
        return
    click.echo(f"Written: conf/{made.name}/ ({', '.join(sorted(p.name for p in made.iterdir()))})")
    click.echo(f"Next:    kedro run --env {made.name} --pipeline own_data")


main.add_command(init)
