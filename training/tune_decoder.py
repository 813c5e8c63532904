"""Trains the codec's decoder further; encoder and codebooks stay, so that old tokens stay valid.

    python -m training.tune_decoder --codec weights/codec_2 --out runs/codec/tuned --minutes 30

Without an encoder to run, a step costs about half, and spectra lead: the decoder learns what its
tokens sound like rather than how their wave goes. With `--judge-weight` judges tell its sound from
real sound, so that what tokens leave open does not become an even noise; with `--memory` the
decoder's LSTM, where a codec was trained without, starts to remember what came before; with
`--hum-weight` and `--line-weight` it unlearns tones that it adds to every token. `--data` names
folders of studio shards to learn from. A stopped run goes on from its folder (`--run`) with the same
command; `--no-resume` begins anew.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from d2m_core.errors import SettingError
from training.codec.band_music import held_out, open_pool
from training.codec.coded import draw, encode_pool
from training.codec.decoder_tuner import WARM_STEPS, DecoderTuner, TuningConfig
from training.codec.figures import measure
from training.codec.music import shard_pieces
from training.codec.network import export
from training.run.command import GOES_ON, command_parser, run_command
from training.run.flags import add_flags, config_from
from training.run.state import digest_of

log = logging.getLogger("tune_decoder")
SAVE_S = 300.0
"""Seconds between saved states with a measurement."""


def open_music(config: TuningConfig) -> dict[str, np.ndarray]:
    """Pieces int16 [N] by name, as memory maps. Raises `SettingError` where there are none."""
    pool = open_pool(config.pool, config.pool_minutes) if config.pool_minutes > 0 else []
    pieces = {f"song_{number:04d}": piece for number, piece in enumerate(pool)}
    for folder in config.data:
        pieces |= shard_pieces(folder, config.data_minutes, config.pool)
    if not pieces:
        raise SettingError("There is no music to learn from; give pool_minutes or data.")
    return pieces


def tune(config: TuningConfig) -> dict[str, Any]:
    """Runs until the time is spent and exports; returns held-out figures before and after."""
    music = open_music(config)
    tuner, state = DecoderTuner(config, digest_of(music.values())), config.run / "state.pt"
    if config.resume and tuner.restore(state):
        log.info("going on at step %d, %.1f minutes in", tuner.step, tuner.spent_s / 60)
    codes, pool = encode_pool(tuner.model, music, config.run), list(music.values())
    audio = held_out(config.held_out_s).to(tuner.device)
    before = measure(tuner.averaged(), audio)
    log.info("held out before %s", json.dumps(before))
    saved_s = tuner.spent_s
    mels: list[float] = []
    while tuner.progress < 1:
        with tuner.on_the_clock():
            batch = draw(pool, codes, config.batch, config.steps + WARM_STEPS, tuner.hop, tuner.rng)
            mels.append(tuner.train_step(*batch))
        if tuner.step % 100 == 0:
            log.info("step %d, %.0f s: mel %.4f", tuner.step, tuner.spent_s, np.mean(mels))
            mels = []
        if tuner.spent_s - saved_s > SAVE_S:
            saved_s = tuner.spent_s
            tuner.save(state)
            log.info("held out %s", json.dumps(measure(tuner.averaged(), audio)))
    tuner.save(state)
    model = tuner.averaged()
    after = measure(model, audio)
    export(model, config.out)
    log.info("held out after %s", json.dumps(after))
    return {"before": before, "after": after, "steps": tuner.step}


def parser() -> argparse.ArgumentParser:
    """The flags, which are the fields of `TuningConfig`."""
    found = command_parser("tune_decoder", __doc__)
    add_flags(found, TuningConfig)
    return found


def _work(words: list[str]) -> None:
    config = config_from(TuningConfig, parser().parse_args(words))
    torch.set_flush_denormal(True)
    tune(config)


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    return run_command(_work, argv, GOES_ON)


if __name__ == "__main__":
    raise SystemExit(main())
