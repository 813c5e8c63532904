"""Trains the finisher of a codec: clear tones and stereo from the same tokens (`d2m_core.codec.finish`).

    python -m training.tune_finisher --codec weights/codec_3 --data SHARDS --out runs/finisher.safetensors

The codec itself stays as it is: its decoder's sound is made once and kept in `--run`. The music is that of
studio shards, in stereo. A stopped run goes on from its folder with the same command.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from d2m_core.codec import Codec, load_codec
from d2m_core.codec.finish import Finisher, finished, save_finisher
from d2m_core.errors import SettingError
from d2m_core.media.resampling import resampled
from training.codec.band_music import FULL_SCALE
from training.codec.figures import spectral_figures
from training.codec.finisher_tuner import FinisherTuner, FinishTraining, Piece
from training.codec.music import stereo_pieces
from training.codec.settings import SAMPLE_RATE
from training.codec.straight_music import StraightMusic, held_out_straight
from training.codec.tones import tone_contrast_db
from training.run.command import GOES_ON, command_parser, run_command
from training.run.flags import add_flags, config_from
from training.run.kept import kept, recipe
from training.run.provenance import tensors_sha256
from training.run.state import digest_of

log = logging.getLogger("tune_finisher")
STATE = "state.pt"
"""The resumable state in the folder of a run."""

SAVE_S = 300.0
"""Seconds between saved states with a measurement."""


def tune(config: FinishTraining) -> dict[str, Any]:
    """Runs until the time is spent and writes the finisher; returns held-out figures before and after."""
    codec = load_codec(config.codec, bandwidth=None)
    pieces, music = open_pieces(config, codec)
    tuner, state = FinisherTuner(config, codec, music), config.run / STATE
    if config.resume and tuner.restore(state):
        log.info("going on at step %d, %.1f minutes in", tuner.step, tuner.spent_s / 60)
    rate = SAMPLE_RATE * config.up
    heard = held_out_straight(config.run, sample_rate=rate)
    before = figures(tuner.codec, None, heard, config.books, rate)
    log.info("the decoder alone %s", json.dumps(before))
    try:
        _run(tuner, pieces, lambda: figures(tuner.codec, tuner.averaged(), heard, config.books, rate))
    except KeyboardInterrupt:
        tuner.save(state)
        raise
    tuner.save(state)
    net = tuner.averaged()
    after = figures(tuner.codec, net, heard, config.books, rate)
    info = {"steps": tuner.step, "minutes": round(tuner.spent_s / 60, 1), "before": before, "after": after}
    save_finisher(config.out, net, codec.spec, info)
    log.info("held out after %s", json.dumps(after))
    return info


def _run(tuner: FinisherTuner, pieces: list[Piece], measure: Callable[[], dict[str, Any]]) -> None:
    """Steps until the time is spent, or this call's share of it."""
    config = tuner.config
    stop_s = tuner.spent_s + 60 * config.stop_after if config.stop_after else math.inf
    saved_s, told = tuner.spent_s, []
    while tuner.progress < 1 and tuner.spent_s < stop_s:
        with tuner.on_the_clock():
            told.append(tuner.train_step(*tuner.draw(pieces)))
        if tuner.step % 100 == 0:
            means = {name: round(float(np.mean([each[name] for each in told])), 4) for name in told[0]}
            _note(config.run, {"step": tuner.step, "s": round(tuner.spent_s), **means})
            told = []
        if tuner.spent_s - saved_s > SAVE_S:
            saved_s = tuner.spent_s
            tuner.save(config.run / STATE)
            _note(config.run, {"step": tuner.step, "name": "held out", **measure()})


def _note(run: Path, row: dict[str, Any]) -> None:
    """A line of the log, in the folder of the run too."""
    text = json.dumps(row)
    log.info(text)
    with (run / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write(text + "\n")


def open_pieces(config: FinishTraining, codec: Codec) -> tuple[list[Piece], str]:
    """All music with its codes and how the decoder puts them; what it is known by. Raises `SettingError`."""
    music: dict[str, np.ndarray] = {}
    for folder in config.data:
        music |= stereo_pieces(folder, config.data_minutes, config.run / "music", SAMPLE_RATE * config.up)
    if not music:
        raise SettingError("There is no music to learn from; give data.")
    weights = tensors_sha256(codec.model.state_dict())
    pieces = [_piece(config, codec, weights, name, song) for name, song in music.items()]
    return pieces, digest_of(music.values())


def _piece(config: FinishTraining, codec: Codec, weights: str, name: str, song: np.ndarray) -> Piece:
    def make(path: Path) -> None:
        stereo = torch.from_numpy(song.astype(np.float32) / FULL_SCALE)
        codes, decoded = said(codec, _at_24k(stereo, SAMPLE_RATE * config.up), config.books)
        whole = np.round(np.clip(decoded.numpy(), -1, 1) * FULL_SCALE).astype(np.int16)
        np.savez(path, codes=codes.numpy().astype(np.int16), decoded=whole)

    def read(path: Path) -> Piece:
        with np.load(path) as found:
            return Piece(torch.from_numpy(found["codes"]).long(), found["decoded"], song)

    made_of = recipe(said, codec=weights, books=config.books, song=song)
    return kept(config.run / "said", f"{name}.npz", made_of, make, read)


@torch.no_grad()
def said(codec: Codec, stereo: torch.Tensor, books: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Codes [K, T] of the middle of a piece [2, N], and the decoder's sound of them [T * hop]."""
    device = next(codec.parameters()).device
    steps = stereo.shape[-1] // codec.hop
    middle = stereo.mean(0)[None, None, : steps * codec.hop].to(device)
    codes = codec.model.quantizer.encode(codec.model.encoder(middle))[:books]
    sound = codec.model.decoder(codec.model.quantizer.decode(codes))
    return codes[:, 0].cpu(), sound[0, 0, : steps * codec.hop].cpu()


def _at_24k(sound: torch.Tensor, sample_rate: int) -> torch.Tensor:
    """Sound [..., N] at the codec's rate."""
    return resampled(sound, sample_rate, SAMPLE_RATE)


@torch.no_grad()
def figures(
    codec: Codec, net: Finisher | None, heard: StraightMusic, books: int, sample_rate: int = SAMPLE_RATE
) -> dict[str, Any]:
    """Distances of both channels, how far tones stand out, and the level of the sides in dB, with a finisher
    or, without, of the decoder's sound on both sides.

    Music of a higher rate is measured at the codec's, so that figures compare, and above it by its level.
    """
    device = next(codec.parameters()).device
    fakes, reals = [], []
    for stereo in heard.audio:
        codes, sound = said(codec, _at_24k(stereo, sample_rate), books)
        fake = resampled(sound.expand(2, -1), SAMPLE_RATE, sample_rate)
        if net is not None:
            latent = codec.model.quantizer.decode(codes[:, None].to(device))
            fake = finished(net, latent, sound[None])[0]
        fakes.append(fake)
        reals.append(stereo[:, : fake.shape[-1]])
    fake, real = torch.stack(fakes), torch.stack(reals)
    air = {} if sample_rate == SAMPLE_RATE else {"air_db": _air_db(fake, real, sample_rate)}
    fake, real = (_at_24k(x, sample_rate) for x in (fake, real))
    both = [x.flatten(0, 1) for x in (fake, real)]
    tones = [round(tone_contrast_db(x, both[1], SAMPLE_RATE), 2) for x in both]
    sides = [(x[:, 0] - x[:, 1]).pow(2).mean().clamp_min(1e-12) for x in (fake, real)]
    width_db = round(10 * float((sides[0] / sides[1]).log10()), 1)
    distances = spectral_figures(both[1][:, None], both[0][:, None])
    return {**distances, "tones_db": tones, "width_db": width_db, **air}


def _air_db(fake: torch.Tensor, real: torch.Tensor, sample_rate: int) -> float:
    """Power above the codec's sound against the original's, in dB."""
    bins = torch.fft.rfftfreq(real.shape[-1], 1 / sample_rate) > SAMPLE_RATE / 2
    powers = [float(torch.fft.rfft(x)[..., bins].abs().square().sum()) + 1e-9 for x in (fake, real)]
    return round(10 * math.log10(powers[0] / powers[1]), 1)


def parser() -> argparse.ArgumentParser:
    """The flags, which are the fields of `FinishTraining`."""
    found = command_parser("tune_finisher", __doc__)
    add_flags(found, FinishTraining)
    return found


def _work(words: list[str]) -> None:
    torch.set_flush_denormal(True)
    tune(config_from(FinishTraining, parser().parse_args(words)))


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    return run_command(_work, argv, GOES_ON)


if __name__ == "__main__":
    raise SystemExit(main())
