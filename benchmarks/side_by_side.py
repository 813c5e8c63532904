"""Several programs doing the same in turns, each in a process of its own: ratios hold on a busy machine.

A runner is a Python file that is started with the folder of a checkout in front of its search path and
settings as JSON; it answers every line on its input with one line of JSON. So yesterday's commit, today's
and another library stand beside each other in one run.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Runner:
    """What is run: a file beside this one, on the `d2m_core` of a checkout."""

    file: str
    settings: Mapping[str, object]
    root: Path = ROOT


def in_turns(runners: Mapping[str, Runner], rounds: int) -> dict[str, dict[str, float]]:
    """Medians of what each runner answers in `rounds` rounds; a round before them does not count."""
    answers: dict[str, list[dict[str, float]]] = {name: [] for name in runners}
    with ExitStack() as stack:
        started = {name: stack.enter_context(_started(each)) for name, each in runners.items()}
        for counts in [False] + [True] * rounds:
            for name, ask in started.items():
                answer = ask()
                if counts:
                    answers[name].append(answer)
    return {
        name: {key: statistics.median(answer[key] for answer in given) for key in given[0]}
        for name, given in answers.items()
    }


@contextmanager
def _started(runner: Runner) -> Iterator[Callable[[], dict[str, float]]]:
    environment = dict(os.environ, PYTHONPATH=str(runner.root))
    command = [sys.executable, str(ROOT / "benchmarks" / runner.file), json.dumps(dict(runner.settings))]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=runner.root
    )
    assert process.stdin is not None
    assert process.stdout is not None
    stdin, stdout = process.stdin, process.stdout

    def ask() -> dict[str, float]:
        stdin.write("go\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            raise SystemExit(f"{runner.file} on {runner.root.name} stopped; see its error above.")
        return json.loads(line)

    try:
        yield ask
    finally:
        stdin.close()
        process.wait()


def answer_each_line(run: Callable[[], dict[str, float]]) -> None:
    """What a runner does: `run` for every line on standard input, its answer as JSON."""
    for _ in sys.stdin:
        sys.stdout.write(json.dumps(run()) + "\n")
        sys.stdout.flush()
