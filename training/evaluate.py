"""Scores of the whole chain, each beside the controls that keep it honest.

    python -m training.evaluate music [--sets SET ...] [--melody DIR] [--clips DIR] [--long]
    python -m training.evaluate rhythm [--sets SET ...] [--melody DIR] [--clips DIR]
    python -m training.evaluate people [--method tracks|followed|video] [--dancer RULE] [--groups N]
    python -m training.evaluate clips FOLDER

`music`: dances the networks never saw go in, music comes out and is scored
(`training.scoreboard.music.board`; columns in `training.scoreboard.music.scores`).
`rhythm`: beats and accents found in sets of dances and clips
(`training.scoreboard.rhythm_sets`), one table for each. `people`: whether
identities are kept and the right one is followed in drawn groups (`training.scoreboard.people_scores`
has the definitions). `clips`: every video in a folder runs from file to
music. Results are printed as tables and written as JSON into `runs/evaluate/`, those of `music`
with pages of pictures into `runs/evaluate/music/`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from d2m_core.errors import D2MError
from d2m_core.files import replacing
from d2m_core.media import load_audio
from d2m_core.music import SamplingConfig
from d2m_core.pipeline import Models, dance_to_music, load_models, write_result
from d2m_core.rhythm import rhythm_from_audio
from d2m_core.scores import Meeting, beat_f_chance, meeting_of
from training.figures.tables import table
from training.run.command import GOES_ON, command_parser, run_command
from training.scoreboard.music.board import add_music_flags, music_scores
from training.scoreboard.people import add_people_flags, people_scores
from training.scoreboard.rhythm_sets import add_rhythm_flags, rhythm_scores, videos_in


def score_clip(path: Path, models: Models, out: Path) -> dict:
    """Runs one real clip from file to music; where it has sound, its beats against the sound's."""
    started = time.perf_counter()
    result = dance_to_music(path, models, SamplingConfig())
    write_result(result, out / f"{path.stem}_music.mp4")
    facts = {
        "clip": path.name,
        "seconds": round(result.clip.duration_s, 2),
        "found": round(float(result.poses.present.mean()), 3),
        "bpm": round(result.rhythm.tempo_bpm, 1),
        "confidence": round(result.rhythm.confidence, 2),
        "real_time": round((time.perf_counter() - started) / result.clip.duration_s, 2),
    }
    heard = rhythm_from_audio(result.audio)
    facts |= _met("music", meeting_of(result.rhythm.beats_s, heard.beats_s))
    facts["music_confidence"] = round(heard.confidence, 2)
    if result.clip.has_audio:
        own = rhythm_from_audio(load_audio(path, duration_s=result.clip.duration_s, mono=True))
        found = result.rhythm.beats_s
        facts |= _met("song", meeting_of(own.beats_s, found))
        facts["song_f_rotated"] = round(beat_f_chance(own.beats_s, found, result.clip.duration_s), 2)
        facts["song_bpm"] = round(own.tempo_bpm, 1)
    return facts


def _met(what: str, met: Meeting) -> dict[str, float | str]:
    """Beat F, with AMLt and how else the grids fit beside it."""
    return {f"{what}_f": round(met.f, 2), f"{what}_amlt": round(met.amlt, 2), f"{what}_way": met.way}


def _clips(args: argparse.Namespace) -> tuple[list[dict], str]:
    videos, models, rows = videos_in(args.folder), load_models(), []
    for path in videos:
        try:
            rows.append(score_clip(path, models, args.out))
        except D2MError as error:
            rows.append({"clip": path.name, "error": str(error)})
    return rows, table(rows)


def parser() -> argparse.ArgumentParser:
    """The flags of all of them."""
    found = command_parser("evaluate", __doc__)
    found.add_argument("--out", type=Path, default=Path("runs/evaluate"), help="folder [%(default)s]")
    commands = found.add_subparsers(dest="what", required=True)
    music = commands.add_parser("music", help="music for unseen dances, with all controls")
    add_music_flags(music)
    add_rhythm_flags(commands.add_parser("rhythm", help="beats and accents found in sets of dances"))
    add_people_flags(commands.add_parser("people", help="identities and the one followed in drawn groups"))
    clips = commands.add_parser("clips", help="every video in a folder, from file to music")
    clips.add_argument("folder", type=Path)
    return found


def _work(words: list[str]) -> str:
    args = parser().parse_args(words)
    commands = {"music": music_scores, "rhythm": rhythm_scores, "people": people_scores, "clips": _clips}
    result: Any
    result, text = commands[args.what](args)
    if args.what != "music":  # which has written it beside its pictures
        with replacing(args.out / f"{args.what}.json") as partial:
            partial.write_text(json.dumps(result, indent=1))
    return text


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    return run_command(_work, argv, GOES_ON)


if __name__ == "__main__":
    raise SystemExit(main())
