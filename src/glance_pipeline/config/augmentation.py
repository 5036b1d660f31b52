"""Parameters of adaptive discriminator augmentation."""

from pydantic import BaseModel, ConfigDict, Field


class AugmentationParameters(BaseModel):
    """How much, and how, the images that the critic sees are changed.

    The strength of any one change may be 0, which leaves it out. Images are never mirrored: a
    mirrored digit is no digit.

    Attributes:
        target: value at which the mean sign of the critic on real images is held, −1 … 1.
        images_to_full: real images over which the probability can rise from 0 to 1.
        update_every: batches of the critic between two changes of the probability.
        largest_probability: upper bound of the probability; above 0.8 changes show up in generated
            images (Karras et al. 2020, §2.2).
        translation: furthest shift, across and down, as a share of the image's height.
        scale: standard deviation of log₂ of the zoom.
        rotation: largest angle, in degrees.
        brightness: standard deviation of what is added to all pixels, images in [−1, 1].
        contrast: standard deviation of log₂ of what all pixels are multiplied by.
        saturation: the same for the distance of the channels from their mean; only RGB images.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    target: float = Field(0.6, ge=-1, le=1)
    images_to_full: float = Field(100_000, gt=0)
    update_every: int = Field(4, ge=1)
    largest_probability: float = Field(0.8, gt=0, le=1)
    translation: float = Field(0.125, ge=0, le=1)
    scale: float = Field(0.2, ge=0)
    rotation: float = Field(15.0, ge=0, le=180)
    brightness: float = Field(0.2, ge=0)
    contrast: float = Field(0.5, ge=0)
    saturation: float = Field(1.0, ge=0)
