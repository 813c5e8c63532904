"""Music of a training so far, for TensorBoard: sound, spectrum and a few scores."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch

from d2m_core.codec import CODECS, Codec, load_codec
from d2m_core.music import LoadedModel, SamplingConfig, decode_music, generate_tokens
from d2m_core.pictures import rhythm_picture
from d2m_core.rhythm import rhythm_from_audio
from d2m_core.scores import meeting_of
from d2m_core.types import MOTION_FPS, MotionFeatures, Rhythm, Waveform
from training.judges.sound import longest_loop_s, silent_share

from .adapters import merged
from .items import TrainItem
from .trainer import Trainer

PIECES = 2
"""Held-out items that music is written for, from their start."""

SAMPLE_S = 10.0

log = logging.getLogger("train")


class Listener:
    """Writes music for the first held-out items as the training goes on."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        items = trainer.data.held_out or trainer.data.train
        self.items = items[:PIECES]
        name = trainer.config.codec or trainer.data.codec.name
        self.codec: Codec | None = None
        if name in CODECS or Path(name).is_dir():
            self.codec = load_codec(name)
        else:
            log.warning("codec %s is not here, so samples stay tokens; give --codec", name)

    @torch.no_grad()
    def listen(self, board: Any) -> dict[str, float]:
        """Writes a piece for each item and hands it to TensorBoard; returns the mean scores."""
        trainer = self.trainer
        net = merged(trainer.averaged_net())
        model = LoadedModel(net, trainer.data.codec, trainer.data.motion_names, {})
        scores = [self._piece(model, i, item, board) for i, item in enumerate(self.items)]
        means = {n: float(np.mean([score[n] for score in scores])) for n in scores[0]}
        shown = ", ".join(f"{name} {value:.3f}" for name, value in means.items())
        log.info("step %d, samples: %s", trainer.step, shown)
        if board is not None:
            for name, value in means.items():
                board.add_scalar(f"scoreboard/{name}", value, trainer.step)
        return means

    def _piece(self, model: LoadedModel, number: int, item: TrainItem, board: Any) -> dict[str, float]:
        motion, rhythm = _asked(item, min(SAMPLE_S, item.duration_s))
        config = SamplingConfig(seed=number, style=item.style or None)
        tokens = generate_tokens(model, motion, rhythm, model.spec, config)
        scores = {"longest loop s": longest_loop_s(tokens.codes[0], model.spec.token_rate)}
        if self.codec is None:
            return scores
        wave = decode_music(self.codec, tokens, rhythm.duration_s)
        met = meeting_of(rhythm.beats_s, rhythm_from_audio(wave).beats_s)
        if board is not None:
            _show(board, f"sample {number} {item.style}", wave, rhythm, self.trainer.step)
        return {**scores, "rhythm F": met.f, "rhythm AMLt": met.amlt, "silent share": silent_share(wave)}


def _asked(item: TrainItem, seconds: float) -> tuple[MotionFeatures | None, Rhythm]:
    """Motion and rhythm of an item's first seconds."""
    frames = round(seconds * MOTION_FPS)
    inside = item.beats_s < seconds
    curves = item.curves[:frames].astype(np.float32)
    rhythm = Rhythm(item.beats_s[inside], item.downbeats[inside], curves, item.tempo_bpm)
    if item.motion is None:
        return None, rhythm
    return MotionFeatures(item.motion[:frames].astype(np.float32), item.motion_names), rhythm


def _show(board: Any, name: str, wave: Waveform, rhythm: Rhythm, step: int) -> None:
    board.add_audio(name, wave.samples[0], step, wave.sample_rate)
    picture = rhythm_picture(rhythm, wave, title=name, width=1000, height=500)
    board.add_image(name, picture, step, dataformats="HWC")
