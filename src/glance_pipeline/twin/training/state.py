"""What a stage trains on, and everything that changes while it does."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch

from glance_pipeline.classifiers.classifier import on_device
from glance_pipeline.config.training import StageParameters
from glance_pipeline.twin.networks import TwinSurrogate
from glance_pipeline.twin.networks.critics import Critics
from glance_pipeline.twin.networks.layers import channels_last
from glance_pipeline.twin.networks.players import Players
from glance_pipeline.twin.objectives import build_objectives
from glance_pipeline.twin.training.checkpoint import Checkpoints
from glance_pipeline.twin.training.data import EpochSampler, TrainingData
from glance_pipeline.twin.training.reader_refresh import ReaderRefresh


@dataclass(frozen=True)
class Stage:
    """What a training stage starts from.

    Attributes:
        name: for the progress bar and the names of metrics.
        parameters: steps, rates and objectives.
        players: the networks. Surrogate and critics are trained in place. If the classifier has no
            gradients, the averaged student, which learns beside it by the objective ``imitation``,
            lends its own.
        data: training images.
        checkpoints: checkpoints of a training with this very configuration, data and teacher.
        generator: source of every random draw, on the CPU.
        refresh: keeps the players' reader up with what is generated; None leaves it as it is.
    """

    name: str
    parameters: StageParameters
    players: Players
    data: TrainingData
    checkpoints: Checkpoints
    generator: torch.Generator
    refresh: ReaderRefresh | None = None


@dataclass
class TrainingState:
    """Everything that changes while training, and so everything that a checkpoint holds."""

    surrogate: TwinSurrogate
    average: TwinSurrogate
    critics: Critics
    sampler: EpochSampler
    optimiser: torch.optim.Adam
    critic_optimiser: torch.optim.Adam
    objectives: dict[str, Any]
    refresh: ReaderRefresh | None = None
    step: int = 0
    seconds: float = 0.0
    peak_rss_mb: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)
    sums: dict[str, list[float]] = field(default_factory=dict)  # total and number of steps

    _NETWORKS = ("surrogate", "average", "critics", "optimiser", "critic_optimiser")
    _PLAIN = ("step", "seconds", "peak_rss_mb", "history", "sums")

    @classmethod
    def at_start(cls, stage: Stage, device: torch.device) -> "TrainingState":
        """Return the state before the first step, with all networks of the stage on ``device``."""
        players, parameters = stage.players, stage.parameters
        surrogate, critics = players.surrogate, players.critics
        average = TwinSurrogate.from_weights(*surrogate.to_weights()).requires_grad_(False)
        average.to(device)
        channels_last(surrogate).to(device).train().requires_grad_(True)
        channels_last(critics).to(device).train()
        on_device(players.classifier, device)
        if players.reader is not None:
            players.reader.to(device)
        adam = partial(
            torch.optim.Adam, lr=parameters.learning_rate, betas=parameters.betas, fused=True
        )
        return cls(
            surrogate,
            average,
            critics,
            EpochSampler(len(stage.data), parameters.batch_size, stage.generator),
            adam(surrogate.parameters()),
            adam(critics.parameters()),
            build_objectives(parameters),
            stage.refresh,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return what a checkpoint holds."""
        state = {name: getattr(self, name).state_dict() for name in self._NETWORKS}
        state |= {name: getattr(self, name) for name in self._PLAIN}
        state["objectives"] = {key: o.state_dict() for key, o in self._changing().items()}
        if self.refresh is not None:
            state["refresh"] = self.refresh.state_dict()
        state["waiting"] = self.sampler.waiting
        state["generator"] = self.sampler.generator.get_state()
        return state

    def from_dict(self, state: dict[str, Any]) -> None:
        """Take up what ``to_dict`` returned."""
        for name in self._NETWORKS:
            getattr(self, name).load_state_dict(state[name])
        for name in self._PLAIN:
            setattr(self, name, state[name])
        for name, objective in self._changing().items():
            objective.load_state_dict(state["objectives"][name])
        if self.refresh is not None:
            self.refresh.load_state_dict(state["refresh"])
        self.sampler.waiting = state["waiting"]
        self.sampler.generator.set_state(state["generator"])

    def _changing(self) -> dict[str, Any]:
        return {key: o for key, o in self.objectives.items() if hasattr(o, "state_dict")}
