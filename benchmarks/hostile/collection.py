"""All hostile files and cases, from the modules that make them."""

from benchmarks.hostile import project_cases
from benchmarks.hostile.kinds import Case, HostileFile

FILES: tuple[HostileFile, ...] = ()
CASES: tuple[Case, ...] = (*project_cases.CASES,)
