"""How music agrees with a rhythm, on clicks; and the best of several candidates."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from d2m_core.codec import Codec, decode_tokens, load_codec
from d2m_core.errors import SettingError
from d2m_core.music import DanceToMusic, LoadedModel, ModelConfig, SamplingConfig, generate_tokens, sampling
from d2m_core.scores.agreement import rhythm_agreement
from d2m_core.types import AudioTokens, Waveform
from tests.d2m_core.music.test_sampling import NAMES, dance, loaded
from tests.tiny_models import write_codec

RATE = 24_000


def clicks(times_s: np.ndarray, duration_s: float) -> Waveform:
    samples = np.zeros(round(duration_s * RATE), np.float32)
    tone = np.sin(2 * np.pi * 1000 * np.arange(1200) / RATE) * np.linspace(1, 0, 1200)
    for time_s in times_s:
        first = round(float(time_s) * RATE)
        samples[first : first + 1200] += tone[: len(samples) - first].astype(np.float32)
    return Waveform(torch.from_numpy(samples)[None, None], RATE)


def test_clicks_on_the_beats_agree_more_than_beside_them() -> None:
    _, rhythm = dance(8.0)
    on = rhythm_agreement(clicks(rhythm.beats_s, 8.0), rhythm)
    beside = rhythm_agreement(clicks(rhythm.beats_s + 0.25, 8.0), rhythm)
    assert on > 0.85
    assert beside < 0.2
    assert rhythm_agreement(Waveform(torch.zeros(1, 1, 8 * RATE), RATE), rhythm) < on


def test_a_window_is_judged_on_its_own_part_of_the_rhythm() -> None:
    _, rhythm = dance(12.0)
    late = rhythm.beats_s[(rhythm.beats_s >= 4) & (rhythm.beats_s < 11.9)] - 4.0
    assert rhythm_agreement(clicks(late, 8.0), rhythm, start_s=4.0) > 0.85
    wrong_first = np.sort(np.concatenate([late[late < 2] + 0.25, late[late >= 2]]))
    whole = rhythm_agreement(clicks(wrong_first, 8.0), rhythm, start_s=4.0)
    known = rhythm_agreement(clicks(wrong_first, 8.0), rhythm, start_s=4.0, from_s=2.0)
    assert known > whole


def test_the_best_candidate_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The choice is held against the judge's own scores of all that was decoded."""
    write_codec(tmp_path)
    codec = load_codec(tmp_path)
    torch.manual_seed(1)
    shape = ModelConfig(
        len(NAMES),
        codec.spec.codebooks,
        codec.spec.cardinality,
        dim=16,
        heads=2,
        encoder_layers=1,
        decoder_layers=1,
        ffn=16,
        window_s=2.0,
    )
    model = LoadedModel(DanceToMusic(shape).eval(), codec.spec, NAMES, {})
    motion, rhythm = dance(1.5)
    seen: list[AudioTokens] = []

    def decode(codec: Codec, tokens: AudioTokens, finish: bool) -> Waveform:
        seen.append(tokens)
        return decode_tokens(codec, tokens)

    monkeypatch.setattr(sampling, "decode_tokens", decode)
    config = SamplingConfig(candidates=3, guidance=2.0)
    best = generate_tokens(model, motion, rhythm, codec.spec, config, codec=codec).codes
    scores = [rhythm_agreement(decode_tokens(codec, tokens), rhythm) for tokens in seen]
    assert len(set(scores)) == 3
    assert torch.equal(best, seen[int(np.argmax(scores))].codes)
    again = generate_tokens(model, motion, rhythm, codec.spec, config, codec=codec).codes
    assert torch.equal(best, again)


def test_greedy_candidates_are_all_the_same_music() -> None:
    model, (motion, rhythm) = loaded(), dance(3.0)
    config = SamplingConfig(temperature=0.0, overlap_s=0.5)
    one = generate_tokens(model, motion, rhythm, model.spec, config)
    free = replace(config, candidates=4)
    alone = generate_tokens(model, motion, None, model.spec, free)  # no rhythm to agree with
    plain = generate_tokens(model, motion, None, model.spec, config)
    assert torch.equal(alone.codes, plain.codes)
    with pytest.raises(SettingError, match="candidates is 4"):
        generate_tokens(model, motion, rhythm, model.spec, free)
    assert one.codes.shape == (1, 3, 150)


def test_too_many_candidates_are_refused() -> None:
    for count in (0, 65):
        with pytest.raises(SettingError, match="1 to 64"):
            SamplingConfig(candidates=count)
