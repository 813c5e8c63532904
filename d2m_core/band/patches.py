"""The synthesisers of the band: named sounds for basses, chords, pads, leads; how to play them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from .synth import SAMPLE_RATE, envelope, fm, midi_hz, tone

LENGTH_STEP_S = 0.01
VELOCITY_STEPS = 12


@dataclass(frozen=True)
class Patch:
    """One sound. Cutoffs are in Hz for a note at full velocity, tracked half by pitch."""

    shape: str
    """A waveform of `synth.wavetables`, or `fm`."""
    attack_s: float = 0.004
    decay_s: float = 0.2
    sustain: float = 0.5
    release_s: float = 0.06
    open_hz: float = 4000.0
    closed_hz: float = 900.0
    filter_s: float = 0.12
    """Time in which the cutoff falls from open to closed."""
    resonance: float = 0.4
    unison_cents: tuple[float, ...] = (0.0,)
    sub: float = 0.0
    """A sine one octave below."""
    ratio: float = 1.0
    """Of the modulator, for `fm`."""
    depth: float = 2.0
    """Of the modulation at the start, for `fm`."""
    drop: float = 0.0
    """Octaves that the pitch falls by at the start."""
    vibrato_cents: float = 0.0
    wobble_hz: float = 0.0
    """Speed at which the cutoff opens and closes."""
    drive: float = 0.0


SPREAD = (-11.0, 0.0, 9.0)
WIDE = (-17.0, -8.0, 0.0, 7.0, 15.0)

PATCHES: dict[str, Patch] = {
    # basses
    "sub": Patch("triangle", 0.006, 0.5, 0.8, 0.05, 500, 250, 0.2, 0.1, drive=0.6),
    "808": Patch("triangle", 0.002, 0.9, 0.25, 0.12, 900, 300, 0.12, 0.2, drop=0.9, drive=1.6),
    "saw_bass": Patch("saw", 0.003, 0.25, 0.6, 0.04, 2600, 420, 0.13, 0.7, (-5, 5), sub=0.5),
    "square_bass": Patch("square", 0.003, 0.2, 0.55, 0.04, 2200, 500, 0.1, 0.5, sub=0.3),
    "acid": Patch("saw", 0.002, 0.2, 0.6, 0.03, 3400, 320, 0.14, 3.2, drive=1.2),
    "reese": Patch("saw", 0.01, 1.0, 0.9, 0.06, 1500, 700, 0.5, 0.4, (-22, 0, 19), 0.7, drive=0.8),
    "wobble": Patch("saw", 0.006, 1.0, 0.9, 0.05, 2600, 250, 0.8, 1.4, (-12, 12), 0.8, wobble_hz=3),
    "organ_bass": Patch("fm", 0.002, 0.16, 0.45, 0.04, ratio=1.0, depth=1.6, drive=0.5),
    "fm_bass": Patch("fm", 0.002, 0.2, 0.5, 0.04, ratio=2.0, depth=2.4, sub=0.3),
    "pulse_bass": Patch("pulse", 0.003, 0.25, 0.6, 0.05, 1800, 500, 0.2, 0.8, (-4, 4), sub=0.4),
    # chords
    "saw_stab": Patch("saw", 0.003, 0.18, 0.25, 0.1, 6500, 1200, 0.14, 0.5, SPREAD),
    "organ_stab": Patch("organ", 0.003, 0.3, 0.6, 0.05, 5000, 3000, 0.3, 0.1),
    "dub_stab": Patch("saw", 0.004, 0.14, 0.1, 0.15, 2600, 400, 0.12, 1.0, (-14, 13)),
    "e_piano": Patch("fm", 0.003, 0.9, 0.15, 0.15, ratio=1.0, depth=1.7),
    "fm_keys": Patch("fm", 0.002, 0.5, 0.2, 0.12, ratio=3.0, depth=1.1),
    "hoover": Patch("pulse", 0.02, 0.8, 0.7, 0.12, 5200, 2200, 0.4, 0.5, WIDE),
    "soft_keys": Patch("triangle", 0.004, 0.6, 0.3, 0.12, 3000, 900, 0.3, 0.1, (-6, 6)),
    # pads
    "warm_pad": Patch("saw", 0.25, 1.5, 0.85, 0.5, 1500, 1100, 1.0, 0.2, SPREAD),
    "string_machine": Patch("saw", 0.12, 1.5, 0.85, 0.4, 4200, 3000, 1.5, 0.1, SPREAD),
    "hollow_pad": Patch("square", 0.3, 1.5, 0.85, 0.5, 1400, 900, 1.2, 0.6, (-9, 9)),
    "bright_pad": Patch("saw", 0.15, 1.5, 0.8, 0.4, 3200, 5200, 1.5, 0.4, SPREAD),
    # leads and arpeggios
    "supersaw": Patch("saw", 0.005, 0.5, 0.7, 0.15, 7000, 3800, 0.4, 0.2, WIDE),
    "square_lead": Patch("square", 0.005, 0.3, 0.6, 0.08, 5200, 2400, 0.25, 0.4, (-6, 6),
                         vibrato_cents=14),
    "saw_lead": Patch("saw", 0.004, 0.3, 0.6, 0.08, 6500, 2600, 0.25, 0.8, (-8, 8),
                      vibrato_cents=12),
    "pluck": Patch("saw", 0.002, 0.14, 0.08, 0.12, 6500, 700, 0.09, 0.6, (-7, 7)),
    "square_pluck": Patch("square", 0.002, 0.16, 0.1, 0.1, 5000, 900, 0.1, 0.5),
    "bell": Patch("fm", 0.002, 0.5, 0.08, 0.3, ratio=3.5, depth=1.6),
    "marimba": Patch("fm", 0.002, 0.16, 0.03, 0.1, ratio=4.0, depth=1.0),
    "whistle": Patch("triangle", 0.02, 0.5, 0.8, 0.08, 3500, 2500, 0.4, 0.1, vibrato_cents=18),
    "brass": Patch("reed", 0.03, 0.3, 0.75, 0.07, 5200, 2800, 0.2, 0.3, (-7, 0, 6)),
    "flute": Patch("triangle", 0.03, 0.5, 0.85, 0.07, 3000, 2600, 0.4, 0.1, vibrato_cents=16),
    "guitar": Patch("pulse", 0.002, 0.25, 0.15, 0.08, 5500, 1300, 0.12, 0.3, (-3, 3)),
    "fuzz": Patch("saw", 0.003, 0.9, 0.75, 0.06, 4500, 3000, 0.5, 0.6, (-6, 6), drive=3.0),
}  # fmt: skip


def vary(patch: Patch, rng: np.random.Generator) -> Patch:
    """The same kind of sound, another turn of its knobs."""
    bright, slow = 2 ** rng.uniform(-0.5, 0.5), 2 ** rng.uniform(-0.5, 0.5)
    return replace(
        patch,
        decay_s=patch.decay_s * slow,
        open_hz=patch.open_hz * bright,
        closed_hz=patch.closed_hz * bright,
        filter_s=patch.filter_s * 2 ** rng.uniform(-0.6, 0.6),
        resonance=patch.resonance * 2 ** rng.uniform(-0.7, 0.5),
        depth=patch.depth * bright,
        wobble_hz=patch.wobble_hz * 2 ** rng.uniform(-0.5, 0.5),
    )


@dataclass(frozen=True)
class Played:
    """One pitch to sound, placed in samples."""

    start: int
    held: int
    pitch: int
    velocity: float


def render_patch(patch: Patch, notes: list[Played], length: int) -> np.ndarray:
    """The notes through a patch, float32 [length]; equal notes are made once."""
    out = np.zeros(length, np.float32)
    made: dict[tuple[int, int, int], np.ndarray] = {}
    for note in notes:
        key = steps_of(note)
        sound = made.get(key)
        if sound is None:
            sound = made[key] = one_note(patch, *key)
        add(out, sound, note.start)
    return out


def steps_of(note: Played, rate: int = SAMPLE_RATE) -> tuple[int, int, int]:
    """Pitch, length and loudness of a note in the steps in which patches play."""
    length = max(3, round(note.held / (LENGTH_STEP_S * rate)))
    return note.pitch, length, max(1, round(note.velocity * VELOCITY_STEPS))


def add(out: np.ndarray, sound: np.ndarray, start: int) -> None:
    """Adds `sound` at sample `start`, as far as it fits."""
    first, last = max(0, start), min(len(out), start + len(sound))
    if first < last:
        out[first:last] += sound[first - start : last - start]


def one_note(patch: Patch, pitch: int, steps: int, loud: int, rate: int = SAMPLE_RATE) -> np.ndarray:
    """One note through a patch, float32 [n]; length and loudness as `steps_of` counts them."""
    held = round(steps * LENGTH_STEP_S * rate)
    velocity = loud / VELOCITY_STEPS
    length = held + round(patch.release_s * rate)
    t = np.arange(length, dtype=np.float32) / rate
    hz = midi_hz(pitch)
    gain = envelope(length, held, patch.attack_s, patch.decay_s, patch.sustain, patch.release_s, rate)
    if patch.shape == "fm":
        sound = fm(hz, patch.depth * (0.35 + 0.65 * velocity) * np.exp(-t / 0.35), patch.ratio, rate)
    else:
        sound = tone(
            _pitch_curve(patch, hz, t),
            _cutoff(patch, hz, velocity, t),
            patch.shape,
            round(patch.resonance, 1),
            patch.unison_cents,
            rate,
        )
    if patch.sub:
        sound = sound + patch.sub * np.sin(np.pi * hz * t)
    if patch.drive:
        sound = np.tanh((1 + patch.drive) * sound) / np.tanh(1 + patch.drive)
    return (sound * gain * np.float32(velocity)).astype(np.float32)


def _pitch_curve(patch: Patch, hz: float, t: np.ndarray) -> np.ndarray | float:
    if not patch.drop and not patch.vibrato_cents:
        return hz
    fall = patch.drop * np.exp(-t / 0.03)
    shake = np.sin(2 * np.pi * 5.3 * t) * np.clip((t - 0.15) / 0.2, 0, 1)
    return hz * 2.0 ** (fall + patch.vibrato_cents / 1200 * shake)


def _cutoff(patch: Patch, hz: float, velocity: float, t: np.ndarray) -> np.ndarray:
    tracking = (hz / 220.0) ** 0.5 if hz > 220 else 1.0
    shape = np.exp(-t / patch.filter_s)
    if patch.wobble_hz:
        shape = 0.5 + 0.5 * np.cos(2 * np.pi * patch.wobble_hz * t)
    start = patch.open_hz * (0.45 + 0.55 * velocity)
    return tracking * (patch.closed_hz + (start - patch.closed_hz) * shape)
