"""Names that a reader meets: one name, one thing."""

import ast
from collections import defaultdict

from helpers.project import PROJECT

EVERYWHERE = {"create_pipeline", "main"}
"""Names that Kedro, or a command, wants in several modules."""


def test_no_public_function_or_class_has_the_name_of_another() -> None:
    found = defaultdict(set)
    for path in (PROJECT / "src").rglob("*.py"):
        for one in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(one, ast.FunctionDef | ast.ClassDef) and not one.name.startswith("_"):
                found[one.name].add(path.relative_to(PROJECT).as_posix())
    assert len(found) > 500
    twice = {name: sorted(places) for name, places in found.items() if len(places) > 1}
    assert {name: twice[name] for name in twice if name not in EVERYWHERE} == {}
