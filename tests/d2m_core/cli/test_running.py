"""Whole runs with small random networks on a drawn dance: every file, every key, every warning."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from d2m_core import cli
from d2m_core.media import load_audio
from d2m_core.styles import STYLES
from tests import tiny_models
from training.seeds import TESTS_SEED
from training.studio.picture.drawing import main as draw

SECONDS = 3
KEYS = (
    *"clip files duration_s dancer dancers_followed dancer_found people_found tempo_bpm confidence".split(),
    *"metre grid beats_s downbeats_s style style_asked seed ending dynamics played_by warnings".split(),
    *"seconds real_time_factor versions music_s seconds_in_front".split(),
)

Ran = tuple[dict, str, Path]
Run = Callable[..., Ran]


@pytest.fixture(scope="module")
def dance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    clip = tmp_path_factory.mktemp("dance") / "dance.mp4"
    flags = f"--seed {TESTS_SEED} --tempo 118 --seconds {SECONDS} --width 480 --height 360 --fps 25"
    assert draw([*flags.split(), "--out", str(clip)]) == 0
    return clip


@pytest.fixture
def run(
    dance: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], tmp_path_factory: pytest.TempPathFactory
) -> Run:
    weights = tmp_path_factory.mktemp("weights")
    tiny_models.write_all(weights)
    capsys.readouterr()  # what writing the codec said
    nets = f"--rhythm {weights}/rhythm.safetensors"
    model = f"--model {weights}/model.safetensors --codec {weights / tiny_models.CODEC_FOLDER}"

    def made(flags: str, out: str = "out.mp4") -> Ran:
        more = nets if "--band" in flags else f"{nets} {model}"
        command = f"{dance} -o {tmp_path / out} {more} --json {flags.format(tmp_path)}"
        assert cli.main(command.split()) == 0
        text, error = capsys.readouterr()
        return json.loads(text), error, tmp_path

    return made


def streams(path: str) -> tuple[int, int]:
    """Pictures' and sounds' streams of a file."""
    with av.open(path) as file:
        return len(file.streams.video), len(file.streams.audio)


def test_the_model_writes_every_file_and_key(run: Run) -> None:
    more = "--overlay {0}/o.mp4 --picture {0}/p.png --people-picture {0}/w.png"
    more += " --beats {0}/b.csv --beats {0}/b.edl"
    facts, error, folder = run(f"--style waltz --seed 5 --shift 20 --ending fade {more}")
    assert [key for key in KEYS if key not in facts] == []
    assert (facts["style"], facts["style_asked"], facts["seed"], facts["metre"]) == ("waltz", "waltz", 5, 3)
    assert (facts["ending"], facts["dynamics"], facts["played_by"]) == ("fade", 1.0, "model")
    assert (facts["dancer"], facts["dancers_followed"], facts["people_found"]) == ("largest", [0], 1)
    assert {"d2m", "python", "torch"} <= facts["versions"].keys()
    files = facts["files"]
    assert files["beats"] == [str(folder / "b.csv"), str(folder / "b.edl")]
    assert {path.name for path in folder.iterdir()} == set("out.mp4 o.mp4 p.png w.png b.csv b.edl".split())
    assert streams(files["music"]) == streams(files["overlay"]) == (1, 1)
    assert load_audio(files["overlay"]).duration_s == pytest.approx(SECONDS, abs=0.1)
    stages = [line.split(":")[0] for line in error.splitlines() if not line.startswith("WARNING")]
    assert stages == ["pose", "music", "decode", "overlay"]


def test_all_warnings_are_said_and_stand_in_the_json(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    """A random rhythm network is never sure of its beats; of our own music's peaks nothing is said."""
    facts, _, _ = run("-q", "out.wav")
    texts = [notice["text"] for notice in facts["warnings"]]
    assert texts
    said = [record.getMessage() for record in caplog.records if record.name.startswith("d2m_core")]
    assert sorted(said) == sorted(texts)
    assert not any("peaks" in text for text in texts)


@pytest.mark.parametrize(("kind", "sounds"), [("music", 1), ("none", 0)])
def test_the_overlay_sounds_as_asked(kind: str, sounds: int, run: Run) -> None:
    facts, _, _ = run(f"--overlay {{0}}/o.mov --overlay-sound {kind}", "out.wav")
    assert streams(facts["files"]["overlay"]) == (1, sounds)


def test_the_band_writes_stems_that_add_up_and_midi(run: Run) -> None:
    facts, error, folder = run(
        "--band --style funk --stems {0}/stems --midi {0}/m.mid --ending cut", "out.flac"
    )
    assert (facts["played_by"], facts["style"]) == ("band", "funk")
    assert facts["sections"]
    assert facts["chords"]
    stems = facts["files"]["stems"]
    assert sorted(stems) == ["bass", "drums", "effects", "harmony", "melody"]
    assert {Path(path).parent for path in stems.values()} == {folder / "stems"}
    assert (folder / "m.mid").read_bytes().startswith(b"MThd")
    music = load_audio(folder / "out.flac")
    assert (music.sample_rate, music.samples.shape[1]) == (48_000, 2)
    assert music.duration_s == pytest.approx(SECONDS, abs=1e-3)
    assert "peaks" not in error


def test_edits_change_what_they_are_asked_to(run: Run) -> None:
    """A copy is what was there; another seed is not, nor is music that starts from a sound."""
    sounds = []
    edits = (
        "--repair 1-1.4 --repaint 1-2 --likeness 1",
        "--repair 1-1.4 --repaint 1-2@9",
        "--from-sound {0}/out0.wav",
    )
    for number, more in enumerate(("--repair 1-1.4", *edits)):
        _, _, folder = run(f"-q --seed 3 {more}", f"out{number}.wav")
        sounds.append(load_audio(folder / f"out{number}.wav").samples)
    assert sounds[0].equal(sounds[1])
    assert not any(sounds[0].equal(other) for other in sounds[2:])
    assert {each.shape for each in sounds} == {sounds[0].shape}


def test_bars_more_make_the_piece_longer_and_move_its_beats(run: Run) -> None:
    plain, _, _ = run("-q --tempo 120", "out.wav")
    facts, _, folder = run("-q --tempo 120 --extend-left 1 --extend-right 2", "longer.wav")
    bar_s, early_s = 0.5 * plain["metre"], facts["seconds_in_front"]
    assert early_s == pytest.approx(bar_s, abs=0.03)  # whole steps of the tokens
    assert facts["music_s"] == pytest.approx(SECONDS + early_s + 2 * bar_s, abs=0.03)
    assert load_audio(folder / "longer.wav").duration_s == pytest.approx(facts["music_s"], abs=1e-3)
    of_the_clip = [at - early_s for at in facts["beats_s"] if -0.01 < at - early_s < SECONDS - 0.01]
    assert of_the_clip == pytest.approx(plain["beats_s"], abs=2e-3)
    assert (plain["music_s"], plain["seconds_in_front"]) == (pytest.approx(SECONDS, abs=1e-3), 0)


def test_any_style_of_the_band_is_told(run: Run) -> None:
    facts, _, _ = run("--band", "out.wav")
    assert facts["style_asked"] == "any"
    assert facts["style"] in STYLES
