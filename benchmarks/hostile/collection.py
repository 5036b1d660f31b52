"""All hostile files and cases, from the modules that make them."""

from benchmarks.hostile.kinds import Case, HostileFile

FILES: tuple[HostileFile, ...] = ()
CASES: tuple[Case, ...] = ()
