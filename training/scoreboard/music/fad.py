"""Fréchet audio distance by fadtk (Gui et al. 2024), with the embeddings that others publish.

fadtk wants older packages than this project, so it runs as a command from an environment of its
own. What it is given are folders of sound: a set's music, and the soundtracks of the same dances as
the reference.
"""

from __future__ import annotations

import csv
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from d2m_core.errors import SettingError
from d2m_core.media import save_audio
from d2m_core.types import Waveform
from training.figures.bootstrap import Interval

from .scores import CaseScore

COMMAND = "fadtk"
REFERENCE = "soundtrack"


def find_fadtk() -> str:
    """Path of the command. Raises `SettingError` where there is none."""
    found = shutil.which(COMMAND)
    if found is None:
        raise SettingError(
            f"The command {COMMAND} is not on the PATH; install it in an environment of its own"
            " (it wants older packages than this project) and add its folder, or leave --fadtk out."
        )
    return found


def fadtk_figures(model: str, scores: Sequence[CaseScore], folder: Path) -> dict[str, Any]:
    """The row `FAD (fadtk MODEL)`: music and unconditioned against the set's soundtracks.

    Sounds are written into `folder`. Empty where no dance has a soundtrack. Raises `SettingError`
    where fadtk fails.
    """
    columns = _write(scores, folder)
    reference = columns.pop(REFERENCE)
    if not reference:
        return {}
    found = {}
    for column, count in columns.items():
        away = distance(model, folder / REFERENCE, folder / column)
        found[column] = asdict(Interval(away, float("nan"), float("nan"), count))
    return {f"FAD ({COMMAND} {model}, to the soundtracks)": found}


def distance(model: str, reference: Path, music: Path) -> float:
    """fadtk's distance between two folders of sound. Raises `SettingError` where it fails."""
    table = music.parent / f"{music.name}.csv"
    table.unlink(missing_ok=True)
    call = [find_fadtk(), model, str(reference), str(music), str(table)]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    if done.returncode or not table.exists():
        said = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["nothing"]
        raise SettingError(f"{COMMAND} failed with {model} on {music}; it said: {said[0]}")
    with table.open(encoding="utf-8", newline="") as file:
        return float(list(csv.DictReader(file))[-1]["score"])


def _write(scores: Sequence[CaseScore], folder: Path) -> dict[str, int]:
    """One folder of WAV files per column; how many each has."""
    shutil.rmtree(folder, ignore_errors=True)
    columns: dict[str, int] = {"music": 0, "unconditioned": 0, REFERENCE: 0}
    for score in scores:
        case = score.case
        sounds: dict[str, Waveform | None] = {
            "music": case.take.wave,
            "unconditioned": case.free.wave,
            REFERENCE: case.dance.soundtrack,
        }
        for column, wave in sounds.items():
            if wave is not None:
                save_audio(wave, folder / column / f"{case.dance.name}.wav")
                columns[column] += 1
    return columns
