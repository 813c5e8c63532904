"""The drums' stems and what is no instrument: risers, impacts, beds of noise."""

from __future__ import annotations

import itertools

import numpy as np

from ..media import load_audio
from .drum_book import DRUM_BOOK
from .drum_synth import crash, kick
from .drummer import MACHINES
from .effects import SWEEP_BLOCK, low_pass, sweep
from .kit import Kit
from .materials import Materials, allowed
from .notes import Bar, Note
from .patches import add
from .plan import Plan
from .synth import SAMPLE_RATE

GROUPS = {
    "kick": "kick",
    "snare": "snare",
    "clap": "snare",
    "snap": "snare",
    "rim": "snare",
    "hat": "cymbals",
    "pedal": "cymbals",
    "open": "cymbals",
    "ride": "cymbals",
    "bell": "cymbals",
    "crash": "cymbals",
    "splash": "cymbals",
    "shaker": "cymbals",
    "tambourine": "cymbals",
    "triangle": "cymbals",
    "guiro": "cymbals",
}
"""Stem of each piece of the kit; others belong to `perc`."""

GAINS = {
    "kick": 1.15, "snare": 0.85, "clap": 0.62, "snap": 0.5, "rim": 0.3, "hat": 0.3, "pedal": 0.24,
    "open": 0.28, "ride": 0.28, "bell": 0.2, "crash": 0.34, "splash": 0.24, "shaker": 0.19,
    "tambourine": 0.18, "triangle": 0.14, "guiro": 0.16, "tom_hi": 0.7, "tom_mid": 0.72,
    "tom_lo": 0.75, "cowbell": 0.26, "clave": 0.24, "block": 0.22, "agogo_hi": 0.25,
    "agogo_lo": 0.25,
}  # fmt: skip
"""Level of each piece; others at `USUAL_GAIN`."""
USUAL_GAIN = 0.36
CHOKE_S = 0.02

BEDS = {
    "hiphop": ("vinyl_hiss",),
    "trap": ("ambi_dark_woosh", "ambi_haunted_hum"),
    "techno": ("ambi_sauna", "ambi_haunted_hum"),
    "dnb": ("ambi_glass_hum", "ambi_sauna"),
    "house": ("ambi_sauna", "ambi_glass_hum"),
    "breakbeat": ("vinyl_hiss",),
}


def drum_stems(plan: Plan, notes: list[Note], kit: Kit) -> dict[str, np.ndarray]:
    """kick, snare, cymbals and perc, each float32 [N]."""
    length = round(plan.duration_s * SAMPLE_RATE)
    stems: dict[str, np.ndarray] = {}
    starts = np.round(plan.seconds(np.array([n.beat for n in notes])) * SAMPLE_RATE).astype(int)
    closes = np.array([s for s, n in zip(starts, notes, strict=True) if n.part in ("hat", "pedal")])
    for note, start in zip(notes, starts, strict=True):
        sound = kit.sound(note.part, note.velocity) * np.float32(GAINS.get(note.part, USUAL_GAIN))
        if note.part == "open" and len(closes):
            after = np.searchsorted(closes, start + 2400)
            if after < len(closes) and closes[after] - start < len(sound):
                sound = choked(sound, int(closes[after] - start))
        group = GROUPS.get(note.part, "perc")
        if group not in stems:
            stems[group] = np.zeros(length, np.float32)
        add(stems[group], sound, int(start))
    return stems


def choked(sound: np.ndarray, at: int, rate: int = SAMPLE_RATE) -> np.ndarray:
    """The sound stopped by hand after `at` samples."""
    fade = round(CHOKE_S * rate)
    sound = sound[: at + fade].copy()
    sound[at:] *= np.linspace(1, 0, len(sound) - at, dtype=np.float32)
    return sound


def transitions(plan: Plan, bars: tuple[Bar, ...]) -> tuple[np.ndarray, list[tuple[float, float]]]:
    """Risers into drops, an impact on them, a cymbal backwards; and when the impacts are."""
    rng = np.random.default_rng([plan.band_seed, 0xF1])
    out = np.zeros(round(plan.duration_s * SAMPLE_RATE), np.float32)
    machine = DRUM_BOOK[plan.style].fills in MACHINES
    onsets = []
    reverse = crash(rng)[::-1][: SAMPLE_RATE * 2] * 0.12
    boom = low_pass(kick(rng, long=3.5), 900) * 0.4
    for before, bar in itertools.pairwise(bars):
        if bar.place or bar.kind != "drop" or before.kind not in ("build", "break"):
            continue
        drop_s = float(plan.seconds(bar.index * plan.metre))
        if machine:
            first = max(before.index + 1 - before.section.bars, before.index - 3)
            start_s = float(plan.seconds(first * plan.metre))
            add(out, riser(drop_s - start_s, rng), round(start_s * SAMPLE_RATE))
            add(out, boom, round(drop_s * SAMPLE_RATE))
            onsets.append((drop_s, 0.8))
        if not machine or rng.random() < 0.5:
            add(out, reverse, round(drop_s * SAMPLE_RATE) - len(reverse))
    return out, onsets


def riser(seconds: float, rng: np.random.Generator, rate: int = SAMPLE_RATE) -> np.ndarray:
    """Noise that rises for so long, float32 [n]."""
    length = max(SWEEP_BLOCK, round(seconds * rate))
    rise = np.linspace(0, 1, length, dtype=np.float32)
    noise = rng.standard_normal(length).astype(np.float32) * rise**2 * np.float32(0.08)
    blocks = np.linspace(0, 1, -(-length // SWEEP_BLOCK))
    return sweep(noise, 400 * 25**blocks, 1.1, rate)


def bed(plan: Plan, materials: Materials) -> tuple[np.ndarray | None, str]:
    """A quiet bed of noise under some pieces, float32 [N], and its source."""
    rng = np.random.default_rng([plan.band_seed, 0xBE])
    names = tuple(f"{name}.flac" for name in BEDS.get(plan.style, ()))
    if materials.samples is None or not names or rng.random() < 0.5:
        return None, ""
    there = tuple(n for n in allowed(names, materials.held_out) if (materials.samples / n).exists())
    if not there:
        return None, ""
    name = there[int(rng.integers(len(there)))]
    sound = load_audio(materials.samples / name, SAMPLE_RATE, mono=True).samples[0, 0].numpy()
    fade = min(SAMPLE_RATE // 2, len(sound) // 3)
    joined = sound[fade:].copy()  # the end runs over into the start
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    joined[-fade:] = joined[-fade:] * (1 - ramp) + sound[:fade] * ramp
    length = round(plan.duration_s * SAMPLE_RATE)
    return np.tile(joined, -(-length // len(joined)))[:length], f"samples/{name}"
