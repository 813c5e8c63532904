"""The transformer's optimiser: AdamW, and on request Muon for the matrices of its layers.

Muon (Jordan et al. 2024, `torch.optim.Muon`) makes each update of a matrix orthogonal: on two CPU
cores the same loss takes fewer steps. Embeddings, heads and vectors keep AdamW, as its authors say.
"""

from __future__ import annotations

from typing import Any

from torch import optim

from d2m_core.checkpoint import STYLE_ADD
from d2m_core.config import TrainConfig
from d2m_core.errors import SettingError
from d2m_core.model import DanceToMusic

_EMBEDDINGS = frozenset({"tokens_in", "null", "style_in.weight", STYLE_ADD})
_HEADS = frozenset({"heads.weight"})


class Optimiser:
    """One or two optimisers that step as one; what is frozen in `net` is left out."""

    def __init__(self, net: DanceToMusic, config: TrainConfig) -> None:
        named = {name: p for name, p in net.named_parameters() if p.requires_grad}
        decayed = {n: p for n, p in named.items() if p.ndim > 1 and n not in _EMBEDDINGS}
        turned = {
            n: p for n, p in decayed.items() if config.optimiser == "muon" and n not in _HEADS
        }
        groups = [
            {
                "params": [p for n, p in decayed.items() if n not in turned],
                "weight_decay": config.weight_decay,
            },
            {"params": [p for n, p in named.items() if n not in decayed], "weight_decay": 0.0},
        ]
        self.parts: list[optim.Optimizer] = [
            optim.AdamW([g for g in groups if g["params"]], betas=(0.9, 0.95), fused=True)
        ]
        if turned:
            # Its updates are scaled to be as large as AdamW's, so that both share one rate.
            self.parts.append(
                optim.Muon(
                    list(turned.values()), weight_decay=config.weight_decay,
                    adjust_lr_fn="match_rms_adamw",
                )
            )  # fmt: skip

    def step(self, learning_rate: float) -> None:
        """One update from the gradients that are there."""
        for part in self.parts:
            for group in part.param_groups:
                group["lr"] = learning_rate
            part.step()

    def zero_grad(self) -> None:
        for part in self.parts:
            part.zero_grad()

    def state_dict(self) -> list[dict[str, Any]]:
        return [part.state_dict() for part in self.parts]

    def load_state_dict(self, state: list[dict[str, Any]] | dict[str, Any]) -> None:
        """Goes on from a saved state; one of a version that had AdamW alone is no list.

        Raises `SettingError` for the state of the other optimiser.
        """
        states = state if isinstance(state, list) else [state]
        if len(states) != len(self.parts):
            raise SettingError(
                "The saved state is of the other optimiser; give --optimiser as it was before, or "
                "go on from the averaged weights beside it with --init and another --folder."
            )
        for part, saved in zip(self.parts, states, strict=True):
            part.load_state_dict(saved)
