"""Builds as a script must not: run by a test of the words that are said then."""

import sys
from pathlib import Path

from d2m_core.errors import SettingError
from tests.training.builder.workers import job, work
from training.builder.engine import Queue, run_local

try:
    list(run_local(work, Queue([job("a", Path(sys.argv[1]))]), workers=1))
except SettingError as error:
    sys.stdout.write(f"{error}\n")
