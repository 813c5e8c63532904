"""A runner of `same_tokens`: what some settings write to steady beats, and how long that takes."""

from __future__ import annotations

import json
import sys
import time
import zlib

import numpy as np
import torch
from side_by_side import answer_each_line

from d2m_core.grid import steady_beats
from d2m_core.music import SamplingConfig, generate_tokens, load_model
from d2m_core.types import MOTION_FPS, Rhythm
from d2m_core.weights import default_weights

TEMPO_BPM = 117.0
CASES = {
    "12 s": (12.0, SamplingConfig(seed=1)),
    "6 s, style": (6.0, SamplingConfig(seed=2, style="house")),
    "5 s, no guidance, top k": (5.0, SamplingConfig(seed=3, guidance=1.0, top_k=50)),
    "5 s, top p": (5.0, SamplingConfig(seed=4, top_p=0.8, temperature=0.9)),
    "4 s, likeliest": (4.0, SamplingConfig(seed=5, temperature=0.0)),
    "5 s, style alone": (5.0, SamplingConfig(seed=6, guidance=1.0, style="funk")),
}


def steady(seconds: float) -> Rhythm:
    beats_s = steady_beats(TEMPO_BPM, seconds)
    curves = np.random.default_rng(1).random((round(seconds * MOTION_FPS), 2), np.float32)
    return Rhythm(beats_s, np.arange(len(beats_s)) % 4 == 0, curves, TEMPO_BPM)


def main() -> None:
    path = json.loads(sys.argv[1])["model"]
    model = load_model(path or default_weights("model"))
    torch.set_num_threads(1)

    def once() -> dict[str, float]:
        answer: dict[str, float] = {}
        for name, (seconds, config) in CASES.items():
            start = time.process_time()
            codes = generate_tokens(model, None, steady(seconds), model.spec, config).codes
            answer[f"{name}: CPU s"] = time.process_time() - start
            answer[f"{name}: tokens"] = zlib.crc32(codes.numpy().tobytes())
        return answer

    answer_each_line(once)


if __name__ == "__main__":
    main()
