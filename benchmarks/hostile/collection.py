"""All hostile files and cases, from the modules that make them."""

from benchmarks.hostile import data_cases, data_files
from benchmarks.hostile.kinds import Case, HostileFile

FILES: tuple[HostileFile, ...] = (*data_files.FILES,)
CASES: tuple[Case, ...] = (*data_cases.CASES,)
