"""What the rhythm network learns to say, and what can be left out of it for ablations."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from d2m_core.errors import require
from d2m_core.motion import MOTION_NAMES
from d2m_core.motion.accents import BRAKING_NAMES
from d2m_core.rhythm.network import RhythmOutput, tempo_bins_bpm
from d2m_core.types import PART_CURVES
from training.studio.dancer.choreography import FAMILIES

TEMPO_BINS = 48
_TEMPO_WEIGHT, _TEMPO_BLUR = 0.15, 1.0
"""How much the tempo counts, and how many bins off still count a good deal."""

WEIGHTS = {
    "beat": (1.0, 3.0),
    "downbeat": (0.4, 6.0),
    "felt": (0.5, 3.0),
    "energy": (0.2, 1.0),
    "kick": (0.1, 3.0),
    "snare": (0.1, 3.0),
    "hat": (0.1, 3.0),
}
"""How much each curve counts in the loss, and how much more its events count than their absence."""

LOSSES = ("downbeat", "felt", "energy", "parts", "tempo")
"""What can be left out of the loss."""

CUES = {
    "hip height": ("hip_height", "bounce", "root_y", "root_vy", "root_ay"),
    "knees": ("knee",),
    "hands": ("wrist", "elbow", "clap"),
    "feet": ("ankle", "contact"),
    "head": ("head", "nod"),
    "turns": ("yaw", "turns"),
    "trunk": ("lean", "sway", "hip_tilt", "trunk"),
    "accelerations": ("_a", "_ax", "_ay", "_decel", "_accel", "_decel_l", "_decel_r", "_a_even"),
    "braking": BRAKING_NAMES,
    "sums": ("total", "speed_band", "speed_even", "decel_even"),
}
"""Groups of motion features, by what their names start with, or end with where it starts `_`."""


def unseen_columns(leave_out: Sequence[str]) -> list[int]:
    """Motion features that the left-out cues name."""
    marks = [mark for cue in leave_out for mark in CUES.get(cue, ())]
    return [
        column
        for column, name in enumerate(MOTION_NAMES)
        if any(name.endswith(m) if m.startswith("_") else name.startswith(m) for m in marks)
    ]


def left_out_moves(leave_out: Sequence[str]) -> frozenset[str]:
    """The families of moves among what is left out. Raises `SettingError` for unknown names."""
    for name in leave_out:
        known = (*LOSSES, *CUES, *FAMILIES)
        require(name in known, f"Left out is {name!r}; choose of {', '.join(known)}.")
    return frozenset(leave_out) & frozenset(FAMILIES)


def loss_of(
    out: RhythmOutput,
    targets: torch.Tensor,
    tempo_bpm: torch.Tensor,
    present: torch.Tensor,
    leave_out: Sequence[str] = (),
) -> torch.Tensor:
    """Weighted cross entropy of curves and tempo where the dancer is seen.

    `present`: bool [B, F], or how much each frame counts.
    """
    total = torch.zeros((), device=targets.device)
    for column, (name, (weight, events)) in enumerate(WEIGHTS.items()):
        logits = curve_of(out, name)
        if logits is None or name in leave_out or (name in PART_CURVES and "parts" in leave_out):
            continue
        loss = binary_cross_entropy_with_logits(
            logits,
            targets[..., column],
            weight=present.float(),
            pos_weight=torch.tensor(events, device=targets.device),
        )
        total = total + weight * loss
    if out.tempo is not None and "tempo" not in leave_out:
        total = total + _TEMPO_WEIGHT * tempo_loss(out.tempo, tempo_bpm, present)
    return total


def curve_of(out: RhythmOutput, name: str) -> torch.Tensor | None:
    """The logits [B, F] of one of `TARGETS`; None where the network has none."""
    if name not in PART_CURVES:
        return getattr(out, name)
    return None if out.parts is None else out.parts[..., PART_CURVES.index(name)]


def tempo_loss(logits: torch.Tensor, tempo_bpm: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    """Cross entropy between the tempo distribution [B, F, bins] and the tempo's bin, blurred."""
    bins = torch.from_numpy(tempo_bins_bpm(logits.shape[-1])).float().log2().to(logits)
    away = (tempo_bpm.clamp_min(1).log2()[..., None] - bins) / (bins[1] - bins[0])
    wanted = (-0.5 * (away / _TEMPO_BLUR) ** 2).softmax(-1)  # [B, F, bins]
    each = -(wanted * logits.log_softmax(-1)).sum(-1)
    return (each * present).mean()
