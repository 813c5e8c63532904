"""Starts workers as a script must not: run by a test of the words that are said then."""

import sys

from d2m_core.errors import SettingError
from training.run.processes import run

try:
    list(run(abs, [(1,), (2,)], workers=2))
except SettingError as error:
    sys.stdout.write(f"{error}\n")
