"""A run of the chain, from flags to files."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from ..errors import D2MError
from ..flags import build_parser
from ..media.blocks import Blocks
from ..media.sound import in_blocks, own_sound, with_own_sound
from ..motion import dance_accents
from ..notices import Notice
from ..pictures import overlay_video, rhythm_picture, save_png
from ..pipeline import DanceMusic, StageProgress, dance_to_music, write_result
from .checks import Job, check
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
        job = check(args)
        result = _run(args, job)
    except D2MError as error:
        sys.stderr.write("".join(f"error: {line}\n" for line in str(error).split("\n")))
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        return 130
    files = job.files.paths
    report = json.dumps(summary(result, files), indent=2) + "\n" if args.json else in_words(result, files)
    sys.stdout.write(report)
    return 0


def run(args: argparse.Namespace) -> DanceMusic:
    """Runs the chain that parsed `args` ask for and writes its files."""
    return _run(args, check(args))


def _run(args: argparse.Namespace, job: Job) -> DanceMusic:
    with _said() as said, progress_bars(not args.quiet) as on_progress:
        for notice in job.files.notices:
            _log.warning("%s", notice)
        result = dance_to_music(job.clip, job.models, settings=job.settings, on_progress=on_progress)
        for found in result.notices:
            _log.warning("%s", found.text)
        _write(args, job, result, on_progress)
    told = {found.text for found in result.notices}
    more = tuple(Notice(None, text, kind) for text, kind in said.items() if text not in told)
    return replace(result, notices=(*result.notices, *more))


def _write(args: argparse.Namespace, job: Job, result: DanceMusic, on_progress: StageProgress) -> None:
    files, gain = job.files, args.keep_original_audio
    tags = {"comment": f"seed {job.settings.sampling.seed}"}
    write_result(result, files.music.path, gain, tags, files.music.recode)
    if not files.others:
        return
    accents = dance_accents(result.poses)
    if overlay := files.others.get("overlay"):
        overlay_video(
            job.clip,
            result.poses,
            overlay.path,
            rhythm=result.rhythm,
            accents=accents,
            on_progress=lambda done, total: on_progress("overlay", done, total),
            sound=_overlay_sound(args.overlay_sound, result, gain),
        )
    if picture := files.others.get("picture"):
        save_png(rhythm_picture(result.rhythm, result.audio, accents=accents), picture.path)


def _overlay_sound(kind: str, result: DanceMusic, gain: float) -> Blocks | None:
    if kind == "none":
        return None
    if kind == "own":
        return own_sound(result.clip)
    return with_own_sound(result.audio, result.clip, gain) if gain else in_blocks(result.audio)


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
