"""What holds for the nodes of every pipeline."""

from glance_pipeline.pipeline_registry import register_pipelines


def test_a_node_is_called_what_its_function_is_called():
    nodes = {node.name: node for one in register_pipelines().values() for node in one.nodes}
    assert len(nodes) > 30
    assert {name: node.func.__name__ for name, node in nodes.items()} == {
        name: name for name in nodes
    }


def test_inputs_that_are_named_are_arguments_of_the_function():
    """Kedro checks that they can be bound; here, that a list of more than six is named."""
    for one in register_pipelines().values():
        for node in one.nodes:
            assert isinstance(node._inputs, dict) or len(node.inputs) <= 6, node.name
