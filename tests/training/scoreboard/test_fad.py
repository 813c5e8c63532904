"""Distances by the command fadtk: what it is given, what is read back, what is said where it fails.

A stand-in takes fadtk 1.1's arguments and writes its table; its score is how many more files one
folder has. The real one's embeddings have to be fetched.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from d2m_core.errors import SettingError
from training.evaluate import main
from training.scoreboard.music.fad import COMMAND, distance, fadtk_figures
from training.scoreboard.music.making import clicks
from training.scoreboard.music.scores import score_cases

from .test_music import BEATS, SECONDS, a_case, judge

STAND_IN = """#!{python}
import sys
from pathlib import Path

model, baseline, music, table = sys.argv[1:]
if model != "known":
    sys.exit(f"argument model: invalid choice: {{model!r}}")
counts = [len(list(Path(folder).glob("*.wav"))) for folder in (baseline, music)]
new = not Path(table).exists()
with open(table, "a") as file:
    if new:
        file.write("model,baseline,eval,score,inf_r2,time\\n")
    file.write(f"{{model}},{{baseline}},{{music}},{{counts[1] - counts[0]}},None,0\\n")
"""


@pytest.fixture
def fadtk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform == "win32":
        pytest.skip("the stand-in is a script with a #! line")
    command = tmp_path / "bin" / COMMAND
    command.parent.mkdir()
    command.write_text(STAND_IN.format(python=sys.executable))
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(command.parent))


@pytest.mark.usefixtures("fadtk")
def test_music_is_measured_against_the_sets_soundtracks(tmp_path: Path) -> None:
    cases = [a_case(seed=0, soundtrack=clicks(BEATS, SECONDS)), a_case(seed=1)]
    scores = score_cases(cases, judge())
    folder = tmp_path / "fad"
    for _ in range(2):  # what an earlier run left does not count
        (label,) = (figures := fadtk_figures("known", scores, folder))
    assert label == "FAD (fadtk known, to the soundtracks)"
    assert {name: column["mean"] for name, column in figures[label].items()} == {
        "music": 1.0,  # two pieces, one soundtrack
        "unconditioned": 1.0,
    }
    assert figures[label]["music"]["clips"] == 2
    assert fadtk_figures("known", scores[1:], folder) == {}  # no soundtrack, no reference


@pytest.mark.usefixtures("fadtk")
def test_what_fadtk_says_is_passed_on(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"failed with mine .* invalid choice: 'mine'"):
        distance("mine", tmp_path, tmp_path / "music")


def test_without_fadtk_nothing_is_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["--out", str(tmp_path), "music", "--fadtk", "clap-laion-music"]) == 1
    assert "environment of its own" in capsys.readouterr().err
    assert not (tmp_path / "music" / "metrics.md").exists()
