"""The command line: its flags, and mistakes that end with one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from d2m_core import cli
from tests import tiny_models

FLAGS = (
    "--style",
    "--tempo",
    "--seed",
    "--guidance",
    "--dancer",
    "--model",
    "--codec",
    "--device",
    "--keep-original-audio",
    "--json",
)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Flags that name small random networks."""
    folder = tmp_path_factory.mktemp("weights")
    tiny_models.write_all(folder)
    model, rhythm = folder / "model.safetensors", folder / "rhythm.safetensors"
    return [f"--model={model}", f"--rhythm={rhythm}", f"--codec={folder / tiny_models.CODEC_FOLDER}"]


def fails(command: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one sentence that a mistaken command ends with."""
    assert cli.main([*command, "-q"]) == 1
    out, error = capsys.readouterr()
    assert out == ""
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    return error


def test_help_lists_every_flag(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["--help"])
    assert end.value.code == 0
    words = capsys.readouterr().out.replace(",", " ").split()
    assert [flag for flag in FLAGS if flag not in words] == []


def test_flags_reach_their_places() -> None:
    music = ["--style", "house", "--tempo", "122", "--seed", "3", "--guidance", "1.5"]
    files = ["--model", "m", "--codec", "c", "--device", "cpu", "--dancer", "1"]
    extra = ["--keep-original-audio", "0.3", "--json"]
    args = cli.build_parser().parse_args(["a.mp4", "-o", "b.wav", *music, *files, *extra])
    assert (args.style, args.tempo, args.seed, args.guidance) == ("house", 122.0, 3, 1.5)
    assert (args.dancer, args.model, args.codec, args.device) == ("1", Path("m"), "c", "cpu")
    assert (args.keep_original_audio, args.json, args.quiet) == (0.3, True, False)


def test_a_missing_clip(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip, out = tmp_path / "nothing.mp4", tmp_path / "out.wav"
    assert "nothing.mp4" in fails([str(clip), "-o", str(out)], capsys)
    assert not out.exists()


def test_a_tempo_out_of_range(
    make_clip: Callable[..., Path], weights: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = make_clip(duration_s=1.0)
    command = [str(clip), "-o", str(tmp_path / "out.wav"), "--tempo", "400", *weights]
    assert "400 BPM; choose 60 to 180" in fails(command, capsys)


def test_a_missing_model_file(
    make_clip: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = make_clip(duration_s=1.0)
    command = [str(clip), "-o", str(tmp_path / "out.wav"), "--model", str(tmp_path / "no.model")]
    assert "no.model" in fails(command, capsys)


@pytest.mark.parametrize("device", ["abacus", "cuda:99"])
def test_a_device_that_is_not_here(
    device: str, make_clip: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = make_clip(duration_s=1.0)
    command = [str(clip), "-o", str(tmp_path / "out.wav"), "--device", device]
    assert device in fails(command, capsys)


def test_what_cannot_be_written_or_kept_is_refused_before_any_work(
    make_clip: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = make_clip(duration_s=1.0)
    assert "out.doc" in fails([str(clip), "-o", str(tmp_path / "out.doc")], capsys)
    keep = [str(clip), "-o", str(tmp_path / "out.wav"), "--keep-original-audio", "0.5"]
    assert "has no sound" in fails(keep, capsys)


def test_an_unknown_style_is_refused_with_the_known_ones(
    make_clip: Callable[..., Path], weights: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = make_clip(duration_s=1.0)
    command = [str(clip), "-o", str(tmp_path / "out.wav"), "--style", "polka", *weights]
    error = fails(command, capsys)
    assert "polka" in error
    assert "house" in error
