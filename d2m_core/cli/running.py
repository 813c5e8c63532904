"""A run of the chain, from flags to files."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from ..band import find_instruments
from ..errors import D2MError
from ..flags import build_parser
from ..music import play
from ..notices import Notice
from ..pipeline import DanceMusic, Listen, StageProgress, band_to_dance, dance_to_music
from ..pose.model_file import model_folder
from .checks import Job, check
from .outputs import write_outputs
from .progress import progress_bars
from .report import in_words, summary

_log = logging.getLogger(__name__)
_CORE = __name__.partition(".")[0]


def main(argv: list[str] | None = None) -> int:
    """The command line: its exit status."""
    return main_of(build_parser().parse_args(argv))


def main_of(args: argparse.Namespace) -> int:
    """What `main` does with parsed flags."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    try:
        done = _run(args)
    except D2MError as error:
        sys.stderr.write("".join(f"error: {line}\n" for line in str(error).split("\n")))
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        return 130
    report = json.dumps(summary(done.result, done.files), indent=2) + "\n" if args.json else in_words(*done)
    sys.stdout.write(report)
    return 0


def run(args: argparse.Namespace) -> DanceMusic:
    """Runs the chain that parsed `args` ask for and writes its files."""
    return _run(args).result


class Done(NamedTuple):
    """A run that ended well."""

    result: DanceMusic
    files: dict[str, Any]
    """Paths by what they are."""


def _run(args: argparse.Namespace) -> Done:
    with _said() as said:
        job = check(args)
        for notice in job.files.music.notices:
            _log.warning("%s", notice)
        with progress_bars(not args.quiet) as on_progress:
            result = _music(args, job, on_progress)
            for found in result.notices:
                _log.warning("%s", found.text)
            files = write_outputs(job.files, args, result, on_progress)
    told = {found.text for found in result.notices}
    more = tuple(Notice(None, text, kind) for text, kind in said.items() if text not in told)
    return Done(replace(result, notices=(*result.notices, *more)), files)


def _music(args: argparse.Namespace, job: Job, on_progress: StageProgress) -> DanceMusic:
    how: dict[str, Any] = {
        "keep_poses": not args.no_pose_cache,
        "listen": _listen(args),
        "on_progress": on_progress,
    }
    if job.models is None:
        fetched = partial(on_progress, "instruments")
        found = find_instruments(model_folder(), download=args.download_instruments, on_progress=fetched)
        stems = args.stems is not None
        return band_to_dance(job.clip, job.net, job.settings, instruments=found, stems=stems, **how)
    return dance_to_music(job.clip, job.models, settings=job.settings, **how)


def _listen(args: argparse.Namespace) -> Listen | None:
    """Who hears the music while it is written."""
    if args.play_into is not None:
        return partial(play, into=args.play_into)
    return play if args.play else None


class _Listener(logging.Handler):
    """Keeps what the core warns of, for programs to read; people read it as it comes."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: dict[str, str] = {}

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.setdefault(record.getMessage(), record.name.rpartition(".")[2])


@contextmanager
def _said() -> Iterator[dict[str, str]]:
    """Warnings of the core while the block runs: their texts, and who said them."""
    listener, core = _Listener(), logging.getLogger(_CORE)
    core.addHandler(listener)
    try:
        yield listener.texts
    finally:
        core.removeHandler(listener)
