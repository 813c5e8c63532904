"""The flags: help that comes at once, and settings that they come to."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from d2m_core.band import PLAYERS
from d2m_core.errors import SettingError
from d2m_core.flags import build_parser, settings_of
from d2m_core.flags.groups import OVERLAY_SOUNDS
from d2m_core.settings import DANCERS, ENDINGS, At, DanceSettings, PoseRepair, Region, Repaint
from d2m_core.spans import BarSpan, Span
from d2m_core.styles import STYLES

ROOT = Path(__file__).parents[3]
OF_THE_NODES = (
    *"--half --double --shift --nudge --swing --steady --energy --metre --tempo".split(),
    *"--download-instruments --key --intensity --humanise --players".split(),
    *"--dancer --at --region --people --pose-model --no-pose-cache --play --no-finish".split(),
    *"--style --seed --guidance --style-guidance --temperature --candidates --ending --dynamics".split(),
    *"--overlay --overlay-sound --picture --people-picture --beats --band --midi --stems --json".split(),
    *"--repair --repaint --likeness --from-sound --keep-sound --extend-left --extend-right".split(),
    *"--model --rhythm --codec --device --keep-original-audio --sound-track --recode --quiet".split(),
)


def read(flags: str) -> DanceSettings:
    return settings_of(build_parser().parse_args(["a.mp4", "-o", "b.wav", *flags.split()]))


def test_help_names_every_flag_style_choice_and_default() -> None:
    text = build_parser().format_help()
    words = set(re.findall(r"[\w-]+", text))
    assert [flag for flag in OF_THE_NODES if flag not in words] == []
    assert {*STYLES, *DANCERS, *ENDINGS, *OVERLAY_SOUNDS, *PLAYERS} <= words
    assert all(len(line) <= 110 for line in text.splitlines())


def test_help_needs_no_heavy_library() -> None:
    code = (
        "import runpy, sys\n"
        "sys.argv = ['d2m_core', '--help']\n"
        "try:\n    runpy.run_module('d2m_core', run_name='__main__', alter_sys=True)\n"
        "except SystemExit as end:\n    assert not end.code\n"
        "heavy = {'torch', 'transformers', 'mediapipe', 'av', 'librosa', 'scipy', 'matplotlib', 'cv2'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    made = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    assert "--overlay-sound" in made.stdout


def test_without_flags_all_is_as_the_settings_have_it() -> None:
    assert read("") == DanceSettings()


def test_flags_reach_their_places() -> None:
    found = read(
        "--tempo 122 --metre 3 --half --steady --shift 40 --swing 60 --energy 1.5 --style house --seed 3 "
        "--guidance 1.5 --style-guidance 1 --temperature 0.5 --candidates 2 --ending fade --dynamics 0 "
        "--people 2 --pose-model lite --key Am --intensity 0.2 --humanise 0 --players drums,bass"
    )
    rhythm, sampling, band = found.rhythm, found.sampling, found.band
    assert (rhythm.tempo_bpm, rhythm.metre, rhythm.grid, rhythm.steady) == (122, 3, "half", True)
    assert (rhythm.shift_ms, rhythm.swing, rhythm.energy) == (40, 60, 1.5)
    assert (sampling.style, sampling.seed, sampling.guidance, sampling.style_guidance) == ("house", 3, 1.5, 1)
    assert (sampling.temperature, sampling.candidates) == (0.5, 2)
    assert (found.sound.ending, found.sound.dynamics) == ("fade", 0)
    assert (found.people.people, found.people.pose_model) == (2, "lite")
    assert (band.key, band.intensity, band.humanise, band.players) == ("Am", 0.2, 0, ("drums", "bass"))
    assert read("--double --nudge -25").rhythm.grid == "double"
    assert read("--nudge -25").rhythm.shift_ms == -25


@pytest.mark.parametrize(
    ("flags", "dancer"),
    [
        ("--dancer most_active", "most_active"),
        ("--dancer blend", "blend"),
        ("--dancer 2", 2),
        ("--at 0.25,0.5", At(0.25, 0.5)),
        ("--at 0.25,0.5@3.5", At(0.25, 0.5, 3.5)),
        ("--region 0.5,0,0.5,1", Region(0.5, 0, 0.5, 1)),
    ],
)
def test_whom_to_follow(flags: str, dancer: object) -> None:
    assert read(flags).people.dancer == dancer


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--half --double", "not allowed with"),
        ("--at 0.5,0.5 --dancer 1", "not allowed with"),
        ("--at middle", "write it as 0.3,0.5"),
        ("--at 0.5", "write it as 0.3,0.5"),
        ("--region 0,0,1", "left, top, width, height"),
        ("--tempo fast", "invalid float"),
        ("--ending bang", "invalid choice"),
    ],
)
def test_flags_that_are_not_understood(flags: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        read(flags)
    assert end.value.code == 2
    assert said in capsys.readouterr().err


def test_edits_are_read() -> None:
    flags = ["--repaint", "4-8; bar 2@7", "--repaint", "1:20-1:30", "--repair", "2-2.6 mirror left arm"]
    args = build_parser().parse_args(
        ["a.mp4", "-o", "b.wav", *flags, "--from-sound", "s.wav", "--keep-sound"]
    )
    edits = settings_of(args).edits
    assert edits.repaints == (Repaint(Span(4, 8), 7), Repaint(BarSpan(2, 2), 7), Repaint(Span(80, 90)))
    assert edits.repairs == (PoseRepair(Span(2, 2.6), "mirror", "left arm"),)
    assert (edits.likeness, edits.start, edits.start_use) == (0.0, Path("s.wav"), "as its beginning")
    assert read("").edits == DanceSettings().edits


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ("--repaint 8-4", "does not end after"),
        ("--repaint 4-8@x", "a seed as in 4-8@7"),
        ("--repair bar2", "give seconds"),
        ("--repair soon", "not understood"),
    ],
)
def test_spans_that_are_not_understood_are_said(
    flags: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        read(flags)
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ("--band --repaint 4-8", "--repaint is of music that the model writes"),
        ("--play --repaint 4-8", "edits come after that"),
        ("--band --extend-right 4", "--extend-right is of music that the model writes"),
        ("--play --extend-left 4", "edits come after that"),
        ("--extend-left 65", "65 bars are to be added; use 0 to 64"),
        ("--extend-right -1", "-1 bars are to be added"),
        ("--keep-sound", "needs a --from-sound"),
        ("--repaint 4-8 --likeness 2", "likeness is 2"),
    ],
)
def test_edits_that_cannot_be_are_said(flags: str, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        read(flags)
