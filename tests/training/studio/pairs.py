"""Pairs made up for tests of shards: nothing is played or danced."""

from __future__ import annotations

import numpy as np
import torch

from d2m_core.types import PoseSequence, Waveform
from training.pairs.pair import Facts, Pair

SECONDS = 2.0
RATE = 24_000


def made_up(name: str, seed: int = 0, style: str = "house", people: int = 1) -> Pair:
    """A pair with all parts, their content chance; beats every half second."""
    rng = np.random.default_rng(seed)
    frames = round(SECONDS * 25)
    noise = rng.normal(0, 0.1, (1, 2, round(SECONDS * RATE))).astype(np.float32)
    beats = tuple((np.arange(4) / 2).tolist())
    return Pair(
        name,
        Facts(
            SECONDS,
            style,
            120.0,
            4,
            0.0,
            0.25,
            beats,
            (True, False, False, False),
            "A minor",
            ((0.0, 2.0, "Am"),),
            ((-2.0, 1.0, "build", 0.5), (1.0, 5.0, "drop", 0.9)),
            ((1.0, 1.0),),
            ((0.5, 1.0),),
            {"kick": 3},
            people,
            (((0.0, "sway"),),) * people,
            "full",
            ("handheld",),
            (),
            16 / 9,
            0.35,
            seed,
            ("synth",),
            "a test",
        ),
        Waveform(torch.from_numpy(noise), RATE),
        _poses(frames, people, rng),
        _poses(frames, people, rng),
        rng.normal(0, 1, (frames, people, 33, 3)).astype(np.float32),
        np.array([[0.5, 1.0, 0.0], [1.0, 0.5, 0.0]], np.float32),
        rng.random((frames, people)).astype(np.float32),
        rng.random((frames, 2)).astype(np.float32),
        {"kick": rng.random((3, 2)).astype(np.float32)},
    )


def _poses(frames: int, people: int, rng: np.random.Generator) -> PoseSequence:
    body = rng.normal(0, 0.1, (1, people, 33, 3)) + rng.normal(0, 0.02, (frames, people, 33, 3))
    body[..., 11:13, 1] -= 0.5
    body[..., 25:, 1] += 0.8
    image = body[..., :2] * 0.4 + np.array([0.8, 0.5])
    present = np.ones((frames, people), bool)
    present[3] = False
    return PoseSequence(
        body.astype(np.float32),
        image.astype(np.float32),
        rng.uniform(0.5, 1.0, (frames, people, 33)).astype(np.float32),
        present,
    )
