"""Architectures: is a planted shortcut found whatever network it is planted in?

Each teacher is trained on digits with a shortcut, written to a file as a user would have it, and
explained from that file by the project's own pipelines in a short configuration. Run it from the
project's root: ``python -m benchmarks.architectures --help``.
"""
