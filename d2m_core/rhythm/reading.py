"""The rhythm of a dance: what the network sees in its motion, and the beats behind it."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
import torch

from ..grid import check_tempo
from ..types import MotionFeatures, Rhythm
from .decoding import STEADY_BELOW, decode_beats
from .network import RhythmNet

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class RhythmCurves:
    """What the network sees in a dance, 0..1 per motion frame; 0 where nobody is seen."""

    beat: np.ndarray
    """float32 [F], as all that follow unless said."""
    downbeat: np.ndarray
    onset: np.ndarray
    energy: np.ndarray
    parts: np.ndarray | None = None
    """float32 [F, len(PART_CURVES)]."""
    tempo: np.ndarray | None = None
    """float32 [F, bins], each row sums to 1."""
    accents: np.ndarray | None = None
    """The visible accents, found without the network."""


def rhythm_from_motion(
    motion: MotionFeatures, net: RhythmNet, tempo_bpm: float | None = None, metre: int | None = None
) -> Rhythm:
    """The rhythm one sees in a dance: a steady grid that lands on its accents.

    With `tempo_bpm` the tempo is kept exactly and only its phase is looked for; with `metre` bars
    have so many beats, else four or three, whichever fits better. The confidence is
    the probability that the beats are right; where it is under `beats.STEADY_BELOW` they are a
    steady pulse whose sixteenths meet the strongest accents. Where nobody is seen or nothing moves,
    a steady default grid comes back with confidence 0.
    """
    tempo_bpm = None if tempo_bpm is None else check_tempo(tempo_bpm)
    seen = rhythm_curves(motion, net)
    grid = decode_beats(
        seen.beat,
        motion.fps,
        seen.downbeat,
        tempo_bpm,
        seen.onset,
        seen.tempo,
        metre=metre,
        accents=seen.accents,
    )
    if 0 < grid.confidence < STEADY_BELOW:
        log.warning(
            "The dance's beats are unsure (confidence %.2f): a steady pulse of %.0f BPM meets its "
            "strongest accents on sixteenths; set the tempo to choose another.",
            grid.confidence,
            grid.tempo_bpm,
        )
    onset = seen.onset if seen.accents is None else seen.accents  # what is seen, where known
    curves = np.stack([onset, seen.energy], 1).astype(np.float32)  # [F, R]
    return Rhythm(
        grid.beats_s,
        grid.downbeats,
        curves,
        grid.tempo_bpm,
        grid.confidence,
        fps=motion.fps,
        parts=seen.parts,
    )


def rhythm_curves(motion: MotionFeatures, net: RhythmNet) -> RhythmCurves:
    """What the network says of every frame, before beats are read from it."""
    has_accents = "accent" in motion.names
    accents = motion.values[:, motion.names.index("accent")] if has_accents else None
    motion = motion.only(net.names or motion.names)
    if motion.values.shape[1] != net.config.features:
        raise ValueError(f"the network reads {net.config.features} features, got {motion.values.shape[1]}")
    column = motion.names.index("present") if "present" in motion.names else None
    present = np.ones(len(motion.values), bool) if column is None else motion.values[:, column] > 0
    device = net.mean.device
    training = net.training
    net.eval()
    with torch.inference_mode():
        values = torch.from_numpy(motion.values).to(device)[None]
        out = net(values, torch.from_numpy(present).to(device)[None])
    net.train(training)
    seen = present[:, None]
    flat = [out.beat, out.downbeat, out.onset, out.energy]
    beat, downbeat, onset, energy = (curve[0].sigmoid().cpu().numpy() * present for curve in flat)
    parts = None if out.parts is None else out.parts[0].sigmoid().cpu().numpy() * seen
    tempo = None if out.tempo is None else out.tempo[0].softmax(-1).cpu().numpy()
    return RhythmCurves(beat, downbeat, onset, energy, parts, tempo, accents)
