"""Other explainers of the same teachers, beside the surrogate's effects: whose reasons are true?

Each is a module with one function that maps a ``Question`` to the size of every concept it knows.
"""
