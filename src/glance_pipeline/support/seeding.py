"""Every random draw depends on one seed: named streams spawned from a ``SeedSequence``."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def seed_sequence(seed: int, *names: str | int) -> np.random.SeedSequence:
    """Return the seed sequence of the stream called ``names``.

    Streams with different names are independent; the same seed and names always give the
    same stream, whatever else was drawn before.

    Args:
        seed: The one seed of the run, a non-negative integer.
        names: What the stream is for, outermost first; integers count items (resamples, shards).
    """
    key = tuple(zlib.crc32(name.encode()) if isinstance(name, str) else name for name in names)
    return np.random.SeedSequence(seed, spawn_key=key)


def numpy_generator(seed: int, *names: str | int) -> np.random.Generator:
    """Return a NumPy generator of the stream called ``names``."""
    return np.random.default_rng(seed_sequence(seed, *names))


def torch_generator(seed: int, *names: str | int) -> torch.Generator:
    """Return a CPU torch generator of the stream called ``names``."""
    generator = torch.Generator()
    generator.manual_seed(int(seed_sequence(seed, *names).generate_state(1, np.uint64)[0] >> 1))
    return generator


@contextmanager
def seeded_torch(seed: int, *names: str | int) -> Iterator[None]:
    """Let initialisers, which use torch's global generator, draw from the stream ``names``.

    The global generator is as it was before when the block ends.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_generator(seed, *names).initial_seed())
        yield
