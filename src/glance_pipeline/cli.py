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
Look at a classifier and images of yours and write conf/<name>/ for them.

\b
  kedro glance init --name pets --model data/01_raw/pets.pt \\
      --network my_package.PetNet --arguments '{classes: 2}' \\
      --images data/01_raw/pets --labels folders --table data/01_raw/pets.csv
  kedro run --env pets --pipeline own_data

What is not given is asked for in a terminal, with what was found as the default; elsewhere, and
with --yes, the default is taken, and where there is none the missing option is named. --name,
--model and --images are always needed; of a state dict --network; of a program (TorchScript,
torch.export, a callable) --trust; --class-names where neither file nor labels say them. An existing
conf/<name>/ is never written to, and nothing is written before everything was tried: the model is
loaded and asked about real images, and some training steps are timed.

docs/how_to/ says more of each form of model and images.
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

    `glance new` makes a project; the other commands want to be run in one, and are the same as
    those of `kedro glance`. Explanations are computed by `kedro run`.
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
        metadata: of the project that Kedro has opened; None where ``glance`` was called, which
            opens it here as Kedro does.

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
@click.option("--name", help="Of the environment: the folder conf/<name>/ is made.")
@click.option("--model", help="Classifier: a file, a folder, or module:object of a callable.")
@click.option("--network", help="Class whose weights the file holds: package.module.Class.")
@click.option("--arguments", help="What class or callable is called with: YAML, or a file of it.")
@click.option(
    "--trust",
    is_flag=True,
    help="Load a format that is a program: TorchScript, torch.export, a callable. Loading it runs "
    "what its author wrote, with your rights (SECURITY.md).",
)
@click.option("--key", help="Entry of a checkpoint with the weights; or an ONNX file's output.")
@click.option("--prefix", help="Cut off the weights' names; others are left out.")
@click.option("--format", type=click.Choice(_FORMATS), help="Of the model, where not plain.")
@click.option("--class-names", help="Separated by commas, or a text file with a name a line.")
@click.option(
    "--class-order",
    type=click.Choice(["numbers", "numbers-from-1", "text", "nocase", "appearance"]),
    help="In which labels stand for answers. Default: the one that fits best.",
)
@click.option("--mean", help="(x − mean) / std of images in [0, 1]: one number, or one a channel.")
@click.option("--std", help="See --mean.")
@click.option("--input-size", type=int, help="Height and width the network takes, px.")
@click.option("--fit", type=click.Choice(["resize", "crop", "pad"]), help="Of images to it.")
@click.option("--colour", type=click.Choice(["rgb", "bgr", "grey"]), help="The network takes.")
@click.option(
    "--output",
    type=click.Choice(_OUTPUTS),
    help="What the network's numbers are. Default: as they look.",
)
@click.option("--feature-layer", help="Layer whose input is φ(x). Default: the one that answers.")
@click.option("--most-queries", type=click.IntRange(1), help="Cap for a black box, images a run.")
@click.option("--images", help="A folder, a zip, an .npy or idx file, a Hugging Face data set.")
@click.option(
    "--links",
    type=click.Choice(["inside", "anywhere"]),
    default="inside",
    show_default=True,
    help="Links in the folder that are followed.",
)
@click.option("--image-column", help="Of a Hugging Face data set. Default: the one there is.")
@click.option("--number-of-images", type=click.IntRange(1), help="At random. Default: all.")
@click.option("--size", type=int, help="Of the images that are explained, px: 8, 16, 32, 64, …")
@click.option("--channels", type=click.Choice(["1", "3"]), help="Of these images: grey or RGB.")
@click.option("--crop", help="First: a number of px, square, or none. Default: square, if need be.")
@click.option(
    "--most-corrupt",
    type=click.FloatRange(0, 1),
    default=0.01,
    show_default=True,
    help="Share of the images that may be unreadable.",
)
@click.option("--table", "tables", multiple=True, help="CSV or parquet of context; many, or none.")
@click.option("--table-key", help="Column that names the images. Default: it is found.")
@click.option("--separator", help="Of the values in a CSV file. Default: it is found.")
@click.option("--encoding", help="Of a CSV file. Default: UTF-8.")
@click.option("--features", help="Columns that become context features, separated by commas.")
@click.option("--labels", help="folders, file, the name of a column, or none.")
@click.option("--label-file", help="An .npy or idx file of labels.")
@click.option(
    "--label-order",
    type=click.Choice(["names_as_text", "names_as_numbers"]),
    help="Of the images that the labels of a file are of.",
)
@click.option("--group", help="Column whose equal values stay in one split; or none.")
@click.option("--split", help="Column that says train, validation, test; folders; or none.")
@click.option("--yes", is_flag=True, help="Ask nothing: take defaults.")
@click.option("--no-timing", is_flag=True, help="Time no training steps: no estimate.")
@click.pass_obj
def init(metadata: Any, yes: bool, no_timing: bool, **options: Any) -> None:
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
