"""A start at which tokens, places and dance are heard beside the positions from the first step on.

MusicGen's start (all weights 0.02, positions as sines of size 1) suits 1024 channels and millions of steps:
what tokens say is 4 % of what enters the first layer, and grows by one learning rate a step. Here each part
enters at the size of the positions, and each layer adds as much as it keeps.
"""

from __future__ import annotations

import torch
from torch import nn

from d2m_core.music import DanceToMusic

HEARD = 0.5
"""Standard deviation of what each embedding adds."""


@torch.no_grad()
def start_even(net: DanceToMusic) -> None:
    """Draws the weights anew; parts that start shut (place, copies) stay so."""
    for blocks in (net.encoder, net.decoder):
        for block in blocks:
            for name, layer in block.named_modules():
                if isinstance(layer, nn.Linear):
                    back = name.endswith("out")  # into the stream that all layers add to
                    size = layer.in_features**-0.5 * ((2 * len(blocks)) ** -0.5 if back else 1.0)
                    nn.init.normal_(layer.weight, std=size)
    for weight in (net.tokens_in, net.style_in.weight, net.style_add.weight, net.null):
        nn.init.normal_(weight, std=HEARD)
    for layer in (net.motion_in, net.rhythm_in, net.frame_add, *net.tempo_in, *net.phase_add):
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=HEARD * layer.in_features**-0.5)
