"""Pictures of how styles sound: log-mel spectrograms with the beats drawn over them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

MELS = 80
HOP = 480
RANGE_DB = 70.0
WIDTH, HEIGHT, LABEL = 760, 100, 16
PER_STYLE = 2


class Named(Protocol):
    style: str
    seed: int
    tempo_bpm: float


def log_mel(mono: np.ndarray, rate: int) -> np.ndarray:
    """Log-mel spectrogram float32 [MELS, T], 0..1 over `RANGE_DB` below its peak."""
    import librosa

    power = librosa.feature.melspectrogram(
        y=mono, sr=rate, n_fft=1024, hop_length=HOP, n_mels=MELS, fmin=30, fmax=rate / 2
    )
    level = 10 * np.log10(np.maximum(power, 1e-10))
    return np.clip((level - level.max()) / RANGE_DB + 1, 0, 1).astype(np.float32)


def picture_styles(
    path: Path, pieces: Sequence[tuple[Named, np.ndarray, np.ndarray]], seconds: float
) -> None:
    """A JPEG of the first two pieces (facts, log-mel, beats) of every style, two to a row."""
    by_style: dict[str, list[np.ndarray]] = {}
    for facts, mel, beats_s in pieces:
        row = by_style.setdefault(facts.style, [])
        if len(row) < PER_STYLE:
            row.append(_panel(facts, mel, beats_s, seconds))
    blank = np.full((HEIGHT + LABEL, WIDTH, 3), 255, np.uint8)
    rows = [np.hstack((row + [blank] * PER_STYLE)[:PER_STYLE]) for row in by_style.values()]
    found, coded = cv2.imencode(".jpg", np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 66])
    assert found
    path.write_bytes(coded.tobytes())


def _panel(facts: Named, mel: np.ndarray, beats_s: np.ndarray, seconds: float) -> np.ndarray:
    grey = (255 * mel[::-1]).astype(np.uint8)
    picture = cv2.applyColorMap(cv2.resize(grey, (WIDTH, HEIGHT)), cv2.COLORMAP_INFERNO)
    for beat_s in beats_s:
        x = round(beat_s / seconds * WIDTH)
        cv2.line(picture, (x, 0), (x, 7), (255, 255, 255), 1)
        cv2.line(picture, (x, HEIGHT - 5), (x, HEIGHT), (255, 255, 255), 1)
    label = np.full((LABEL, WIDTH, 3), 255, np.uint8)
    text = f"{facts.style}, {facts.tempo_bpm:.0f} bpm, seed {facts.seed}"
    cv2.putText(label, text, (4, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
    return np.vstack([label, picture])
