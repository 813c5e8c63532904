"""A drawn dance with known beats through the whole chain, with the default weights."""

from __future__ import annotations

import json
import os
from pathlib import Path

import av
import numpy as np
import pytest

from d2m_core import cli
from d2m_core.media import load_audio
from d2m_core.rhythm import rhythm_from_audio
from d2m_core.scores import beat_f, tempo_correct
from d2m_core.types import Rhythm
from training.seeds import TESTS_SEED
from training.studio.picture.drawing import main as draw

SECONDS = 8
CLIPS = Path(
    os.environ.get("D2M_SHARED_DATA", Path(__file__).resolve().parent.parent.parent / "shared" / "data")
)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    clip = tmp_path_factory.mktemp("drawn") / "dance.mp4"
    size = "--width 640 --height 360 --fps 30"
    options = f"--seed {TESTS_SEED} --tempo 112 --seconds {SECONDS} {size} --out".split()
    draw([*options, str(clip)])
    return clip, json.loads(clip.with_suffix(".json").read_text())


@pytest.fixture(scope="module")
def made(drawn: tuple[Path, dict]) -> dict:
    clip, _ = drawn
    out = clip.with_name("music.mp4")
    args = cli.build_parser().parse_args([str(clip), "-o", str(out), "--style", "pop", "-q"])
    return {"result": cli.run(args), "out": out, "clip": clip}


def test_the_rhythm_found_is_the_one_danced(drawn: tuple[Path, dict], made: dict) -> None:
    truth = drawn[1]
    rhythm = made["result"].rhythm
    assert made["result"].poses.present.mean() >= 0.98
    assert tempo_correct(truth["tempo_bpm"], rhythm.tempo_bpm)
    assert beat_f(np.asarray(truth["beats_s"]), rhythm.beats_s) >= 0.85


def test_a_waltz_is_danced_to_in_three(drawn: tuple[Path, dict], made: dict) -> None:
    def metres(rhythm: Rhythm) -> set[int]:
        return set(np.diff(np.flatnonzero(rhythm.downbeats)).tolist())

    out = drawn[0].with_name("waltz.wav")
    waltz = cli.run(cli.build_parser().parse_args([str(drawn[0]), "-o", str(out), "--style", "waltz", "-q"]))
    assert metres(made["result"].rhythm) == {4}
    assert metres(waltz.rhythm) == {3}


def test_the_music_follows_the_rhythm_and_is_as_long_as_the_clip(made: dict) -> None:
    result = made["result"]
    assert result.audio.samples.shape[-1] == round(result.clip.duration_s * 24_000)
    assert result.audio.samples.abs().max() <= 1.0
    assert result.audio.samples.pow(2).mean().sqrt() > 0.03
    heard = rhythm_from_audio(result.audio, result.rhythm.tempo_bpm)
    asked = result.rhythm.beats_s
    assert beat_f(asked, heard.beats_s) >= 0.8
    half_a_beat_s = 30.0 / result.rhythm.tempo_bpm
    assert beat_f(asked + half_a_beat_s, heard.beats_s) < 0.3


def test_the_picture_is_untouched_and_the_sound_playable(made: dict) -> None:
    def packets(path: Path) -> list[bytes]:
        with av.open(str(path)) as file:
            return [bytes(packet) for packet in file.demux(video=0) if packet.size]

    assert packets(made["out"]) == packets(made["clip"])
    sound = load_audio(made["out"])
    assert abs(sound.duration_s - SECONDS) < 0.1
    assert sound.samples.pow(2).mean().sqrt() > 0.03


def test_the_same_seed_gives_the_same_music(drawn: tuple[Path, dict], made: dict) -> None:
    from d2m_core.music import SamplingConfig, generate_tokens
    from d2m_core.pipeline import load_models

    result, models = made["result"], load_models(device="cpu")

    def codes(seed: int) -> np.ndarray:
        sampling = SamplingConfig(seed=seed, style="pop")
        tokens = generate_tokens(models.model, result.motion, result.rhythm, models.codec.spec, sampling)
        return tokens.codes.numpy()

    np.testing.assert_array_equal(codes(5), codes(5))
    assert (codes(5) != codes(6)).any()


def test_a_clip_with_nobody_in_it_ends_with_a_sentence(
    tmp_path: Path, make_clip, capsys: pytest.CaptureFixture
) -> None:
    clip = make_clip(duration_s=2.0)
    assert cli.main([str(clip), "-o", str(tmp_path / "x.wav"), "-q"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert "Traceback" not in error
    assert list(tmp_path.glob("x*")) == []


@pytest.mark.skipif(not (CLIPS / "dance_clips").is_dir(), reason="the real dance clips are not here")
@pytest.mark.parametrize("name", ["solo_portrait_480x854_vfr_14s", "silent_512x288_30fps_10s"])
def test_real_clips_run_from_file_to_music(name: str, tmp_path: Path) -> None:
    out = tmp_path / "music.flac"
    args = [str(CLIPS / "dance_clips" / f"{name}.mp4"), "-o", str(out), "--duration", "4", "-q"]
    assert cli.main(args) == 0
    sound = load_audio(out)
    assert sound.duration_s == pytest.approx(4.0, abs=0.05)
    assert sound.samples.pow(2).mean().sqrt() > 0.02
