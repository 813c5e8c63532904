"""A runner of `sampling`: one stretch of music by our sampler or by transformers' `generate`."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from side_by_side import answer_each_line

from d2m_core.music import DanceToMusic, LoadedModel, ModelConfig, SamplingConfig, generate_tokens, sampling
from d2m_core.music.windows import Window, guidance_sides, stack, window_conditions
from d2m_core.straight import StepGrid
from d2m_core.types import CodecSpec, Rhythm

RATE, CARDINALITY = 50.0, 1024
SHAPES = {
    "4M": {"dim": 192, "heads": 4, "layers": 4, "ffn": 512, "books": 4},
    "4M straight": {"dim": 192, "heads": 4, "layers": 4, "ffn": 512, "books": 4},
    "8M": {"dim": 256, "heads": 4, "layers": 5, "ffn": 512, "books": 8},
    "38M": {"dim": 512, "heads": 8, "layers": 8, "ffn": 2048, "books": 4},
    "411M": {"dim": 1024, "heads": 16, "layers": 24, "ffn": 4096, "books": 4},
}
"""The shipped model's shape, the same in straight time, and MusicGen-like decoders of growing size."""


PLACE = 96
"""Width in which places are told, as in `training.train --straight --place 96 --copies`."""
_BEATS_S = 0.5 * np.arange(20)
STEADY = Rhythm(_BEATS_S, np.arange(20) % 4 == 0, np.zeros((250, 2), np.float32), 120.0)
"""What a model that writes in straight time is told; others get nothing."""


def ours(size: str, batch: int, guidance: float, seconds: float) -> Callable[[], int]:
    """Music without a dance, so that no network but the transformer is needed."""
    shape, straight = SHAPES[size], size.endswith("straight")
    config = ModelConfig(
        features=82,
        codebooks=shape["books"],
        cardinality=CARDINALITY,
        dim=shape["dim"],
        heads=shape["heads"],
        encoder_layers=2,
        decoder_layers=shape["layers"],
        ffn=shape["ffn"],
        straight=straight,
        place=PLACE if straight else 0,
        copies=straight,
    )
    torch.manual_seed(0)
    net = DanceToMusic(config).eval()
    with torch.no_grad():
        for tensor in net.parameters():
            tensor.copy_(tensor.half())  # as weight files hold them
    spec = CodecSpec("speed", 24_000, RATE, shape["books"], CARDINALITY)
    loaded = LoadedModel(net, spec, (), {})
    settings = SamplingConfig(guidance=guidance, candidates=batch)
    steps = spec.steps(seconds) + shape["books"] - 1

    beats = STEADY if straight else None

    def run() -> int:
        if batch == 1:
            generate_tokens(loaded, None, beats, spec, settings, duration_s=seconds)
        else:
            write_batch(loaded, settings, seconds, beats)
        return steps

    return run


def write_batch(loaded: LoadedModel, settings: SamplingConfig, seconds: float, beats: Rhythm | None) -> None:
    """Several pieces at once through the window writer, for the sampler would listen to them."""
    net, spec = loaded.model, loaded.spec
    window = Window(0, spec.steps(seconds))
    grid = None if beats is None else StepGrid.of(beats.beats_s, beats.downbeats, RATE)
    given = window_conditions(None, beats, -1, net, spec, window, grid)
    given = stack(guidance_sides(given, settings))
    codes = torch.full((settings.candidates, spec.codebooks, window.steps), sampling.UNKNOWN)
    generator = torch.Generator().manual_seed(0)
    with torch.inference_mode(), sampling.few_threads(net):
        pen = sampling.Pen.of(net) if hasattr(sampling, "Pen") else net  # a commit of before has none
        look = sampling.look_back(net, codes[0], grid, window)
        sampling.write_window(pen, given, codes, look, settings, generator, lambda *_: None)


def theirs(size: str, batch: int, guidance: float, seconds: float) -> Callable[[], int]:
    """MusicGen of the same shape, conditioned on as long an encoder; its codec is as small as can be."""
    from transformers import (
        EncodecConfig,
        MusicgenConfig,
        MusicgenDecoderConfig,
        MusicgenForConditionalGeneration,
        T5Config,
    )
    from transformers.utils import logging

    logging.set_verbosity_error()
    shape = SHAPES[size]
    text = T5Config(vocab_size=64, d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    codec = EncodecConfig(
        num_filters=8, hidden_size=8, codebook_dim=8, num_lstm_layers=1, codebook_size=CARDINALITY,
        target_bandwidths=[50 * 10 * shape["books"] / 1000], upsampling_ratios=[8, 5, 4, 3],
    )  # fmt: skip
    decoder = MusicgenDecoderConfig(
        vocab_size=CARDINALITY,
        hidden_size=shape["dim"],
        num_hidden_layers=shape["layers"],
        num_attention_heads=shape["heads"],
        ffn_dim=shape["ffn"],
        num_codebooks=shape["books"],
        pad_token_id=CARDINALITY,
        bos_token_id=CARDINALITY,
    )
    config = MusicgenConfig(text_encoder=text, audio_encoder=codec, decoder=decoder)
    torch.manual_seed(0)
    model = MusicgenForConditionalGeneration(config).eval()
    steps = round(seconds * RATE) + shape["books"] - 1
    asked = torch.ones((batch, 2 + round(seconds * 25)), dtype=torch.long)

    def run() -> int:
        with torch.inference_mode():
            model.generate(
                input_ids=asked,
                do_sample=True,
                top_k=0,
                guidance_scale=guidance if guidance != 1 else None,
                max_new_tokens=steps,
                min_new_tokens=steps,
                pad_token_id=CARDINALITY,
                decoder_start_token_id=CARDINALITY,
            )
        return steps

    return run


def main() -> None:
    settings = json.loads(sys.argv[1])
    run = {"ours": ours, "theirs": theirs}[settings.pop("who")](**settings)

    def once() -> dict[str, float]:
        start, start_cpu = time.perf_counter(), time.process_time()
        steps = run()
        seconds, cpu = time.perf_counter() - start, time.process_time() - start_cpu
        return {"steps per s": steps / seconds, "steps per cpu s": steps / cpu}

    answer_each_line(once)


if __name__ == "__main__":
    main()
