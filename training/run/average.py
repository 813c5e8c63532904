"""The moving average of a network's weights: what every training here measures and exports."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn


class Average:
    """Copies of a network's parameters that follow them slowly (exponential moving average)."""

    def __init__(self, net: nn.Module, decay: float, rise: float = 9.0) -> None:
        """Starts as the network is. `decay` 0..1 is the share that stays at each step; at first it is
        less, `steps / (steps + rise)`, so that the random weights of the beginning are forgotten."""
        self.decay, self.rise = decay, rise
        self.values = {name: p.detach().clone() for name, p in net.named_parameters()}

    @torch.no_grad()
    def follow(self, net: nn.Module, steps: int) -> None:
        """Moves towards the network, which has taken so many `steps` (1 or more)."""
        decay = min(self.decay, steps / (steps + self.rise))
        now = [p.detach() for p in net.parameters()]
        torch._foreach_lerp_(list(self.values.values()), now, 1 - decay)

    def state_of(self, net: nn.Module) -> dict[str, torch.Tensor]:
        """The network's `state_dict` with these parameters and its own buffers."""
        return {**net.state_dict(), **self.values}

    def restore(self, values: Mapping[str, torch.Tensor]) -> None:
        """Goes on from the `values` of an earlier part of the run, wherever they lie."""
        self.values = {name: value.to(self.values[name].device) for name, value in values.items()}
