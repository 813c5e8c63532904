"""Builds in copies of this process: for machines where starting takes longer than the work."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import subprocess
import sys

from training import build_dataset
from training.builder import engine

_LOADED = ("mediapipe", "librosa", "transformers", "training.builder.clips")


def load() -> None:
    """Loads what builds need; before the first `Fork`."""
    for name in _LOADED:
        importlib.import_module(name)


class Fork:
    """A build that finds all modules loaded, as do its workers; a kill hits it like any process."""

    def __init__(self, flags: list[str]) -> None:
        self._process = multiprocessing.get_context("fork").Process(target=_build, args=(flags,))
        self._process.start()

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status. Raises `subprocess.TimeoutExpired` while it runs."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("build_dataset", timeout or 0.0)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, number)


class _Forking:
    """In the place of `multiprocessing` in the engine."""

    @staticmethod
    def get_context(_: str) -> multiprocessing.context.ForkContext:
        return multiprocessing.get_context("fork")


def _build(flags: list[str]) -> None:
    engine.multiprocessing = _Forking  # type: ignore[assignment,misc]
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115  # of this process, to its end
    os._exit(build_dataset.main(flags))
