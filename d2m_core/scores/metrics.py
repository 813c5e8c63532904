"""Scores of how well music and dance keep time, each exactly as its source defines it.

None of them means anything alone: a metronome reaches 100 % in one-second bins, and a quarter of
random beats fall within 70 ms of some beat. Print a control beside every number: `beat_f_chance`
and `phase_rotated` make them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy

from ..grid import seconds_at
from ..types import Waveform

TOLERANCE_S = 0.07
"""mir_eval's window for a beat."""

_ONSET_RATE = 22050
_BAS_FPS = 60.0
_BAS_SIGMA = 3.0
"""Frames at `_BAS_FPS`."""

BinForm = Literal["d2m-gan", "loris"]
BasForm = Literal["aist++", "bailando"]


def beat_f(reference_s: np.ndarray, estimated_s: np.ndarray, tolerance_s: float = TOLERANCE_S) -> float:
    """Beat F-measure (mir_eval) over the whole clip: the first five seconds are not cut off."""
    from mir_eval.util import f_measure, match_events

    if len(reference_s) == 0 or len(estimated_s) == 0:
        return 0.0
    reference_s, estimated_s = np.sort(reference_s), np.sort(estimated_s)
    hits = len(match_events(reference_s, estimated_s, tolerance_s))
    return float(f_measure(hits / len(estimated_s), hits / len(reference_s)))


def tempo_correct(
    reference_bpm: float, estimated_bpm: float, tolerance: float = 0.04, octaves: bool = False
) -> bool:
    """Whether a tempo is right to 4 %; `octaves` also takes double, triple, half and third."""
    factors = (1, 2, 3, 1 / 2, 1 / 3) if octaves else (1,)
    return any(
        abs(estimated_bpm - factor * reference_bpm) <= tolerance * factor * reference_bpm
        for factor in factors
    )


def phase_rotated(beats_s: np.ndarray, duration_s: float, shift_s: float) -> np.ndarray:
    """The beats moved on by `shift_s` around a clip bent into a circle."""
    return np.sort((np.asarray(beats_s, np.float64) + shift_s) % duration_s)


def beat_f_chance(
    reference_s: np.ndarray,
    estimated_s: np.ndarray,
    duration_s: float,
    tolerance_s: float = TOLERANCE_S,
    rotations: int = 16,
) -> float:
    """Beat F against the reference at `rotations` evenly spread phases: a blind grid's score."""
    if len(reference_s) < 2:
        return 0.0
    period_s = float(np.median(np.diff(reference_s)))
    shifts = (np.arange(rotations) + 0.5) / rotations * period_s
    return float(
        np.mean(
            [
                beat_f(phase_rotated(reference_s, duration_s, shift), estimated_s, tolerance_s)
                for shift in shifts
            ]
        )
    )


@dataclass(frozen=True)
class Continuity:
    """Share of beats in time with their neighbours too, 0..1 (mir_eval's continuity scores)."""

    cmlt: float
    """At the reference's own metrical level."""
    amlt: float
    """Off-beat, double and half time count as well."""


def continuity(reference_s: np.ndarray, estimated_s: np.ndarray) -> Continuity:
    """CMLt and AMLt over the whole clip: the first five seconds are not cut off.

    Less than two beats on either side score 0.
    """
    from mir_eval.beat import continuity as scores

    if len(reference_s) < 2 or len(estimated_s) < 2:
        return Continuity(0.0, 0.0)
    _, cmlt, _, amlt = scores(np.sort(reference_s), np.sort(estimated_s))
    return Continuity(float(cmlt), float(amlt))


def share_near(times_s: np.ndarray, grid_s: np.ndarray, tolerance_s: float = TOLERANCE_S) -> float:
    """Share of the times that have a grid point within the tolerance; NaN where there are none.

    Both ways round it tells of accents: `share_near(accents, beats)` is how many fall on a beat,
    `share_near(beats, accents)` how many beats carry one.
    """
    if len(times_s) == 0:
        return float("nan")
    if len(grid_s) == 0:
        return 0.0
    away = np.abs(np.asarray(times_s)[:, None] - np.asarray(grid_s)[None, :]).min(1)
    return float((away <= tolerance_s + 1e-9).mean())


def eighths(beats_s: np.ndarray) -> np.ndarray:
    """The beats and the points halfway between them, half a beat before and after included."""
    if len(beats_s) < 2:
        return np.asarray(beats_s, np.float64)
    return seconds_at(beats_s, np.arange(-1, 2 * len(beats_s)) / 2)


# --- coverage and hits in bins ---


@dataclass(frozen=True)
class BinScore:
    """Beat coverage and beat hits of one clip."""

    bcs: float
    bhs: float

    @property
    def f1(self) -> float:
        """As `bin_f1`; only means something in LORIS's form."""
        return float(bin_f1(np.array(self.bcs), np.array(self.bhs)))


def bin_f1(bcs: np.ndarray, bhs: np.ndarray) -> np.ndarray:
    """2 BCS BHS / (BCS + BHS), of any shape; 0 where both are."""
    total = bcs + bhs
    return np.where(total > 0, 2 * bcs * bhs / np.where(total > 0, total, 1), 0.0)


def onsets(wave: Waveform) -> np.ndarray:
    """Onset times [M] as D2M-GAN and LORIS find them (librosa, 22.05 kHz, delta 0.2)."""
    import librosa

    samples = wave.samples.mean(dim=(0, 1)).numpy()
    samples = librosa.resample(samples, orig_sr=wave.sample_rate, target_sr=_ONSET_RATE)
    return librosa.onset.onset_detect(
        y=samples,
        sr=_ONSET_RATE,
        wait=1,
        delta=0.2,
        pre_avg=3,
        post_avg=3,
        pre_max=3,
        post_max=3,
        units="time",
    )


def bcs_bhs(
    reference_s: np.ndarray, generated_s: np.ndarray, duration_s: float, form: BinForm, bin_s: float = 1.0
) -> BinScore:
    """Beat coverage and hit scores of onset times in bins of `bin_s` seconds.

    With Bg, Bt and Ba the numbers of bins that hold a generated onset, a reference onset, and both:
    BHS = Ba / Bt; BCS = Bg / Bt in D2M-GAN's form (may pass 1), Ba / Bg in LORIS's. A quotient by
    zero is 0.
    """
    if form not in ("d2m-gan", "loris"):
        raise ValueError(f"form is {form!r}; choose 'd2m-gan' or 'loris'")
    reference, generated = (_bins(t, duration_s, bin_s) for t in (reference_s, generated_s))
    both, of_reference = int((reference & generated).sum()), int(reference.sum())
    of_generated = int(generated.sum())
    covered = _share(of_generated, of_reference) if form == "d2m-gan" else _share(both, of_generated)
    return BinScore(covered, _share(both, of_reference))


def _bins(times_s: np.ndarray, duration_s: float, bin_s: float) -> np.ndarray:
    marks = np.zeros(max(1, int(np.ceil(duration_s / bin_s - 1e-9))), bool)
    index = (np.asarray(times_s, np.float64) / bin_s + 1e-9).astype(int)
    marks[index[(index >= 0) & (index < len(marks))]] = True
    return marks


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


# --- beat alignment ---


def motion_beats(joints: np.ndarray, fps: float, form: BasForm) -> np.ndarray:
    """Times [M] at which a dancer's joints [F, J, 3] are slowest.

    AIST++ takes minima of the summed speed over 10 frames on either side, Bailando every minimum
    after Gaussian smoothing (sigma 5); both at 60 frames per second.
    """
    frames = max(2, round(len(joints) / fps * _BAS_FPS))
    if fps != _BAS_FPS:
        times = np.minimum(np.arange(frames) / _BAS_FPS * fps, len(joints) - 1)
        joints = scipy.interpolate.CubicSpline(np.arange(len(joints)), joints)(times)
    speed = np.linalg.norm(np.diff(joints, axis=0), axis=-1).sum(1)
    if form == "bailando":
        slow = scipy.signal.argrelextrema(scipy.ndimage.gaussian_filter1d(speed, 5), np.less)[0]
    else:
        slow = scipy.signal.argrelextrema(speed, np.less, order=10)[0]
    return (slow + 1) / _BAS_FPS if form == "aist++" else slow / _BAS_FPS


def bas(motion_beats_s: np.ndarray, music_beats_s: np.ndarray, form: BasForm) -> float:
    """Beat alignment score: mean of exp(-d^2 / 2 sigma^2), sigma 3 frames at 60 per second.

    AIST++ averages over motion beats (d to the nearest music beat), Bailando over music beats.
    """
    if form not in ("aist++", "bailando"):
        raise ValueError(f"form is {form!r}; choose 'aist++' or 'bailando'")
    if len(motion_beats_s) == 0 or len(music_beats_s) == 0:
        return 0.0
    of, against = motion_beats_s, music_beats_s
    if form == "bailando":
        of, against = against, of
    away = np.abs(np.asarray(of)[:, None] - np.asarray(against)[None, :]).min(1) * _BAS_FPS
    return float(np.exp(-(away**2) / (2 * _BAS_SIGMA**2)).mean())
