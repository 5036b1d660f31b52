"""Saliency: where the picture changes when the concepts that matter move, and what that does.

A path of pictures x₀, x₁, …, x_T leads from one in which no concept is known to the image's
reconstruction, and each pixel is given its part of what the teacher's answer m gains on the way:

    map(p) = Σ_t ½ [∂m/∂x(x_t) + ∂m/∂x(x_{t+1})](p) · [x_{t+1} − x_t](p)

This is the path integral of Sundararajan, Taly, Yan 2017 (arXiv 1703.01365, §3), by the trapezoid
rule. Their path, and that of Integrated Gradients, is straight in pixels, through pictures that are
faded and like nothing the teacher knows; this one is made by moving concepts, so that a pixel counts
by how concepts change it. Nearest to it are paths through an autoencoder's latent space (Enhanced
Integrated Gradients, Jha et al. 2020, doi 10.1186/s13059-020-02055-7) and along its geodesics
(Manifold Integrated Gradients, Zaher et al. 2024, arXiv 2405.09800).

As in the Shapley values of ``importance``, the concepts of a training image stand for "not known",
and the concepts take their own values one after the other, in random orders, each walked forwards
and backwards. What a pixel gains while a concept moves is that concept's part of the map: the parts
split each concept's (sampled) Shapley value over pixels.
"""
