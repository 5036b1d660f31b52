"""Run the project as a package: ``python -m glance_pipeline``."""

from kedro.framework.cli.utils import find_run_command
from kedro.framework.project import configure_project


def main() -> None:
    """Run Kedro's own run command on this package."""
    configure_project("glance_pipeline")
    find_run_command("glance_pipeline")()


if __name__ == "__main__":
    main()
