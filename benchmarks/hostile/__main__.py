"""Hostile files, inputs that were read wrongly, and runs that are cut off, one row each.

python -m benchmarks.hostile
"""

import sys

import pandas as pd

from benchmarks.command_line import command_line, write_result
from benchmarks.hostile.collection import CASES, FILES
from benchmarks.hostile.interrupted import interrupted
from benchmarks.hostile.kinds import judge_case, judge_file


def main() -> int:
    """Judge all of them; return 1 where one is not as it should be."""
    parser = command_line("hostile", __doc__.partition("\n")[0])
    parser.add_argument(
        "--interrupted",
        type=int,
        default=3,
        metavar="N",
        help="runs to cut off, of the pipeline prepare alone up to 3, else of all (default: 3)",
    )
    arguments = parser.parse_args()
    files = [judge_file(file) for file in FILES]
    cases = [judge_case(case) for case in CASES]
    for rows in (files, cases):
        if rows:
            print(pd.DataFrame(rows).to_string(index=False, max_colwidth=90), end="\n\n")
    options = () if arguments.interrupted > 3 else ("--pipelines", "prepare")
    cut_off = interrupted(arguments.interrupted, arguments.seed, options)
    print({name: cut_off[name] for name in ("tried", "lost_or_half")})
    write_result({"files": files, "cases": cases, "interrupted": cut_off}, arguments.json)
    good = (
        not cut_off["lost_or_half"]
        and all(row["inert"] for row in files)
        and all(row["as_wanted"] for row in cases)
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
