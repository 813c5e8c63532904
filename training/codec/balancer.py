"""EnCodec's loss balancer: weights that mean shares of the gradient (Défossez et al. 2022, 3.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch


class Balancer:
    """Scales each loss's gradient at the decoded sound by the mean size it has had.

    With losses l_i and weights w_i, the gradient is the sum of w_i / sum(w) * g_i / <|g_i|>, where
    g_i is l_i's gradient at the sound and <|g_i|> the moving average of its norm per batch entry.
    """

    def __init__(self, decay: float = 0.999) -> None:
        self.decay = decay
        self.totals: dict[str, torch.Tensor] = {}
        """Decayed sums of norms."""
        self.counts: dict[str, float] = {}
        """Decayed numbers of what was summed."""

    def gradient(
        self,
        losses: Mapping[str, torch.Tensor],
        weights: Mapping[str, float],
        sound: torch.Tensor,
        mean: Callable[[torch.Tensor], torch.Tensor] = lambda x: x,
    ) -> torch.Tensor:
        """The gradient at `sound` [B, ...]. `mean` averages a vector over processes.

        Divided by B, as the gradient of a mean over the batch is.
        """
        each = {name: torch.autograd.grad(loss, sound, retain_graph=True)[0] for name, loss in losses.items()}
        norms = mean(torch.stack([g.flatten(1).norm(dim=1).mean() for g in each.values()]))
        share = sum(weights[name] for name in each)
        total = torch.zeros_like(sound)
        for (name, gradient), norm in zip(each.items(), norms, strict=True):
            size = self._follow(name, norm)
            total += gradient * (weights[name] / share / size.clamp_min(1e-12))
        return total / len(sound)

    def _follow(self, name: str, norm: torch.Tensor) -> torch.Tensor:
        """The average of all norms of this loss so far, recent ones first."""
        before = self.totals.get(name, torch.zeros_like(norm))
        self.totals[name] = self.decay * before + norm.detach()
        self.counts[name] = self.decay * self.counts.get(name, 0.0) + 1.0
        return self.totals[name] / self.counts[name]

    def state(self) -> dict[str, dict[str, float]]:
        """What `restore` needs to go on."""
        return {"totals": {name: float(x) for name, x in self.totals.items()}, "counts": dict(self.counts)}

    def restore(self, state: dict[str, dict[str, float]], device: torch.device) -> None:
        """Goes on from a `state`."""
        self.totals = {n: torch.tensor(x, device=device) for n, x in state["totals"].items()}
        self.counts = dict(state["counts"])
