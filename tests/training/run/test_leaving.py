"""A process of several that train together ends at once; one alone goes on."""

from __future__ import annotations

import subprocess
import sys

from training.run.leaving import leave
from training.run.provenance import ROOT

_ONE_OF_A_GROUP = """
import atexit, sys
from training.run.command import run_command
atexit.register(lambda: print("taken down"))

def work(words):
    import torch.distributed as together
    from pathlib import Path
    together.init_process_group("gloo", init_method=Path(words[0]).as_uri(), rank=0, world_size=1)
    return "said\\n"

sys.exit(run_command(work, sys.argv[1:]))
"""


def test_alone_a_process_goes_on() -> None:
    leave()


def test_one_of_a_group_says_what_it_has_to_say_and_is_not_taken_down(tmp_path: object) -> None:
    command = [sys.executable, "-c", _ONE_OF_A_GROUP, f"{tmp_path}/meet"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "said\n"), done.stderr
