"""A network without convolutions but the one that cuts patches: a vision transformer."""

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention


class SelfAttention(nn.Module):
    """Every position looks at every other one, by several heads.

    Args:
        width: width of a token, a multiple of ``heads``.
        heads: number of them.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.asked = nn.Linear(width, 3 * width)
        self.projection = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens of the shape of ``tokens`` (N, T, width)."""
        parts = self.asked(tokens).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        queries, keys, values = parts.unbind(0)
        mixed = scaled_dot_product_attention(queries, keys, values)
        return self.projection(mixed.transpose(1, 2).flatten(2))


class TransformerBlock(nn.Module):
    """Self-attention and a wide pair of linear layers, each normalised first and added.

    Args:
        width: width of a token.
        heads: heads of the attention.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = SelfAttention(width, heads)
        self.mixing = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """Return tokens of the shape of ``tokens`` (N, T, width)."""
        tokens = tokens + self.attention(self.attention_norm(tokens))
        return tokens + self.mixing(tokens)


class VisionTransformer(nn.Module):
    """Dosovitskiy et al. 2021, arXiv 2010.11929: 64 patches of 4×4, a class token, three blocks.

    Args:
        classes: number of logits.
        width: width of a token.
        heads: heads of the attention.
        depth: number of blocks.
    """

    def __init__(self, classes: int = 2, width: int = 48, heads: int = 3, depth: int = 3) -> None:
        super().__init__()
        self.patches = nn.Conv2d(1, width, 4, 4)
        self.class_token = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.positions = nn.Parameter(torch.randn(1, 65, width) * 0.02)
        self.blocks = nn.Sequential(*(TransformerBlock(width, heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)
        self.classifier = nn.Linear(width, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (N, 1, 32, 32) to logits (N, classes)."""
        patches = self.patches(images).flatten(2).transpose(1, 2)
        start = self.class_token.expand(len(images), -1, -1)
        tokens = torch.cat([start, patches], 1) + self.positions
        return self.classifier(self.norm(self.blocks(tokens)[:, 0]))
