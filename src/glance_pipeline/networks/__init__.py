"""The twin surrogate's networks: StyleGAN2's generator and critic, the student, both together."""

from glance_pipeline.networks.concept import Concept
from glance_pipeline.networks.surrogate import Codes, SurrogateShape, TwinSurrogate

__all__ = ["Codes", "Concept", "SurrogateShape", "TwinSurrogate"]
