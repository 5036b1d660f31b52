"""The build step that pyproject.toml cannot express: a wheel holds the files of a new project."""

import runpy
import shutil
from pathlib import Path

from setuptools import Command, setup
from setuptools.command.build import build

PACKAGE = "glance_pipeline/template"
ROOT = Path(__file__).parent


class BuildTemplate(Command):
    """Copy ``conf/``, ``notebooks/`` and the like into the wheel, where ``glance new`` finds them.

    An editable install copies nothing: there ``glance new`` reads them from the clone.
    """

    description = "copy the files of a new project into the package"
    user_options = []  # noqa: RUF012  (setuptools wants a plain list)
    editable_mode = False

    def initialize_options(self) -> None:
        """Take the folder to build in from ``build_py``."""
        self.build_lib = None

    def finalize_options(self) -> None:
        """See ``initialize_options``."""
        self.set_undefined_options("build_py", ("build_lib", "build_lib"))

    def run(self) -> None:
        """Copy the files, unless they are used where they are."""
        if self.editable_mode:
            return
        for copy, source in self.get_output_mapping().items():
            self.mkpath(str(Path(copy).parent))
            shutil.copyfile(ROOT / source, copy)

    def get_source_files(self) -> list[str]:
        """Return the files to copy, relative to the repository; an sdist holds them."""
        code = ROOT / "src" / PACKAGE / "__init__.py"
        return list(runpy.run_path(str(code))["of_repository"](ROOT))

    def get_output_mapping(self) -> dict[str, str]:
        """Return the file that is copied, by its copy in the folder that is built in."""
        files = f"{self.build_lib}/{PACKAGE}/files"
        return {f"{files}/{name}": name for name in self.get_source_files()}

    def get_outputs(self) -> list[str]:
        """Return the copies."""
        return list(self.get_output_mapping())


build.sub_commands.append(("build_template", None))
setup(cmdclass={"build_template": BuildTemplate})
