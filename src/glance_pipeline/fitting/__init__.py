"""``Explainer.fit``: the chain of the pipelines on arrays, without a project."""
