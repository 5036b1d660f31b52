import pytest

from benchmarks.architectures.__main__ import main as architectures
from benchmarks.command_line import PROJECT, command_line_of_many
from benchmarks.glassbox.__main__ import main as glassbox


def test_pieces_are_chosen_by_name_and_kept_with_the_project_s_results():
    parser = command_line_of_many("glassbox", "Some.", ["one", "two"], "case")
    options = parser.parse_args(["--only", "two", "--workers", "3"])
    assert (options.only, options.workers, options.list) == (["two"], 3, False)
    assert options.folder == PROJECT / "data/08_reporting/glassbox"


@pytest.mark.parametrize("main", [architectures, glassbox])
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--only", "none"], "argument --only: invalid choice: 'none'"),
        (["--workers", "0"], "argument --workers: found 0, wanted 1 or more"),
        (["--workers", "two"], "argument --workers: found two, wanted 1 or more"),
    ],
)
def test_what_cannot_be_run_is_said_at_once(main, arguments, said, capsys):
    with pytest.raises(SystemExit):
        main(arguments)
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(("main", "name"), [(architectures, "convnext"), (glassbox, "shortcut")])
def test_the_pieces_are_listed(main, name, capsys):
    main(["--list"])
    assert name in capsys.readouterr().out
