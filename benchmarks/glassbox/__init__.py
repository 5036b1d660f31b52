"""Glass boxes: is what the surrogate says of a teacher true, where the teacher's reasons are known?

Every case is a teacher with planted reasons. Its *true* concept effects come from redrawing
held-out digits with one feature moved and asking the teacher; the *found* effects from training a
twin surrogate with the project's own stages and intervening on it. Run it from the project's root:
``python -m benchmarks.glassbox --help``.
"""
