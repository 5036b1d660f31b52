"""Hostile files, inputs that were read wrongly, and runs that are cut off, one row each.

python -m benchmarks.hostile
"""

import sys

import pandas as pd

from benchmarks.command_line import command_line, write_result
from benchmarks.hostile.collection import CASES, FILES
from benchmarks.hostile.kinds import judge_case, judge_file


def main() -> int:
    """Judge all of them; return 1 where one is not as it should be."""
    parser = command_line("hostile", __doc__.partition("\n")[0])
    arguments = parser.parse_args()
    files = [judge_file(file) for file in FILES]
    cases = [judge_case(case) for case in CASES]
    for rows in (files, cases):
        if rows:
            print(pd.DataFrame(rows).to_string(index=False, max_colwidth=90), end="\n\n")
    write_result({"files": files, "cases": cases}, arguments.json)
    good = all(row["inert"] for row in files) and all(row["as_wanted"] for row in cases)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
