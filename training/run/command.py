"""How every command begins and ends: its words, one sentence where something is wrong, a clean stop."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence

from d2m_core.errors import D2MError

from .leaving import leave

GOES_ON = "Stopped; the same command goes on from what was saved last."
"""What is said after Ctrl-C where nothing, or little, is lost."""

STOPPED = 130
"""Exit status after Ctrl-C, as shells have it."""


def command_parser(name: str, about: str | None) -> argparse.ArgumentParser:
    """The parser of `python -m training.NAME`, whose help begins with `about` as it stands."""
    return argparse.ArgumentParser(
        f"python -m training.{name}", description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def run_command(
    work: Callable[[list[str]], str | None], argv: Sequence[str] | None, stopped: str = "Stopped."
) -> int:
    """Does the `work` of a command on its words (None: the program's); returns the exit status.

    What the work returns goes to stdout. A `D2MError` becomes one sentence on stderr and status 1,
    Ctrl-C the sentence `stopped` and status 130; any other exception is a fault of ours and stays. A process
    of several that train together ends here (`leave`).
    """
    words = sys.argv[1:] if argv is None else list(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        text = work(words)
    except D2MError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write(f"{stopped}\n")
        return STOPPED
    sys.stdout.write(text or "")
    leave()
    return 0
