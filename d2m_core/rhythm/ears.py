"""Who may count the beats of music: our own ear, and others by choice. One list, one interface."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from ..ear import EarCurves, default_ear, listen
from ..errors import ModelError, SettingError
from ..media import resample, to_mono
from ..types import Waveform
from .decoding import BeatGrid
from .heard import beats_of_ear
from .rises import beats_by_rises

OURS = "ours"
"""The ear that comes with the project."""
_BEAT_THIS_FILE, _BEAT_THIS_RATE = "beat_this-final0.ckpt", 22_050


@dataclass(frozen=True)
class Ear:
    """Somebody who counts beats."""

    about: str
    """Who that is, in a few words for those who choose."""
    hear: Callable[[Waveform, float | None], BeatGrid]
    """Beats and bars of a sound, at a known tempo in BPM if one is given."""
    needs: str = ""
    """The package that has to be installed for it; empty for none."""

    @property
    def installed(self) -> bool:
        return not self.needs or importlib.util.find_spec(self.needs) is not None


def ear_of(name: str) -> Ear:
    """One of `EARS`. Raises `SettingError` for another name, `ModelError` where it is not installed."""
    if name not in EARS:
        raise SettingError(f"There is no ear called {name!r}; choose {', '.join(EARS)}.")
    ear = EARS[name]
    if not ear.installed:
        raise ModelError(f"The ear {name!r} needs the package {ear.needs}; install it, or choose {OURS!r}.")
    return ear


def _ours(wave: Waveform, tempo_bpm: float | None) -> BeatGrid:
    return beats_of_ear(listen(wave, default_ear()), tempo_bpm)


def _beat_this(wave: Waveform, tempo_bpm: float | None) -> BeatGrid:
    """By the network of Foscarin et al., ISMIR 2024, at the same 50 frames a second, our search behind it."""
    from beat_this.inference import Audio2Frames

    mono = to_mono(resample(wave, _BEAT_THIS_RATE)).samples[0, 0].numpy()
    frames = Audio2Frames(str(_beat_this_weights()))
    beat, downbeat = (logits.sigmoid().numpy() for logits in frames(mono, _BEAT_THIS_RATE))
    return beats_of_ear(EarCurves(beat, downbeat, beat), tempo_bpm)


def _beat_this_weights() -> Path:
    """Where the user has put them: nothing is fetched unasked. Raises `ModelError`."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / _BEAT_THIS_FILE
    if not path.is_file():
        raise ModelError(
            f"The weights of beat_this are not at {path}; they are fetched by nobody unasked: get"
            f" {_BEAT_THIS_FILE} from its authors, put it there, or choose {OURS!r}."
        )
    return path


EARS: dict[str, Ear] = {
    OURS: Ear("our own network, which comes with the project", _ours),
    "beat_this": Ear("beat_this, where you have installed it and its weights", _beat_this, "beat_this"),
    "rises": Ear("without a network, by where the sound rises", beats_by_rises),
}
"""By name. Others, as madmom for measuring, are added where they are used (`training.judges.trackers`)."""
