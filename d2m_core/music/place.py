"""Where a step lies, exactly, told to every layer.

Phases as sines that are added at the input fade on the way up, and cannot tell one step of a beat from the
next. Here the place (beat in the bar, step in the beat, steps to the next sixteenth) and the style scale
and shift what every layer reads (adaptive layer norm; Peebles and Xie 2023), which is computed once for all
layers and steps of a window.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

HARMONICS = 12
"""Sines and cosines of the place in the beat; eight tell a thirty-second note from its neighbour."""

METRES = (3, 4)
"""Beats in a bar that are told by name; others are none of these."""

SIXTEENTH_STEPS = 14
"""A sixteenth lasts fewer steps than this."""

MIDDLE_STEPS = 28.0
"""Steps of a beat of middling length (107 BPM)."""

PARTS = 6
"""Scale and shift of each of a layer's three norms."""

_FACTS = 2 * HARMONICS + 2 * SIXTEENTH_STEPS + max(METRES) + len(METRES) + 4


def place_facts(place: torch.Tensor) -> torch.Tensor:
    """Places int64 [..., 4] (`straight.StepGrid.places`) as numbers [..., `_FACTS`]; zeros where the steps
    of the beat are 0: there is no grid."""
    metre, beat, step, length = (each[..., None].float() for each in place.unbind(-1))
    known = (length > 0).float()
    long = length.clamp_min(1.0)
    turn = 2 * math.pi * step / long * torch.arange(1, HARMONICS + 1, device=place.device)
    sixteenth = long / 4
    since = step - torch.floor(torch.floor(step / sixteenth + 1e-4) * sixteenth + 0.5)
    until = torch.floor(torch.floor(step / sixteenth + 1 + 1e-4) * sixteenth + 0.5) - step
    near = [
        F.one_hot(x[..., 0].clamp(0, SIXTEENTH_STEPS - 1).long(), SIXTEENTH_STEPS) for x in (since, until)
    ]
    bar = torch.arange(max(METRES), device=place.device)
    facts = [
        turn.sin(),
        turn.cos(),
        *(each.float() for each in near),
        (beat == bar).float(),
        torch.cat([metre == each for each in METRES], dim=-1).float(),
        torch.log2(long / MIDDLE_STEPS),
        (step == 0).float(),
        (beat < 0).float(),
        known,
    ]
    return torch.cat(facts, dim=-1) * known


class PlaceIn(nn.Module):
    """Places and style to what every layer of a decoder is modulated by."""

    def __init__(self, width: int, dim: int, layers: int, styles: int) -> None:
        super().__init__()
        self.layers, self.dim = layers, dim
        self.facts = nn.Linear(_FACTS, width)
        self.style = nn.Embedding(styles + 1, width)  # the last row: no style
        self.hidden = nn.Linear(width, width)
        self.out = nn.Linear(width, layers * PARTS * dim)

    def start_shut(self) -> None:
        """At first no layer notices; what comes before is of usual size, so that they soon do."""
        width = self.hidden.in_features
        nn.init.normal_(self.facts.weight, std=HARMONICS**-0.5)  # so many facts are about 1 at a time
        nn.init.normal_(self.style.weight, std=0.5)
        nn.init.normal_(self.hidden.weight, std=(2 / width) ** 0.5)
        nn.init.zeros_(self.out.weight)

    def forward(self, place: torch.Tensor, style: torch.Tensor) -> list[torch.Tensor]:
        """[B, S, 4] and style [B] (-1 for none) to [B, S, PARTS, dim] for each layer."""
        x = self.facts(place_facts(place).to(self.out.weight.dtype))
        x = x + self.style(style % self.style.num_embeddings)[:, None]
        x = self.out(F.silu(self.hidden(F.silu(x))))
        return list(x.unflatten(-1, (self.layers, PARTS, self.dim)).unbind(2))


def modulated(x: torch.Tensor, told: torch.Tensor | None, norm: int) -> torch.Tensor:
    """What a layer's `norm`-th norm gave [B, S, dim], scaled and shifted as `told` [B, S, PARTS, dim]."""
    if told is None:
        return x
    return torch.addcmul(told[:, :, 2 * norm + 1], x, 1 + told[:, :, 2 * norm])
