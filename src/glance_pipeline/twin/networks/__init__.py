"""The twin surrogate's networks: StyleGAN2's generator and critic, the student, both together."""

from glance_pipeline.twin.networks.concept import Concept
from glance_pipeline.twin.networks.surrogate import Codes, SurrogateShape, TwinSurrogate

__all__ = ["Codes", "Concept", "SurrogateShape", "TwinSurrogate"]
