"""The drum kit of a piece of music: ready sounds from soundfont, sample or synth."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import scipy

from ..media import load_audio
from .drum_synth import DRUM_SYNTHS, kick
from .materials import Materials, allowed
from .patches import Played
from .soundfont import DRUM_BANK, FontPart, library, render_font
from .synth import SAMPLE_RATE

GM_KEYS = {
    "kick": 36, "snare": 38, "clap": 39, "snap": 37, "hat": 42, "open": 46, "pedal": 44,
    "ride": 51, "bell": 53, "crash": 49, "splash": 55, "tom_hi": 50, "tom_mid": 47, "tom_lo": 43,
    "conga_hi": 63, "conga_lo": 64, "conga_slap": 62, "bongo_hi": 60, "bongo_lo": 61,
    "timbale_hi": 65, "timbale_lo": 66, "agogo_hi": 67, "agogo_lo": 68, "rim": 37, "clave": 75,
    "block": 76, "cowbell": 56, "triangle": 81, "shaker": 70, "tambourine": 54, "guiro": 73,
}  # fmt: skip
"""General MIDI's percussion keys."""

ONE_SHOTS: dict[str, tuple[str, ...]] = {
    "kick": (
        *"bd_ada bd_fat bd_gas bd_haus bd_klub bd_pure bd_sone bd_tek".split(),
        *"bd_zome bd_zum bd_boom bd_808 bd_mehackit drum_heavy_kick elec_hollow_kick elec_soft_kick".split(),
    ),
    "snare": (
        *"sn_dolf sn_dub sn_generic sn_zome elec_snare".split(),
        *"elec_hi_snare elec_mid_snare elec_lo_snare elec_filt_snare drum_snare_hard".split(),
    ),
    "snap": ("perc_snap", "perc_snap2"),
    "hat": (
        *"hat_bdu hat_cab hat_cats hat_gem hat_hier hat_mess hat_raw hat_sci".split(),
        *"hat_snap hat_star hat_yosh hat_zan hat_zap hat_zild drum_cymbal_closed".split(),
    ),
    "open": ("drum_cymbal_open", "hat_gump", "hat_cats", "elec_cymbal"),
    "pedal": ("drum_cymbal_pedal",),
    "ride": ("ride_tri", "ride_via"),
    "crash": ("drum_cymbal_hard", "drum_splash_hard"),
    "splash": ("drum_splash_hard", "drum_splash_soft"),
    "tom_hi": ("drum_tom_hi_hard", "elec_fuzz_tom"),
    "tom_mid": ("drum_tom_mid_hard", "elec_bong"),
    "tom_lo": ("drum_tom_lo_hard", "elec_blup"),
    "cowbell": ("drum_cowbell",),
    "triangle": ("elec_triangle",),
    "rim": ("elec_tick", "elec_pop", "elec_blip", "elec_wood", "tabla_ke1"),
    "block": ("elec_wood", "elec_ping", "elec_blip2", "tabla_te1", "elec_flip"),
    "conga_hi": ("tabla_tun1", "tabla_tun3"),
    "conga_lo": ("tabla_ghe4", "tabla_ghe8"),
    "conga_slap": ("tabla_na_s", "tabla_na"),
    "bongo_hi": ("tabla_tas3", "tabla_na"),
    "bongo_lo": ("tabla_tun2", "tabla_ghe8"),
}

ACOUSTIC_ONE_SHOTS: dict[str, tuple[str, ...]] = {
    "kick": ("bd_jazz", "drum_bass_hard", "drum_bass_soft"),
    "snare": ("drum_snare_hard", "sn_generic"),
    "hat": ("drum_cymbal_closed",),
    "open": ("drum_cymbal_open",),
    "pedal": ("drum_cymbal_pedal",),
    "ride": ("ride_tri", "ride_via"),
    "crash": ("drum_cymbal_hard", "drum_splash_hard"),
    "tom_hi": ("drum_tom_hi_hard",),
    "tom_mid": ("drum_tom_mid_hard",),
    "tom_lo": ("drum_tom_lo_hard",),
    "cowbell": ("drum_cowbell",),
}

KITS = {"acoustic": (0, 8, 16), "jazz": (32, 40, 0), "electronic": (25, 24, 16)}
"""Programs of the percussion bank by the character of a kit."""

LENGTH_S = {"crash": 2.2, "ride": 1.4, "open": 0.7, "splash": 1.2, "bell": 0.9, "triangle": 0.8}
USUAL_LENGTH_S = 0.6
LAYERS = (0.45, 0.8, 1.0)
"""Velocities at which a soundfont's pieces are recorded."""
LOUDNESS = 0.25
"""RMS of the loudest 40 ms of a piece at full velocity."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kit:
    """The sounds of every piece by velocity, soft to hard, and where they came from."""

    pieces: dict[str, tuple[np.ndarray, ...]]
    sources: dict[str, str]

    def sound(self, piece: str, velocity: float) -> np.ndarray:
        """The layer for a velocity, at the level of that velocity."""
        layers = self.pieces[piece]
        index = int(np.searchsorted(LAYERS[:-1], velocity)) if len(layers) > 1 else 0
        return layers[min(index, len(layers) - 1)] * np.float32(velocity**1.4)


def make_kit(
    names: tuple[str, ...],
    character: str,
    materials: Materials,
    rng: np.random.Generator,
    rate: int = SAMPLE_RATE,
    font_player: FontKit | None = None,
) -> Kit:
    """A kit of the pieces `names`; character is one of `KITS`.

    `font_player` strikes every piece of a soundfont's kit at `rate`; None: FluidSynth at the studio's.
    """
    font = _font(materials, rng, font_player is not None)
    font_kit = font_player or fluid_kit
    program = KITS[character][int(rng.integers(len(KITS[character])))]
    shots = ONE_SHOTS if character == "electronic" else ACOUSTIC_ONE_SHOTS
    chances = {"electronic": (0.25, 0.55), "acoustic": (0.8, 0.17), "jazz": (0.85, 0.15)}[character]
    seed = int(rng.integers(1 << 31))
    pieces, sources = {}, {}
    for name in sorted(names):
        family = name.split("_")[0]
        draw = np.random.default_rng([seed, *family.encode()])
        first, tune = draw.random(), 2 ** (draw.uniform(-1.5, 1.5) / 12)
        found = _one_shots(materials, shots.get(name, ()))
        if font is not None and first < chances[0]:
            layers = font_kit(font, program)[name]
            sources[name] = font.name
        elif found and (first < sum(chances) or font is None):
            shot = found[int(draw.integers(len(found)))]
            layers = _softened(_tuned(one_shot(materials.samples / shot, rate), tune), rate)  # type: ignore[operator]
            sources[name] = f"samples/{shot}"
        elif character != "electronic" and font is not None:
            layers, sources[name] = font_kit(font, program)[name], font.name
        else:
            long = draw.uniform(1.0, 1.5) if name == "kick" else 1.0
            sound = kick(draw, rate, long) if name == "kick" else DRUM_SYNTHS[name](draw, rate)
            layers, sources[name] = _softened(_level(sound, rate), rate), "synth"
        pieces[name] = layers
    return Kit(pieces, sources)


def _font(materials: Materials, rng: np.random.Generator, playable: bool) -> Path | None:
    draw = int(rng.integers(1 << 16))
    if not materials.soundfonts or not (playable or library() is not None):
        return None
    return materials.soundfonts[draw % len(materials.soundfonts)]


@lru_cache(maxsize=64)
def _files(folder: Path) -> tuple[str, ...]:
    names = sorted(p.name for p in folder.iterdir() if p.suffix in (".flac", ".wav"))
    if not names:
        _log.warning("No FLAC or WAV in %s: the band plays without samples.", folder)
    return tuple(names)


def _one_shots(materials: Materials, stems: tuple[str, ...]) -> tuple[str, ...]:
    """Files of these names that are there and may be played."""
    if materials.samples is None or not stems:
        return ()
    files = tuple(f for f in _files(materials.samples) if f.rsplit(".", 1)[0] in stems)
    return allowed(files, materials.held_out)


@lru_cache(maxsize=256)
def one_shot(path: Path, rate: int = SAMPLE_RATE) -> np.ndarray:
    """A sample, mono, from its onset on, at the common loudness."""
    sound = load_audio(path, rate, mono=True).samples[0, 0].numpy()
    loud = np.abs(sound) > 0.06 * np.abs(sound).max()
    return _level(sound[max(0, int(np.argmax(loud)) - rate // 2000) :][: int(2.2 * rate)], rate)


FontKit = Callable[[Path, int], Mapping[str, tuple[np.ndarray, ...]]]
"""`play(font, program)`: every piece of a soundfont's kit, struck softly to hard."""


def kit_notes(rate: int, pieces: tuple[str, ...] = tuple(GM_KEYS)) -> tuple[list[Played], int]:
    """Every piece struck softly to hard, one after the other, and the samples of each."""
    slot = int(2.4 * rate)
    notes = [
        Played((3 * k + layer) * slot, slot // 2, GM_KEYS[name], velocity)
        for k, name in enumerate(pieces)
        for layer, velocity in enumerate(LAYERS)
    ]
    return notes, slot


@lru_cache(maxsize=24)
def fluid_kit(font: Path, program: int) -> dict[str, tuple[np.ndarray, ...]]:
    """Every piece of a soundfont's kit, struck softly to hard."""
    notes, slot = kit_notes(SAMPLE_RATE)
    sound = render_font(font, [FontPart(DRUM_BANK, program, tuple(notes))], len(notes) * slot)[0]
    return struck_apart(sound, slot, SAMPLE_RATE)


def struck_apart(
    sound: np.ndarray, slot: int, rate: int, pieces: tuple[str, ...] = tuple(GM_KEYS)
) -> dict[str, tuple[np.ndarray, ...]]:
    """The pieces of `kit_notes`, each from its onset on and at the common loudness."""
    struck: dict[str, tuple[np.ndarray, ...]] = {}
    for k, name in enumerate(pieces):
        layers = [sound[(3 * k + n) * slot : (3 * k + n + 1) * slot] for n in range(3)]
        layers = [_from_onset(x, rate)[: round(LENGTH_S.get(name, USUAL_LENGTH_S) * rate)] for x in layers]
        struck[name] = tuple(_level(x, rate) for x in layers)
    return struck


def _from_onset(sound: np.ndarray, rate: int) -> np.ndarray:
    peak = np.abs(sound).max()
    start = int(np.argmax(np.abs(sound) > 0.06 * peak)) if peak > 0 else 0
    return sound[max(0, start - rate // 2000) :]


def _level(sound: np.ndarray, rate: int = SAMPLE_RATE) -> np.ndarray:
    """Common loudness, no offset, ends in silence."""
    sound = np.asarray(sound, np.float32).copy()
    width = int(0.04 * rate)
    power = np.convolve(sound.astype(np.float64) ** 2, np.ones(width) / width)[: len(sound) + 1]
    tail = min(len(sound), rate // 50)
    sound[-tail:] *= np.linspace(1, 0, tail, dtype=np.float32)
    return sound * np.float32(LOUDNESS / (np.sqrt(power.max()) + 1e-6))


def _tuned(sound: np.ndarray, ratio: float) -> np.ndarray:
    at = np.arange(int(len(sound) / ratio)) * ratio
    return np.interp(at, np.arange(len(sound)), sound).astype(np.float32)


def _softened(sound: np.ndarray, rate: int = SAMPLE_RATE) -> tuple[np.ndarray, ...]:
    """A duller layer for soft strokes."""
    soft = scipy.signal.sosfilt(scipy.signal.butter(1, 3_500 / (rate / 2), output="sos"), sound).astype(
        np.float32
    )
    return (0.6 * soft + 0.4 * sound, 0.25 * soft + 0.75 * sound, sound)
