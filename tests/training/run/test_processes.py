"""Why a worker died: said as it was, never as a guess."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from d2m_core.errors import SettingError
from training.run.processes import run
from training.run.provenance import ROOT


def test_results_come_back() -> None:
    assert sorted(run(abs, [(-1,), (2,), (-3,)], workers=2)) == [1, 2, 3]


@pytest.mark.parametrize(
    ("end", "given", "words"),
    [
        (signal.raise_signal, signal.SIGKILL, "want of memory; use fewer --workers"),
        (signal.raise_signal, signal.SIGABRT, "ended by SIGABRT in the middle of its work"),
        (os._exit, 3, "ended with exit code 3 in the middle of its work"),
    ],
)
def test_a_worker_that_dies_is_said_to_have_died_of_that(end: object, given: int, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        list(run(end, [(given,)], workers=1))  # type: ignore[arg-type]


def test_a_script_without_a_guard_is_told_so() -> None:
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("guardless.py"))],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=120,
        check=False,
    )
    assert "A worker process could not begin" in done.stdout
    assert "__name__ == '__main__'" in done.stdout
    assert "memory" not in done.stdout
