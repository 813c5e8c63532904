"""The mixing desk: stems become one stereo piece at a common loudness."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import scipy

from .drum_book import DRUM_BOOK
from .drummer import MACHINES
from .effects import (
    SWEEP_BLOCK,
    compress,
    ducking,
    echoes,
    high_pass,
    limit,
    make_room,
    reverb,
    spread,
    sweep,
)
from .music_book import MUSIC_BOOK
from .notes import Bar
from .plan import Plan
from .synth import SAMPLE_RATE

LEVELS_DB = {
    "bass": -8.0,
    "chords": -12.5,
    "pad": -16.5,
    "arp": -14.5,
    "horns": -10.5,
    "lead": -11.0,
    "bed": -34.0,
}
"""Loud moments of a stem against a full kick."""
LOWEST_HZ = {
    "bass": 32.0,
    "chords": 170.0,
    "pad": 220.0,
    "arp": 250.0,
    "horns": 200.0,
    "lead": 250.0,
    "snare": 110.0,
    "cymbals": 320.0,
    "perc": 90.0,
    "kick": 28.0,
    "fx": 60.0,
    "bed": 300.0,
}
WIDTH = {
    "chords": 0.35,
    "pad": 0.6,
    "arp": 0.4,
    "horns": 0.35,
    "lead": 0.15,
    "cymbals": 0.3,
    "perc": 0.25,
    "fx": 0.5,
    "bed": 0.6,
    "snare": 0.08,
}
HALL = {"chords": 0.2, "pad": 0.35, "arp": 0.28, "horns": 0.22, "lead": 0.3, "perc": 0.12, "fx": 0.4}
"""Shares of stems that go to the long reverb."""
ROOM = {"snare": 0.16, "perc": 0.16, "cymbals": 0.06, "chords": 0.06, "horns": 0.1, "kick": 0.02}
"""Shares that go to the short one."""
DUCKED = {"bass": 1.0, "chords": 0.8, "pad": 1.0, "arp": 0.5, "lead": 0.3, "horns": 0.3}
"""How much of the piece's ducking a stem feels."""
DRUM_STEMS = ("kick", "snare", "cymbals", "perc")
KICK_RMS = 0.25
CEILING = 0.93
TRUE_PEAK = 0.98


@dataclass(frozen=True)
class _Desk:
    """How the desk is set for one piece."""

    duck: float
    room: np.ndarray
    hall: np.ndarray
    wet: float
    echo_s: float
    echo: float
    drive: float
    pans: dict[str, float]
    levels_db: dict[str, float]


def mix_down(
    plan: Plan, bars: tuple[Bar, ...], stems: dict[str, np.ndarray], kicks_s: np.ndarray
) -> np.ndarray:
    """float32 [2, N] from mono stems [N] by name."""
    desk = _set_up(plan)
    length = round(plan.duration_s * SAMPLE_RATE)
    levelled = {name: _level(name, stems[name], desk) for name in sorted(stems)}
    beat_s = 60.0 / plan.tempo_bpm
    dip = ducking(kicks_s, length, desk.duck, min(0.3, 0.8 * beat_s))
    drums, music = np.zeros((2, length), np.float32), np.zeros((2, length), np.float32)
    to_room, to_hall = np.zeros(length, np.float32), np.zeros(length, np.float32)
    for name, sound in levelled.items():
        if name in DUCKED:
            sound = sound * (1 - DUCKED[name] * (1 - dip))
        bus = drums if name in (*DRUM_STEMS, "bass", "fx") else music
        bus += spread(sound, WIDTH.get(name, 0.0), desk.pans.get(name, 0.0), 0.011)
        if name in ROOM:
            to_room += ROOM[name] * sound
        if name in HALL:
            to_hall += HALL[name] * sound
        if name == "lead" and desk.echo:
            music += echoes(sound, desk.echo_s, desk.echo)
    music += reverb(to_hall, desk.hall) * desk.wet
    music = _swept(plan, bars, music)
    mix = drums + music + reverb(to_room, desk.room)
    return finish(mix * _gate(plan, length), MUSIC_BOOK[plan.style].lufs, desk.drive)


def _set_up(plan: Plan) -> _Desk:
    rng = np.random.default_rng([plan.band_seed, 0x33])
    book = MUSIC_BOOK[plan.style]
    levels = {
        name: level + book.levels_db.get(name, 0.0) + float(rng.uniform(-1.2, 1.2))
        for name, level in LEVELS_DB.items()
    }
    side = float(rng.choice([-1.0, 1.0]))
    return _Desk(
        duck=float(rng.uniform(*book.duck)),
        room=make_room(float(rng.uniform(0.25, 0.5)), 5_500, rng),
        hall=make_room(float(rng.uniform(*book.hall_s)), float(rng.uniform(3_500, 7_000)), rng),
        wet=float(rng.uniform(0.7, 1.3)),
        echo_s=float(rng.choice([0.5, 0.75])) * 60.0 / plan.tempo_bpm,
        echo=float(rng.uniform(0.2, 0.4)) if rng.random() < 0.6 else 0.0,
        drive=float(rng.uniform(0.1, 0.6)),
        pans={
            "arp": 0.35 * side,
            "chords": -0.2 * side,
            "horns": 0.15 * side,
            "perc": -0.25 * side,
            "cymbals": 0.12 * side,
        },
        levels_db=levels,
    )


def _level(name: str, sound: np.ndarray, desk: _Desk) -> np.ndarray:
    """Lows taken off; pitched stems brought to their level whatever the instrument."""
    sound = high_pass(sound, LOWEST_HZ[name])
    if name not in desk.levels_db:
        return sound
    frames = sound[: len(sound) // 1200 * 1200].reshape(-1, 1200)
    loud = np.sqrt((frames**2).mean(1))
    loud = loud[loud > 0.02 * loud.max()] if loud.size and loud.max() > 1e-6 else loud
    if not loud.size or loud.max() <= 1e-6:
        return sound
    target = KICK_RMS * 10 ** (desk.levels_db[name] / 20)
    return sound * np.float32(target / np.quantile(loud, 0.9))


def _swept(plan: Plan, bars: tuple[Bar, ...], music: np.ndarray) -> np.ndarray:
    """A low pass that opens through builds and intros of machine music."""
    rng = np.random.default_rng([plan.seed, 0x5E])
    draws = rng.random(2)
    if DRUM_BOOK[plan.style].fills not in MACHINES:
        return music
    music = music.copy()
    for bar in bars:
        chance = {"build": 0.7, "intro": 0.6}.get(bar.kind, 0.0)
        if draws[int(bar.kind == "intro")] >= chance or bar.index != max(0, bar.section.first_bar):
            continue
        last = bar.section.first_bar + bar.section.bars
        low, high = (
            int(np.clip(plan.seconds(b * plan.metre) * SAMPLE_RATE, 0, music.shape[1]))
            for b in (bar.index, last)
        )
        if high - low > SWEEP_BLOCK:
            share = np.linspace(bar.share, 1, -(-(high - low) // SWEEP_BLOCK))
            music[:, low:high] = sweep(music[:, low:high], 350 * 30**share)
    return music


def _gate(plan: Plan, length: int) -> np.ndarray:
    """Gain float32 [length]: nothing sounds in stops."""
    gain = np.ones(length, np.float32)
    fade = np.linspace(1, 0, round(0.09 * SAMPLE_RATE), dtype=np.float32)
    for stop in plan.stops:
        low, high = (
            round(float(plan.seconds(plan.swung(b))) * SAMPLE_RATE)
            for b in (stop.beat, stop.beat + stop.beats)
        )
        high -= 240
        closing = np.zeros(max(0, high - low), np.float32)
        closing[: len(fade)] = fade[: len(closing)]
        first, last = max(0, low), min(length, high)
        if first < last:
            gain[first:last] = closing[first - low : last - low]
    return gain


def finish(mix: np.ndarray, lufs: float, drive: float) -> np.ndarray:
    """Glue, warmth, loudness and a ceiling: float32 [2, N] with true peaks below 0.99."""
    mix = compress(mix, -16.0, 1.8)
    mix = high_pass(np.tanh((1 + drive) * mix) / np.float32(1 + drive), 24.0)
    mix = mix * np.float32(10 ** ((lufs - loudness(mix)) / 20))
    mix = limit(mix, CEILING)
    mix = limit(mix * np.float32(10 ** ((lufs - loudness(mix)) / 20)), CEILING)
    mix = mix - mix.mean(axis=1, keepdims=True)
    return (mix * np.float32(min(1.0, TRUE_PEAK / true_peak(mix)))).astype(np.float32)


def true_peak(mix: np.ndarray) -> float:
    """Peak of [2, N] between the samples, looked for where the samples are high."""
    width = 240
    blocks = np.abs(mix[:, : mix.shape[1] // width * width]).max(0).reshape(-1, width).max(1)
    if not blocks.size:
        return max(1e-9, float(np.abs(mix).max()))
    found = float(np.abs(mix).max())
    for block in np.flatnonzero(blocks > 0.8 * blocks.max())[:200]:
        piece = mix[:, max(0, block * width - 60) : (block + 1) * width + 60]
        found = max(found, float(np.abs(scipy.signal.resample_poly(piece, 4, 1, axis=1)).max()))
    return max(1e-9, found)


def loudness(mix: np.ndarray) -> float:
    """Integrated loudness of [2, N] in LUFS (ITU-R BS.1770); of silence, -70."""
    from pyloudnorm import Meter

    if mix.shape[1] < SAMPLE_RATE:
        mix = np.tile(mix, (1, -(-SAMPLE_RATE // mix.shape[1])))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = float(Meter(SAMPLE_RATE).integrated_loudness(mix.T.astype(np.float64)))
    return max(found, -70.0) if np.isfinite(found) else -70.0
