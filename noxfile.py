"""The project's checks by name: ``nox`` runs those of ``.ci/run``, ``nox -s lint`` one of them.

Every session uses the environment that nox itself runs in, the one that
``pip install -c constraints.txt -e ".[test]"`` has filled: installing torch once per session would
take far longer than the checks. ``.ci/run`` runs all of this in a fresh environment.
"""

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "contracts", "docs", "tests"]

PARALLEL = ("-n", "2", "--dist", "worksteal")
"""Two processes. Each of them uses one thread for arithmetic (``tests/conftest.py``)."""


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests in two processes; arguments after ``--`` go to pytest."""
    session.run("pytest", *PARALLEL, *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Run the tests and measure branch coverage; fail below the floor in ``pyproject.toml``.

    The tests take more than twice as long so: the hosted CI does it, ``.ci/run`` does not.
    """
    session.run("pytest", *PARALLEL, "--cov", "--cov-report=term:skip-covered", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting; ``nox -s lint -- --fix`` repairs what can be repaired."""
    if "--fix" in session.posargs:
        session.run("ruff", "check", "--fix", ".")
        session.run("ruff", "format", ".")
    else:
        session.run("ruff", "check", ".")
        session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types, of tests by the rules in ``tests/mypy.ini``."""
    session.run("mypy", *session.posargs)
    session.run("mypy", "--config-file", "tests/mypy.ini", *session.posargs)


@nox.session
def contracts(session: nox.Session) -> None:
    """Check which package may import which."""
    session.run("lint-imports")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation into ``build/site``; a broken link or reference is an error."""
    session.env["NO_MKDOCS_2_WARNING"] = "1"  # an advertisement of Material's
    session.run("mkdocs", "build", "--strict", *session.posargs)
