"""The command: ``python -m benchmarks.architectures``."""

import logging

from benchmarks.architectures.configuration import load_configuration, result_key
from benchmarks.architectures.runner import run_teachers
from benchmarks.architectures.table import teacher_table
from benchmarks.architectures.teachers import QUICK, TEACHERS
from benchmarks.command_line import command_line_of_many, publish


def main(arguments: list[str] | None = None) -> None:
    """Run the teachers that are asked for and print the table."""
    description = "Plant one shortcut in many architectures, and explain each from its file."
    parser = command_line_of_many("architectures", description, TEACHERS, "teacher")
    options = parser.parse_args(arguments)
    if options.list:
        for teacher in TEACHERS.values():
            print(f"{teacher.name}: {teacher.title}, {teacher.form}")
        return
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    configuration = load_configuration(options.quick)
    names = options.only or list(QUICK if options.quick else TEACHERS)
    folder = options.folder / result_key(configuration, options.seed)
    rows = run_teachers(names, configuration, options.seed, folder, options.workers)
    planted = configuration.shortcut.feature
    right = sum(row["shortcut_right"] for row in rows)
    print(
        f"\nThe planted shortcut is {planted}: the concept with the largest effect, with the right "
        f"sign, for {right} of {len(rows)} teachers\n"
    )
    result = {"teachers": rows, "seed": options.seed, "quick": options.quick}
    publish(result, teacher_table(rows), options.json)


if __name__ == "__main__":
    main()
