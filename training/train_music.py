"""Makes straight music, trains a codec on it, and a transformer on that codec's tokens: all of it.

    python -m training.train_music --run runs/music --minutes 600           # goes on where it was stopped
    python -m training.train_music --run runs/music --minutes 600 --stop-after 30
    python -m training.train_music --run runs/music --status                # says where it stands
    python -m training.train_music --run runs/gpu --minutes 10 --items DIR --codec DIR   # transformer alone

`--minutes` are those of both trainings; the music and its tokens are made besides. Every stage is a command
of its own that goes on from its folder in `--run`, so that all of it may be stopped anywhere. Where there
is a GPU the transformer is that of the preset `base` and computes in bfloat16.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from d2m_core.codec.encodec import FINISHER
from d2m_core.errors import SettingError, require
from d2m_core.files import replacing
from training.run.command import GOES_ON, STOPPED, command_parser, run_command
from training.run.flags import add_flags, config_from
from training.seeds import STRAIGHT_SEED

PROGRESS = "progress.json"
"""Which stages are done, and with which words."""

PATIENCE_S = 120.0
"""A stage that is asked to stop has so long to save what it has."""

LONG_MINUTES = 60.0
"""A training on a GPU that is shorter than this is not compiled, and warms up in fewer steps."""

_TELLING = 3
"""Lines of a training's log that its standing is told from, at most."""


@dataclass(frozen=True)
class MusicRun:
    """What is made; the command line is made from these fields."""

    run: Path = Path("runs/music")
    """Folder of all that is made."""
    minutes: float = 600.0
    """Of training, codec and transformer together; more may be asked for later."""
    codec_share: float = 0.3
    """Share of the minutes that the codec gets."""
    finisher_share: float = 0.15
    """Share that its finisher gets, which makes stereo and clear tones of its tokens; 0 trains none."""
    hours: float = 18.0
    """Of music."""
    bands: int = 1
    """Bands that each style has, with kit, mix and key of their own. With one the network learns soonest;
    give more where there is time, and as many more hours."""
    books: int = 4
    """Codebooks that the transformer writes."""
    stop_after: float = 0.0
    """Minutes after which this call ends, to be gone on with; 0 for never."""
    codec: str = ""
    """Folder of a finished codec; none is trained then."""
    items: str = ""
    """Folder of finished items; no music is made then, and `codec` is only named."""
    preset: str = "auto"
    """Of the transformer: auto, default (for a CPU), base or large."""
    threads: int = 0
    """Of each training on a CPU; 0 leaves the default."""
    workers: int = 0
    """Processes that make music and items; 0 takes one per core."""
    samples: str = ""
    """CC0 one-shots and loops for the band."""
    groove: str = ""
    """Groove MIDI Dataset for the band."""
    status: bool = False
    """Only say where it stands."""

    def __post_init__(self) -> None:
        require(self.minutes > 0, f"minutes is {self.minutes:g}; use more than 0.")
        shares = (self.codec_share, self.finisher_share)
        require(
            min(shares) >= 0 and sum(shares) < 1,
            f"codec_share and finisher_share are {shares}; use 0 or more, together less than 1.",
        )
        require(self.bands >= 0, f"bands is {self.bands}; use 1 or more (0: a new band plays every piece).")
        require(1 <= self.books <= 8, f"books is {self.books}; use 1 to 8.")
        require(
            self.preset in ("auto", "default", "base", "large"),
            f"preset is {self.preset!r}; choose auto, default, base or large.",
        )


@dataclass(frozen=True)
class Stage:
    """One command on the way."""

    name: str
    words: tuple[str, ...]
    """The command's module and flags."""
    log: Path | None = None
    """Its log of JSON lines, if it trains."""


def stages_of(settings: MusicRun, gpu: bool) -> list[Stage]:
    """The commands that are needed, in order."""
    run, found = settings.run, []
    codec, items = settings.codec or str(run / "codec"), settings.items or str(run / "items")
    if not settings.items:
        found.append(Stage("music", _music_words(settings)))
        if not settings.codec:
            found.append(Stage("codec", _codec_words(settings, gpu), run / "codec_run" / "log.jsonl"))
            if settings.finisher_share:
                words = _finisher_words(settings)
                found.append(Stage("finisher", words, run / "finisher_run" / "log.jsonl"))
        found.append(Stage("items", _item_words(settings, codec)))
    found.append(
        Stage("transformer", _model_words(settings, items, codec, gpu), run / "model_run" / "log.jsonl")
    )
    return found


def _music_words(settings: MusicRun) -> tuple[str, ...]:
    materials = [
        word
        for flag, folder in (("--samples", settings.samples), ("--groove", settings.groove))
        if folder
        for word in (flag, folder)
    ]
    return (
        "training.studio", "--out", str(settings.run / "pairs"), "--hours", f"{settings.hours:g}",
        "--seed", str(STRAIGHT_SEED), "--bands", str(settings.bands), "--any-tempo", "0.5", "--straight",
        "--workers", str(settings.workers), "--quiet", *materials,
    )  # fmt: skip


def _codec_words(settings: MusicRun, gpu: bool) -> tuple[str, ...]:
    run = settings.run
    size = ("--batch", "64", "--judges", "stft") if gpu else ("--batch", "6", "--device", "cpu")
    return (
        "training.train_codec", "--data", str(run / "pairs"), "--folder", str(run / "codec_run"),
        "--out", str(run / "codec"), "--name", f"{run.name}-codec", "--init", "weights/codec_3", "--straight",
        "--codebooks", "8", "--quantizer-dropout", "0.5", "--book-choices", str(settings.books),
        "--segment-s", "0.96", "--skipped-steps", "8", "--rate", "5e-4", "--warm-steps", "300",
        "--wave-weight", "2", "--tone-weight", "2", "--hum-weight", "20", "--line-weight", "3",
        "--minutes", f"{settings.minutes * settings.codec_share:g}", *size,
    )  # fmt: skip


def _finisher_words(settings: MusicRun) -> tuple[str, ...]:
    run = settings.run
    return (
        "training.tune_finisher", "--codec", str(run / "codec"), "--data", str(run / "pairs"),
        "--run", str(run / "finisher_run"), "--out", str(run / "codec" / FINISHER),
        "--books", str(settings.books), "--minutes", f"{settings.minutes * settings.finisher_share:g}",
    )  # fmt: skip


def _item_words(settings: MusicRun, codec: str) -> tuple[str, ...]:
    return (
        "training.encode_audio", "--data", str(settings.run / "pairs"), "--codec", codec,
        "--bandwidth", f"{settings.books / 2:g}", "--rhythm", "weights/rhythm.safetensors",
        "--out", str(settings.run / "items"), "--workers", str(settings.workers), "--straight",
    )  # fmt: skip


def _model_words(settings: MusicRun, items: str, codec: str, gpu: bool) -> tuple[str, ...]:
    run, preset = settings.run, settings.preset
    if preset == "auto":
        preset = "base" if gpu else "default"
    size: tuple[str, ...] = ("--place", "128", "--even-start")
    if gpu and settings.minutes < LONG_MINUTES:  # a network that is compiled soon pays for it later
        size = (*size, "--compile", "none", "--warmup-steps", "200")
    if preset == "default":
        size = (
            "--batch", "4", "--dim", "192", "--decoder-layers", "4", "--place", "96", "--dropout", "0",
            "--ema", "0.998", "--even-start",
        )  # fmt: skip
    share = 1.0
    if not (settings.codec or settings.items):
        share -= settings.codec_share + settings.finisher_share
    return (
        "training.train", "--preset", preset, "--data", items, "--folder", str(run / "model_run"),
        "--out", str(run / "model.safetensors"), "--codec", codec, "--straight", "--copies",
        "--minutes", f"{settings.minutes * share:g}", "--threads", str(settings.threads), *size,
    )  # fmt: skip


def go_on(settings: MusicRun, stages: Sequence[Stage]) -> str:
    """Runs what is not done yet; returns where it stands."""
    settings.run.mkdir(parents=True, exist_ok=True)
    end_s = time.monotonic() + 60 * settings.stop_after if settings.stop_after else None
    for stage in stages:
        if _is_done(settings.run, stage):
            continue
        if not _run(stage, end_s):
            break
        _note_done(settings.run, stage)
    return standing(settings.run, stages)


def _run(stage: Stage, end_s: float | None) -> bool:
    """Runs one stage until it is done or time is up; whether it is done. Raises `SettingError` where it
    failed: what it said stands above."""
    left_s = None if end_s is None else end_s - time.monotonic()
    if left_s is not None and left_s <= 0:
        return False
    command = [sys.executable, "-m", *stage.words]
    if left_s is not None and stage.log is not None:
        command += ["--stop-after", f"{left_s / 60:.4f}"]
    sys.stderr.write(f"{stage.name}: {' '.join(command[1:])}\n")
    with subprocess.Popen(command) as child:
        try:
            status = child.wait(None if left_s is None else left_s + PATIENCE_S * (stage.log is not None))
        except subprocess.TimeoutExpired:
            _stop(child)
            return False
        except KeyboardInterrupt:
            _stop(child)
            raise
    if status not in (0, STOPPED):
        raise SettingError(f"The stage {stage.name} ended with status {status}; see what it said above.")
    return status == 0 and (end_s is None or time.monotonic() < end_s)


def _stop(child: subprocess.Popen[bytes]) -> None:
    """Asks a stage to save and end, and ends it where it does not: all stages bear that."""
    child.send_signal(signal.SIGINT)
    try:
        child.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        child.terminate()


def standing(run: Path, stages: Sequence[Stage]) -> str:
    """A line for each stage: done or not, and what its training said last."""
    lines = []
    for stage in stages:
        state = "done" if _is_done(run, stage) else "to do"
        told = _last_lines(stage.log)
        if told and state != "done":
            state = "begun"
        lines.append(f"{stage.name}: {state}")
        lines += [f"    {line}" for line in told]
    return "\n".join(lines) + "\n"


def _last_lines(path: Path | None) -> list[str]:
    """The last line of each kind in a log, shortened."""
    if path is None or not path.exists():
        return []
    last: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        kind = row.get("name") or ("held out" if "repeats" in row else "train")
        last[kind] = line if len(line) <= 400 else line[:397] + "..."
    return list(last.values())[-_TELLING:]


def _done(run: Path) -> dict[str, list[str]]:
    path = run / PROGRESS
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _is_done(run: Path, stage: Stage) -> bool:
    return _done(run).get(stage.name) == list(stage.words)


def _note_done(run: Path, stage: Stage) -> None:
    with replacing(run / PROGRESS) as partial:
        partial.write_text(json.dumps({**_done(run), stage.name: stage.words}, indent=1), encoding="utf-8")


def parser() -> argparse.ArgumentParser:
    """The flags, which are the fields of `MusicRun`."""
    found = command_parser("train_music", __doc__)
    add_flags(found, MusicRun)
    return found


def _work(words: list[str]) -> str:
    settings = config_from(MusicRun, parser().parse_args(words))
    stages = stages_of(settings, torch.cuda.is_available())
    return standing(settings.run, stages) if settings.status else go_on(settings, stages)


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    return run_command(_work, argv, GOES_ON)


if __name__ == "__main__":
    raise SystemExit(main())
