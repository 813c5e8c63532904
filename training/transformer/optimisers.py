"""What moves a transformer's weights: AdamW, or Muon for the matrices of its layers."""

from __future__ import annotations

import torch
from torch import nn

from .settings import TrainConfig

BETAS = (0.9, 0.95)

_EMBEDDINGS = ("tokens_in", "null", "style_in.weight", "style_add.weight", "place_in.style.weight")


def optimisers_of(net: nn.Module, config: TrainConfig) -> list[torch.optim.Optimizer]:
    """All that `config` asks for. Matrices decay; vectors and embeddings do not. What is frozen is left
    out."""
    named = {name: p for name, p in net.named_parameters() if p.requires_grad}
    decayed = {name for name, p in named.items() if p.ndim > 1 and not name.endswith(_EMBEDDINGS)}
    layers = {name for name in decayed if ".decoder." in f".{name}" or ".encoder." in f".{name}"}
    if config.optimiser != "muon":
        layers = set()
    groups = [
        {"params": [named[n] for n in named if n in decayed - layers], "weight_decay": config.weight_decay},
        {"params": [named[n] for n in named if n not in decayed], "weight_decay": 0.0},
    ]
    found: list[torch.optim.Optimizer] = [torch.optim.AdamW(groups, betas=BETAS, fused=True)]
    if layers:
        # Its updates are scaled as large as AdamW's, so that both have one learning rate.
        matrices = [named[n] for n in named if n in layers]
        found.append(
            torch.optim.Muon(matrices, weight_decay=config.weight_decay, adjust_lr_fn="match_rms_adamw")
        )
    return found
