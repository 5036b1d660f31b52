"""Parameters as the run takes them: of the right kind, or named in one line; paths made whole."""

import re
from typing import Any

from kedro.framework.context import KedroContext
from kedro.validation.exceptions import ParameterValidationError

from glance_pipeline.config.ingest import IngestParameters
from glance_pipeline.config.prepare import PrepareParameters
from glance_pipeline.project.hooks.cannot_run import CannotRunError


class ContextWithPlainErrors(KedroContext):
    """Kedro's context, which says what is wrong with a parameter, and only that.

    A relative path in ``ingest`` and ``prepare`` is one from the project's root, as Kedro has it in
    the catalog; one in ``explain.images`` stays one from the working directory.
    """

    @property
    def params(self) -> dict[str, Any]:
        """The parameters, each block as the type that its nodes want.

        Raises:
            CannotRunError: if one does not fit it.
        """
        try:
            found = super().params
        except ParameterValidationError as error:
            raise CannotRunError(plain_errors(str(error))) from error
        return {
            name: block.under(self.project_path)
            if isinstance(block, IngestParameters | PrepareParameters)
            else block
            for name, block in found.items()
        }


def plain_errors(text: str) -> str:
    """Say what Kedro says of parameters, each error in a line.

    Args:
        text: for each block of parameters ``Parameter 'explain': …``, below it pydantic's errors: a
            line with the place in the block, nothing for the block itself, and an indented line.
    """
    plain, block, place = [], "", ""
    for line in text.splitlines():
        if found := re.match(r"- Parameter '([^']+)': (.*)", line):
            block, place = found[1], ""
            if "validation error" not in found[2]:
                plain.append(f"parameter {block}: {found[2]}")
        elif not line.startswith(" "):
            place = line
        elif not line.startswith("    For further information"):
            message = re.sub(r" \[type=.*\]$", "", line.strip()).removeprefix("Value error, ")
            plain.append(f"parameter {'.'.join(filter(None, [block, place]))}: {message}")
            place = ""
    return "\n".join(plain) or text
