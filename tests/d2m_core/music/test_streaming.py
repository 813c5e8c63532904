"""Music that is heard while it is written is the music that was written."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from d2m_core.align.bend import plan_bend
from d2m_core.codec import Codec
from d2m_core.codec.encodec import spec_of
from d2m_core.codec.finish import FinishConfig, Finisher
from d2m_core.errors import MediaError, ModelError, SettingError
from d2m_core.grid import steady_beats
from d2m_core.media import load_audio
from d2m_core.music import (
    DanceToMusic,
    LoadedModel,
    ModelConfig,
    SamplingConfig,
    decode_music,
    generate_tokens,
    play,
    sampling,
    stream_music,
)
from d2m_core.types import CodecSpec, Rhythm, Waveform
from training.codec.network import make_codec
from training.codec.settings import CodecTraining

BOOKS, TOKENS = 3, 16
CONFIG = SamplingConfig(seed=3)


def codec(loud: float = 1.0, stereo: bool = False) -> Codec:
    torch.manual_seed(0)
    settings = CodecTraining(filters=4, hidden=16, cardinality=TOKENS, codebooks=BOOKS, lstm_layers=1)
    model = make_codec(settings)
    with torch.no_grad():
        model.decoder.layers[-1].conv.bias.add_(0.2)
        for tensor in model.decoder.layers[-1].conv.parameters():
            tensor.mul_(loud)
    spec = spec_of(model.config, "tiny")
    finisher = None
    if stereo:
        finisher = Finisher(FinishConfig(latent=16, dim=8, layers=2, fine_dim=8, fine_layers=1, octaves=1.0))
    return Codec(model, spec, finisher)


def model_for(spec: CodecSpec, **more: Any) -> LoadedModel:
    torch.manual_seed(1)
    config = ModelConfig(
        2, BOOKS, TOKENS, dim=16, heads=2, encoder_layers=1, decoder_layers=2, ffn=32, window_s=4.0, **more
    )
    net = DanceToMusic(config).eval()
    with torch.no_grad():
        net.heads.weight.mul_(40)
    return LoadedModel(net, spec, ("a", "b"), {})


def rhythm(seconds: float) -> Rhythm:
    beats_s = steady_beats(120.0, seconds)
    frames = round(seconds * 25)
    return Rhythm(beats_s, np.arange(len(beats_s)) % 4 == 0, np.zeros((frames, 2), np.float32), 120.0)


@pytest.mark.parametrize("loud", [1.0, 400.0], ids=["quiet", "limited"])
@pytest.mark.parametrize("stereo", [False, True], ids=["mono", "stereo"])
@pytest.mark.parametrize("seconds", [1.313, 9.0])
def test_pieces_are_the_whole(loud: float, stereo: bool, seconds: float) -> None:
    ear = codec(loud, stereo)
    model = model_for(ear.spec)
    tokens = generate_tokens(model, None, None, ear.spec, CONFIG, duration_s=seconds)
    whole = decode_music(ear, tokens, seconds).samples
    pieces = list(stream_music(model, ear, None, None, CONFIG, seconds))
    together = torch.cat([piece.samples for piece in pieces], dim=-1)
    assert together.shape == whole.shape == (1, 1 + stereo, round(seconds * ear.spec.sample_rate))
    torch.testing.assert_close(together, whole, atol=2e-5, rtol=1e-4)
    assert (float(whole.abs().max()) > 0.99) == (loud > 1), "the limiter was at work where it should be"
    if seconds > 5:
        assert len(pieces) > 5
        assert max(piece.duration_s for piece in pieces) < 2.0


def test_music_that_is_gone_on_from_is_heard_too() -> None:
    ear = codec()
    model = model_for(ear.spec)
    known = generate_tokens(model, None, None, ear.spec, CONFIG, duration_s=2.0)
    config = replace(CONFIG, seed=9)
    tokens = generate_tokens(model, None, None, ear.spec, config, duration_s=5.0, known=known)
    whole = decode_music(ear, tokens, 5.0).samples
    pieces = stream_music(model, ear, None, None, config, 5.0, known=known)
    torch.testing.assert_close(torch.cat([p.samples for p in pieces], -1), whole, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("wobble", [0.0, 0.004, 0.06], ids=["steady", "drifting", "stretched"])
def test_music_in_straight_time_is_bent_as_it_comes(wobble: float) -> None:
    ear = codec()
    model = model_for(ear.spec, straight=True)
    steady = rhythm(9.0)
    swing = wobble * np.sin(np.arange(len(steady.beats_s)) / 2)
    beats = replace(steady, beats_s=steady.beats_s * 1.013 + swing)
    tokens = generate_tokens(model, None, beats, ear.spec, CONFIG, duration_s=9.0)
    assert tokens.bend is not None
    assert (plan_bend(tokens.bend, 9.0).stretched is not None) == (wobble == 0.06)
    whole = decode_music(ear, tokens, 9.0).samples
    pieces = [piece.samples for piece in stream_music(model, ear, None, beats, CONFIG, 9.0)]
    # The stretcher makes more of the last bits in which reading in pieces differs; itself it is exact.
    torch.testing.assert_close(torch.cat(pieces, -1), whole, atol=1e-3 if wobble > 0.01 else 1e-4, rtol=1e-3)
    assert len(pieces) > 5


def test_the_first_sound_comes_before_the_music_is_written() -> None:
    ear = codec()
    done: list[int] = []
    heard = threading.Event()

    def follow(step: int, _total: int) -> None:
        done.append(step)
        if step == 150:
            assert heard.wait(60), "no sound after 150 of 600 steps"
        time.sleep(0.002)

    sound = stream_music(model_for(ear.spec), ear, None, None, CONFIG, 12.0, on_progress=follow)
    next(sound)
    assert done[-1] <= 150
    heard.set()
    sound.close()
    stopped = done[-1]
    assert stopped < 600, "who leaves stops the writer"
    time.sleep(0.05)
    assert done[-1] == stopped


def test_what_goes_wrong_is_said_to_who_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    ear = codec()
    model = model_for(ear.spec)
    with pytest.raises(SettingError, match="candidates"):
        list(stream_music(model, ear, None, None, replace(CONFIG, candidates=2), 2.0))

    def broken(*_: Any) -> None:
        raise ModelError("No finite numbers.")

    monkeypatch.setattr(sampling, "write_window", broken)
    with pytest.raises(ModelError, match="finite"):
        list(stream_music(model, ear, None, None, CONFIG, 2.0))


class Speaker:
    """Stands for sounddevice, whose library and loudspeaker a test machine has not."""

    class PortAudioError(Exception):
        pass

    def __init__(self, works: bool) -> None:
        self.works, self.written, self.calls = works, [], []

    def OutputStream(self, samplerate: float, channels: int, dtype: str) -> Speaker:
        if not self.works:
            raise self.PortAudioError("no device")
        self.calls.append((samplerate, channels, dtype))
        return self

    def start(self) -> None:
        self.calls.append("start")

    def write(self, samples: np.ndarray) -> None:
        self.written.append(samples.copy())

    def stop(self) -> None:
        self.calls.append("stop")

    def close(self) -> None:
        self.calls.append("close")


def test_pieces_are_played_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    speaker = Speaker(True)
    monkeypatch.setitem(sys.modules, "sounddevice", speaker)
    sound = torch.rand(1, 2, 900)
    whole = play(Waveform(part.clone(), 8000) for part in sound.split(400, dim=-1))
    assert torch.equal(whole.samples, sound)
    assert speaker.calls == [(8000, 2, "float32"), "start", "stop", "close"]
    assert [len(part) for part in speaker.written] == [400, 400, 100]
    np.testing.assert_array_equal(np.concatenate(speaker.written), sound[0].T.numpy())


def test_pieces_in_a_file_can_be_heard_at_any_moment(tmp_path: Path) -> None:
    ear, path, lengths = codec(), tmp_path / "growing.wav", []
    model = model_for(ear.spec)

    def looked_at() -> Iterator[Waveform]:
        for piece in stream_music(model, ear, None, None, CONFIG, 4.0):
            yield piece
            lengths.append(load_audio(path).samples.shape[-1])

    whole = play(looked_at(), into=path)
    assert len(lengths) > 3
    assert lengths == sorted(set(lengths)), "every piece is there when it was played"
    written = load_audio(path)
    assert written.sample_rate == whole.sample_rate
    torch.testing.assert_close(written.samples, whole.samples.clamp(-1, 1), atol=1e-4, rtol=0)


def test_music_that_is_broken_off_leaves_no_file(tmp_path: Path) -> None:
    def broken() -> Iterator[Waveform]:
        yield Waveform(torch.zeros(1, 2, 100), 8000)
        raise ModelError("No finite numbers.")

    with pytest.raises(ModelError):
        play(broken(), into=tmp_path / "half.wav")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(MediaError, match="nowhere"):
        play([Waveform(torch.zeros(1, 2, 100), 8000)], into=tmp_path / "nowhere" / "x.wav")


def test_without_a_loudspeaker_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    piece = Waveform(torch.zeros(1, 1, 10), 8000)
    monkeypatch.setitem(sys.modules, "sounddevice", Speaker(False))
    with pytest.raises(MediaError, match="no loudspeaker"):
        play([piece])
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(MediaError, match="pip install sounddevice"):
        play([piece])
    with pytest.raises(MediaError, match="at least one"):
        play([])
