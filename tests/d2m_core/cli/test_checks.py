"""What is known to be wrong before any work: a sentence each, all at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from d2m_core import cli
from d2m_core.codec import CODECS, load_codec
from d2m_core.errors import SettingError
from d2m_core.pipeline import load_models, models
from d2m_core.weights import EMBEDDED
from tests import tiny_models


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
    gif = make_clip("a.gif", codec="gif", pix_fmt="rgb8", fps=25, duration_s=1.2)
    copy = [str(gif), "-o", str(tmp_path / "out.mkv"), "--recode", "copy"]
    assert "coded as gif, which .mkv files do not hold; let them be coded again" in fails(copy, capsys)
    long = [str(clip), "-o", str(tmp_path / ("舞" * 84 + ".mp4"))]
    assert "the name is too long" in fails(long, capsys)
    if Path("/proc/self").exists():
        assert "takes no files" in fails([str(clip), "-o", "/proc/out.mp4"], capsys)


@pytest.mark.parametrize(
    ("out", "flags", "words"),
    [
        ("out.mp4", "", "out.mp4 is a film"),
        ("out.wav", "--overlay {0}/o.mp4 --picture {0}/p.png", "leave out --overlay, --picture, or the bars"),
        ("out.wav", "--beats {0}/b.csv", "leave out --beats, or the bars"),
    ],
)
def test_more_bars_than_the_clip_has_fit_no_picture_of_it(
    out: str,
    flags: str,
    words: str,
    make_clip: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = f"{make_clip(duration_s=1.0)} -o {tmp_path / out} --extend-right 2 {flags.format(tmp_path)}"
    assert words in fails(command.split(), capsys)


def test_an_unknown_style_is_refused_with_the_known_ones(
    make_clip: Callable[..., Path], weights: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = make_clip(duration_s=1.0)
    command = [str(clip), "-o", str(tmp_path / "out.wav"), "--style", "polka", *weights]
    error = fails(command, capsys)
    assert "polka" in error
    assert "house" in error


def test_no_output_may_take_the_place_of_the_clip_or_of_another(
    make_clip: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = make_clip(duration_s=1.0)
    before = clip.read_bytes()
    linked = tmp_path / "linked.mp4"
    linked.hardlink_to(clip)
    out = ["-o", str(tmp_path / "out.mp4")]
    for same in (str(clip), f"{tmp_path}/../{tmp_path.name}/{clip.name}", str(linked)):
        assert "is the clip itself" in fails([str(clip), "-o", same], capsys)
        assert "is the clip itself" in fails([str(clip), *out, "--overlay", same], capsys)
    assert "out.mp4 is the name of another" in fails([str(clip), *out, "--overlay", out[1]], capsys)
    assert clip.read_bytes() == before


@pytest.mark.parametrize(
    ("flag", "name"), [("--overlay", "x.avi"), ("--picture", "x.jpg"), ("--picture", "x")]
)
def test_names_of_all_outputs_are_checked_before_any_work(
    flag: str, name: str, make_clip: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No models are given here, and the clip shows nobody: any work would end otherwise."""
    clip = make_clip(duration_s=1.0)
    command = [str(clip), "-o", str(tmp_path / "out.wav"), flag, str(tmp_path / name)]
    assert f"Cannot write {name}; end its name with" in fails(command, capsys)
    (tmp_path / "folder.png").mkdir()
    command[-2:] = ["--picture", str(tmp_path / "folder.png")]
    assert "it is a folder" in fails(command, capsys)


def test_a_codec_that_the_model_does_not_write_for_is_refused_before_the_poses(
    make_clip: Callable[..., Path], weights: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = make_clip(duration_s=1.0)  # of nobody: looking for poses would end otherwise
    tiny_models.write_codec(tmp_path / "other", kbits=1.2)
    spec = load_codec(tmp_path / "other").spec
    tiny_models.write_model(tmp_path / "m.safetensors", spec)
    command = [str(clip), "-o", str(tmp_path / "out.wav"), *weights, f"--model={tmp_path / 'm.safetensors'}"]
    capsys.readouterr()  # what writing the codec said
    assert "choose a model and a codec that belong together" in fails(command, capsys)


def test_without_a_codec_it_is_the_one_that_the_model_writes_for(
    weights: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(models, "load_codec", lambda name, _where: asked.append(name) or 1 / 0)
    path = tmp_path / "m.safetensors"
    for name in (EMBEDDED, "facebook/encodec_32khz"):
        tiny_models.write_model(path, CODECS[name])
        with pytest.raises(ZeroDivisionError):
            load_models(path)
    assert asked == [EMBEDDED, "facebook/encodec_32khz"]
    tiny_models.write_model(path, replace(CODECS[EMBEDDED], name="mine"))
    with pytest.raises(SettingError, match=r"writes for codec 'mine'.*give its folder with --codec"):
        load_models(path)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = "--tempo 400 --metre 40 --swing 20 --seed -3 --dynamics 9 --dancer who --style polka"
    places = {"overlay": "x.avi", "picture": "x.gif", "beats": "b.doc", "midi": "m.mid"}
    files = " ".join(f"--{flag} {tmp_path / name}" for flag, name in places.items())
    rest = "--energy nan --keep-original-audio 3 --device abacus -q"
    command = f"{tmp_path}/none.mp4 -o {tmp_path}/x.doc {settings} {files} {rest}"
    assert cli.main(command.split()) == 1
    said = capsys.readouterr().err.splitlines()
    named = "400 BPM|Metre is 40|Swing is 20|seed is -3|Dynamics are 9|'who'|'polka'|factor is nan"
    rest = "x.avi|x.gif|b.doc|add --band|own sound is 3|'abacus'|none.mp4|x.doc"
    wrong = f"{named}|{rest}".split("|")
    assert all(line.startswith("error: ") and line.endswith(".") for line in said)
    assert [what for what in wrong if sum(what in line for line in said) != 1] == []
    assert len(said) == len(wrong)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ("--key H", "Key is 'H'"),
        ("--players drums,harp", "Nobody in the band is called harp"),
        ("--style polka", "Style is 'polka'"),
        ("--intensity 2", "Intensity is 2"),
    ],
)
def test_what_the_band_does_not_know_is_refused_before_any_work(
    flags: str,
    sentence: str,
    make_clip: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    clip = make_clip(duration_s=1.0)
    assert sentence in fails([str(clip), "-o", str(tmp_path / "x.wav"), "--band", *flags.split()], capsys)


def test_stems_need_a_folder(
    make_clip: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = make_clip(duration_s=1.0)
    (tmp_path / "file").touch()
    command = [str(clip), "-o", str(tmp_path / "x.wav"), "--band", "--stems", str(tmp_path / "file")]
    assert "file is a file; give a folder" in fails(command, capsys)
