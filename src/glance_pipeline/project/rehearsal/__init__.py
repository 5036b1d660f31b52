"""The chain once on a few images before a long training: what fails at the end fails at the start.

The run's own nodes are run with the run's own parameters, classifier and names, made small only in
steps, images and resamples; what they make is saved by the same kinds of datasets, in a temporary
folder. Nothing under ``data/`` is touched, no metric reaches MLflow, and no draw of the run is used
up.
"""

from glance_pipeline.project.rehearsal.rehearsal import Rehearsal

__all__ = ["Rehearsal"]
