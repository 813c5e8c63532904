"""The judge of styles: what it hears, its network, and its file. `training.train_style_judge` trains it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from d2m_core.checkpoint import read_checkpoint, write_checkpoint
from d2m_core.errors import ModelError
from d2m_core.media import resample, to_mono
from d2m_core.types import Waveform
from d2m_core.weights import default_weights

from .style_spectra import BANDS, HOP, RATE, Excerpt, Pulse, cut, log_mel

EMBEDDING = "d2m-style-32-3"
"""Name of the embedding: the last layer but one of this classifier, 32 numbers per 5 s."""

EMBEDDING_DIM = 32
_KIND = "style"
_MEAN, _COVARIANCE = "reference.mean", "reference.covariance"
_HIDDEN = 96

_GROUPS = 8
_FOLDS = ((1, 12), (4, 16), (3, 12))
"""Onsets of so many groups of bands are folded over so many beats, in so many bins: over a beat to
hear its subdivision and swing, and over bars of four and of three, whatever metre was asked for."""

FEATURES = 3 * BANDS + _GROUPS * sum(bins for _, bins in _FOLDS)


def features(heard: Excerpt) -> torch.Tensor:
    """What one hears in an excerpt: its sound, and its groove on the beats, [`FEATURES`].

    Mean, deviation and mean rise per beat of each band; rises folded over beats and bars.
    """
    mel = heard.mel
    rise = mel.diff(dim=0).clamp(min=0)
    groups = rise.unflatten(1, (_GROUPS, -1)).mean(2)  # [frames - 1, groups]
    groups = groups / (groups.mean(0) + 1e-4)
    beat = torch.from_numpy(heard.beat[1:])
    frames_per_beat = len(beat) / max(float(beat[-1] - beat[0]), 1e-3)
    parts = [mel.mean(0), mel.std(0), rise.mean(0) * frames_per_beat]
    for beats, bins in _FOLDS:
        at = (beat.remainder(beats) / beats * bins).long().clamp(max=bins - 1)
        total = torch.zeros(bins, _GROUPS).index_add_(0, at, groups)
        count = torch.bincount(at, minlength=bins).clamp(min=1)
        parts.append((total / count[:, None]).flatten())
    return torch.cat(parts)


class StyleNet(nn.Module):
    """Two layers over `features`: excerpts to embeddings [B, 32] and to logits [B, styles]."""

    def __init__(self, styles: int) -> None:
        super().__init__()
        self.mean = nn.Buffer(torch.zeros(FEATURES))
        self.std = nn.Buffer(torch.ones(FEATURES))
        self.enter = nn.Linear(FEATURES, _HIDDEN)
        self.embed = nn.Linear(_HIDDEN, EMBEDDING_DIM)
        self.head = nn.Linear(EMBEDDING_DIM, styles)

    def of_features(self, heard: torch.Tensor) -> torch.Tensor:
        """The embedding [B, 32] of features [B, `FEATURES`]."""
        x = ((heard - self.mean) / self.std).clamp(-5, 5)
        x = torch.relu(self.enter(F.dropout(x, 0.3, self.training)))
        return self.embed(F.dropout(x, 0.3, self.training))

    def embedding(self, heard: Sequence[Excerpt]) -> torch.Tensor:
        """What `EMBEDDING` names, [B, 32], of excerpts."""
        return self.of_features(torch.stack([features(each) for each in heard]))

    def forward(self, heard: Sequence[Excerpt]) -> torch.Tensor:
        return self.logits(self.embedding(heard))

    def logits(self, embedded: torch.Tensor) -> torch.Tensor:
        """Of embeddings."""
        return self.head(torch.relu(embedded))


@dataclass(frozen=True, eq=False)
class StyleJudge:
    """The classifier with its styles, how it came about, and the reference for distances."""

    net: StyleNet
    styles: tuple[str, ...]
    info: dict[str, Any]
    mean: np.ndarray
    """float64 [32]: of held-out studio music."""
    covariance: np.ndarray
    """float64 [32, 32]."""

    def embed(self, wave: Waveform, pulse: Pulse) -> np.ndarray:
        """Embeddings float64 [windows, 32] of a piece on its beats, one for every 2.5 s."""
        with torch.inference_mode():
            return self.net.embedding(_windows(wave, pulse)).double().numpy()

    def style_of(self, wave: Waveform, pulse: Pulse) -> str:
        """The likeliest style of a piece, from all its windows together."""
        with torch.inference_mode():
            chances = self.net(_windows(wave, pulse)).log_softmax(-1).mean(0)
        return self.styles[int(chances.argmax())]


def _windows(wave: Waveform, pulse: Pulse) -> list[Excerpt]:
    mel = log_mel(to_mono(resample(wave, RATE)).samples[0, 0])
    return cut(mel, pulse.beat_at(np.arange(len(mel)) * HOP / RATE))


# --- files ---


@dataclass(frozen=True)
class StyleConfig:
    """What the file says of the network."""

    styles: tuple[str, ...]


def save_judge(judge: StyleJudge, path: Path) -> Path:
    """Writes the classifier, matrices as float16; a file is there whole or not at all."""
    reference = {_MEAN: torch.from_numpy(judge.mean), _COVARIANCE: torch.from_numpy(judge.covariance)}
    tensors = judge.net.state_dict() | reference
    return write_checkpoint(path, _KIND, StyleConfig(judge.styles), tensors, judge.info)


def load_judge(path: Path | str | None = None) -> StyleJudge:
    """Reads what `save_judge` wrote, by default the project's own. Raises `ModelError`."""
    try:
        file = read_checkpoint(default_weights("style") if path is None else path, _KIND)
    except ModelError as error:
        raise ModelError(f"{error} `python -m training.train_style_judge` makes one.") from error
    mean, covariance = (file.tensors.pop(name).double().numpy() for name in (_MEAN, _COVARIANCE))
    styles = file.config(StyleConfig).styles
    return StyleJudge(file.fill(StyleNet(len(styles))), styles, file.info, mean, covariance)
