"""The rhythm of a dance: what the network sees in its motion, and the beats behind it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ..grid import check_tempo
from ..motion import MOTION_NAMES, mirror_motion
from ..types import MotionFeatures, Rhythm
from .curves import BeatCurves
from .decoding import Asked, decode_beats
from .energy import seen_energy
from .network import RhythmNet, RhythmOutput


@dataclass(frozen=True, eq=False, kw_only=True)
class RhythmCurves(BeatCurves):
    """What the network sees in a dance, 0..1 per motion frame; 0 where nobody is seen.

    float32 [F] each unless said; `tempo` has rows that sum to 1, and `seen` is found without it.
    """

    energy: np.ndarray
    """How much is going on."""
    parts: np.ndarray | None = None
    """float32 [F, len(PART_CURVES)]."""


def rhythm_from_motion(
    motion: MotionFeatures, net: RhythmNet, tempo_bpm: float | None = None, metre: int | None = None
) -> Rhythm:
    """The rhythm one sees in a dance: a steady grid that lands on its accents.

    With `tempo_bpm` the tempo is kept exactly and only its phase is looked for; with `metre` bars
    have so many beats, else four or three, whichever fits better. The confidence is
    the probability that the beats are right; where it is under `decoding.STEADY_BELOW` they are a
    steady pulse whose sixteenths meet the strongest accents. Where nobody is seen or nothing moves,
    a steady default grid comes back with confidence 0. What is doubtful about it says
    `rhythm_notices`.
    """
    return read_dance(motion, net, tempo_bpm, metre)[0]


def read_dance(
    motion: MotionFeatures, net: RhythmNet, tempo_bpm: float | None = None, metre: int | None = None
) -> tuple[Rhythm, RhythmCurves]:
    """`rhythm_from_motion`, and the curves that it was read from."""
    tempo_bpm = None if tempo_bpm is None else check_tempo(tempo_bpm)
    curves = rhythm_curves(motion, net)
    grid = decode_beats(curves, motion.fps, Asked(tempo_bpm, metre))
    accent = curves.felt_or_beat if curves.seen is None else curves.seen  # what is seen, where known
    rhythm = Rhythm(
        grid.beats_s,
        grid.downbeats,
        np.stack([accent, seen_energy(curves.energy, motion)], 1).astype(np.float32),  # [F, R]
        grid.tempo_bpm,
        grid.confidence,
        fps=motion.fps,
        parts=curves.parts,
        tempi=grid.tempi,
    )
    return rhythm, curves


def rhythm_curves(motion: MotionFeatures, net: RhythmNet, foretell: bool = False) -> RhythmCurves:
    """What the network says of every frame, before beats are read from it.

    With `foretell`, of the frames after them too that it was taught to foretell (`RhythmConfig.foretells`).

    It is asked twice, the second time about the dance in a mirror, and the mean counts: beats have no
    left and right. On 33 captured dances the likeliest tempo then was that of the song, octaves free, in
    0.76 instead of 0.73.
    """
    has_accents = "accent" in motion.names
    seen = motion.values[:, motion.names.index("accent")] if has_accents else None
    views = [motion, mirror_motion(motion)] if motion.names == MOTION_NAMES else [motion]
    views = [view.only(net.names or view.names) for view in views]
    motion = views[0]
    if motion.values.shape[1] != net.config.features:
        raise ValueError(f"the network reads {net.config.features} features, got {motion.values.shape[1]}")
    column = motion.names.index("present") if "present" in motion.names else None
    present = np.ones(len(motion.values), bool) if column is None else motion.values[:, column] > 0
    values = np.stack([view.values for view in views])  # [B, F, D]
    ahead = net.config.foretells if foretell else 0
    if ahead:
        values = np.pad(values, ((0, 0), (0, ahead), (0, 0)))
        seen = None if seen is None else np.pad(seen, (0, ahead))
    out = _answer(net, values, np.pad(present, (0, ahead)))
    present = np.pad(present, (0, ahead), constant_values=True)
    beat, downbeat, felt, energy = (
        curve.sigmoid().mean(0).cpu().numpy() * present
        for curve in (out.beat, out.downbeat, out.felt, out.energy)
    )
    parts = None if out.parts is None else out.parts.sigmoid().mean(0).cpu().numpy() * present[:, None]
    tempo = None if out.tempo is None else out.tempo.softmax(-1).mean(0).cpu().numpy()
    return RhythmCurves(beat, downbeat, felt, tempo, seen, energy=energy, parts=parts)


def _answer(net: RhythmNet, values: np.ndarray, present: np.ndarray) -> RhythmOutput:
    """The network's logits for views [B, F, D] of a dancer who is `present` in some frames [F]."""
    device, training = net.mean.device, net.training
    net.eval()
    with torch.inference_mode():
        here = torch.from_numpy(present).to(device).expand(len(values), -1)
        out = net(torch.from_numpy(values).to(device), here)
    net.train(training)
    return out
