"""All hostile files and cases, from the modules that make them."""

from benchmarks.hostile import (
    chain_cases,
    data_cases,
    data_files,
    init_cases,
    model_cases,
    model_files,
    model_graphs,
    project_cases,
    sly_files,
    task_cases,
)
from benchmarks.hostile.kinds import Case, HostileFile

FILES: tuple[HostileFile, ...] = (
    *model_files.FILES,
    *model_graphs.FILES,
    *data_files.FILES,
    *sly_files.FILES,
)
CASES: tuple[Case, ...] = (
    *model_cases.CASES,
    *data_cases.CASES,
    *project_cases.CASES,
    *init_cases.CASES,
    *task_cases.CASES,
    *chain_cases.CASES,
    *sly_files.CASES,
)
