"""Independence: no function of what is held tells where the aligned concepts are."""

from typing import Any

import torch
from torch import Tensor, nn

from glance_pipeline.support.compute import as_given
from glance_pipeline.twin.objectives.twin_pass import TwinPass

_LEAST = 1e-6  # of a variance


class Independence:
    """Share of the aligned concepts' variance that a small network reads off the rest of the code.

    What is uncorrelated need not be independent: of a digit's slant, latent concepts and residual
    code together may tell nine tenths though no one of them goes with it. The generator then draws
    some of the slant from them, and an intervention that holds them moves the slant by less than
    it says. Here a network learns to read what each aligned concept has of its own (see
    ``decorrelation.py``) off latent concepts and residual code, from the newest codes and from
    remembered ones; the encoder learns to leave it nothing to read (Lample et al. 2017, "Fader
    Networks", arXiv 1706.00409). They maximise the network's error. Least squares gives the
    conditional mean, whose mean square is the share that is told: it has a least value, 0.

    Args:
        hidden: width of the network's two hidden layers.
        remembered: codes that are remembered, the newest.
        updates: steps that the network learns at each step of the encoder.
        batch: codes in each of these.
        rate: learning rate of Adam on them.
    """

    name = "independence"

    def __init__(
        self,
        hidden: int = 128,
        remembered: int = 2048,
        updates: int = 2,
        batch: int = 128,
        rate: float = 2e-3,
    ) -> None:
        self.hidden = hidden
        self.remembered = remembered
        self.updates = updates
        self.batch = batch
        self.rate = rate
        self.network: nn.Sequential | None = None
        self.optimiser: torch.optim.Adam | None = None
        self.memory = torch.empty(0)

    def __call__(self, step: TwinPass) -> Tensor:
        """Return a scalar for the batch, 0 where no concept is aligned."""
        count = step.aligned
        rest = torch.cat([step.codes.concepts[:, count:], step.codes.residual], 1)
        if not count:
            return rest.sum() * 0.0
        own = step.own_part.detach()
        weights = step.batch.weights
        share = torch.ones_like(own[:, :1]) if weights is None else weights[:, None].to(own)
        newest = torch.cat([share, own, rest.detach()], 1)
        self.memory = torch.cat([newest, self.memory.to(own.device)])[: self.remembered]
        with as_given(own.device), torch.enable_grad():
            self._learn(count, step.generator)
            assert self.network is not None
            self.network.requires_grad_(False)
            read = self.network(self._standardised(count, rest)[1])
            return (share / share.sum() * read.square()).sum(0).mean()

    def _learn(self, count: int, generator: torch.Generator) -> None:
        """Let the network learn from remembered codes."""
        if self.network is None:
            seed = int(torch.randint(2**31, (), generator=generator))
            self._build(count, self.memory.shape[1] - 1 - count, seed)
        assert self.network is not None and self.optimiser is not None
        self.network.requires_grad_(True)
        own, rest = self._standardised(count, self.memory[:, 1 + count :])
        share = self.memory[:, :1]
        for _ in range(self.updates):
            rows = torch.randint(len(self.memory), (self.batch,), generator=generator)
            rows = rows.to(own.device)
            errors = (self.network(rest[rows]) - own[rows]).square()
            self.optimiser.zero_grad(set_to_none=True)
            (share[rows] / share[rows].sum() * errors).sum(0).mean().backward()
            self.optimiser.step()

    def _build(self, count: int, width: int, seed: int) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = nn.Sequential(
                nn.Linear(width, self.hidden),
                nn.LeakyReLU(0.2),
                nn.Linear(self.hidden, self.hidden),
                nn.LeakyReLU(0.2),
                nn.Linear(self.hidden, count),
            )
        self.network = network.to(self.memory.device)
        self.optimiser = torch.optim.Adam(self.network.parameters(), self.rate)

    def _standardised(self, count: int, rest: Tensor) -> tuple[Tensor, Tensor]:
        """Return what concepts have of their own, as remembered, and ``rest``, in its scale."""
        share = self.memory[:, :1] / self.memory[:, :1].sum()
        values = self.memory[:, 1:]
        mean = (share * values).sum(0)
        scale = (share * (values - mean).square()).sum(0).clamp_min(_LEAST).sqrt()
        own = (values[:, :count] - mean[:count]) / scale[:count]
        return own, (rest - mean[count:]) / scale[count:]

    def state_dict(self) -> dict[str, Any]:
        """Return the network, its optimiser and the remembered codes."""
        if self.network is None or self.optimiser is None:
            return {}
        return {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "memory": self.memory,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what ``state_dict`` returned."""
        if not state:
            return
        self.memory = state["memory"]
        count = len(state["network"]["4.bias"])
        self._build(count, self.memory.shape[1] - 1 - count, 0)
        assert self.network is not None and self.optimiser is not None
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
