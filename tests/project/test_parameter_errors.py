"""What Kedro says of wrong parameters, in few words."""

from glance_pipeline.project.hooks.parameters import plain_errors


def test_errors_of_parameters_are_said_in_a_line_each():
    said = (
        "Parameter validation failed:\n"
        "- Parameter 'explain': Failed to instantiate E for parameter 'explain': 2 validation "
        "errors for E\n"
        "search.starts\n"
        "  Input should be greater than 0 [type=greater_than, input_value=-1, input_type=int]\n"
        "    For further information visit https://errors.pydantic.dev\n"
        "  Value error, shard_index is 2 [type=value_error, input_value={'a': [1]}]\n"
        "- Parameter 'seed': value is None but type is not Optional"
    )
    assert plain_errors(said).splitlines() == [
        "parameter explain.search.starts: Input should be greater than 0",
        "parameter explain: shard_index is 2",
        "parameter seed: value is None but type is not Optional",
    ]
