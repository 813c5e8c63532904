"""Scores of the whole chain, each beside the controls that keep it honest.

    python -m training.evaluate music --dances 24
    python -m training.evaluate rhythm [--sets SET ...] [--melody DIR] [--clips DIR]
    python -m training.evaluate clips FOLDER

`music`: dances the networks never saw go in, music comes out; beats tracked in the music are held
against the beats that were asked for. `rhythm`: beats and accents found in sets of dances and clips
(`training.evaluate_rhythm`), one table for each. `clips`: every video in a folder runs from file to
music. Results are printed as a table and written as JSON into `runs/evaluate/`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from d2m_core.audio import load_audio, save_audio
from d2m_core.codec import decode_tokens
from d2m_core.config import SamplingConfig
from d2m_core.errors import D2MError
from d2m_core.files import replacing
from d2m_core.metrics import beat_f, beat_f_chance, tempo_correct
from d2m_core.motion import extract_motion
from d2m_core.pipeline import Models, dance_to_music, load_models, write_result
from d2m_core.rhythm import rhythm_from_audio, rhythm_from_motion
from d2m_core.sampling import generate_tokens
from d2m_core.types import MotionFeatures, Rhythm, Waveform
from training.evaluate_rhythm import add_rhythm_flags, rhythm_scores, videos_in
from training.madmom_beats import installed, madmom_beats
from training.seeds import UNSEEN_SEED
from training.studio.pairs import see
from training.studio.plan import make_plan
from training.studio.stage.scene import stage
from training.tables import table, with_means


@dataclass(frozen=True)
class MusicScore:
    """One dance: how its music fits the beats that were asked for."""

    style: str
    tempo_bpm: float
    f: float
    """Beats heard in the music, tempo unknown to the tracker, against the requested beats."""
    f_hinted: float
    """The same with the tracker told the requested tempo: no octave errors, phase alone decides."""
    shuffled: float
    """The same music against the beats of the next dance in the list."""
    shuffled_hinted: float
    rotated: float
    """The same beats against the requested beats at random phase."""
    unconditioned: float
    """Music made without dance and rhythm, against the requested beats."""
    tempo_right: bool
    madmom: float | None = None
    """As `f`, by madmom's tracker, where it is installed."""
    madmom_shuffled: float | None = None
    madmom_free: float | None = None
    """As `unconditioned`, by madmom's tracker."""


def unseen_dance(number: int, duration_s: float) -> tuple[MotionFeatures, np.ndarray, float]:
    """Motion, true beats and tempo of a dance that no training run saw."""
    seed = UNSEEN_SEED + number
    plan = make_plan(seed, duration_s)
    motion = extract_motion(see(stage(plan, seed)))
    return motion, plan.beats_s, plan.tempo_bpm


def score_music(
    models: Models, dances: int, duration_s: float, keep: Path | None
) -> list[MusicScore]:
    """Generates music for `dances` unseen dances and scores it. `keep`: folder for the sound."""
    asked: list[tuple[MotionFeatures, Rhythm]] = []
    for number in range(dances):
        motion, _, _ = unseen_dance(number, duration_s)
        asked.append((motion, rhythm_from_motion(motion, models.rhythm)))
    scores = []
    styles = models.model.model.config.styles
    for number, (motion, rhythm) in enumerate(tqdm(asked, desc="dances")):
        sampling = SamplingConfig(seed=number, style=styles[number % len(styles)])
        other = asked[(number + 1) % dances][1]
        scores.append(_score_one(models, motion, rhythm, other, sampling, keep))
    return scores


def _score_one(
    models: Models, motion: MotionFeatures, rhythm: Rhythm, other: Rhythm,
    sampling: SamplingConfig, keep: Path | None,
) -> MusicScore:  # fmt: skip
    duration_s = rhythm.duration_s
    tokens = generate_tokens(models.model, motion, rhythm, models.codec.spec, sampling)
    wave = decode_tokens(models.codec, tokens, duration_s)
    free = generate_tokens(
        models.model,
        None,
        None,
        models.codec.spec,
        replace(sampling, guidance=1.0),
        duration_s=duration_s,
    )
    free_wave = decode_tokens(models.codec, free, duration_s)
    unasked = rhythm_from_audio(free_wave)
    if keep:
        save_audio(wave, keep / f"{sampling.seed:02d}_{sampling.style}.wav")
    heard, hinted = rhythm_from_audio(wave), rhythm_from_audio(wave, rhythm.tempo_bpm)
    hinted_other = rhythm_from_audio(wave, other.tempo_bpm)
    return MusicScore(
        style=str(sampling.style),
        tempo_bpm=round(rhythm.tempo_bpm, 1),
        f=beat_f(rhythm.beats_s, heard.beats_s),
        f_hinted=beat_f(rhythm.beats_s, hinted.beats_s),
        shuffled=beat_f(other.beats_s, heard.beats_s),
        shuffled_hinted=beat_f(other.beats_s, hinted_other.beats_s),
        rotated=beat_f_chance(rhythm.beats_s, heard.beats_s, duration_s),
        unconditioned=beat_f(rhythm.beats_s, unasked.beats_s),
        tempo_right=tempo_correct(rhythm.tempo_bpm, heard.tempo_bpm),
        **_madmom_scores(wave, free_wave, rhythm, other),
    )


def _madmom_scores(
    wave: Waveform, free: Waveform, rhythm: Rhythm, other: Rhythm
) -> dict[str, float]:
    if not installed():
        return {}
    heard = madmom_beats(wave)
    return {
        "madmom": beat_f(rhythm.beats_s, heard),
        "madmom_shuffled": beat_f(other.beats_s, heard),
        "madmom_free": beat_f(rhythm.beats_s, madmom_beats(free)),
    }


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
    facts["music_f"] = round(beat_f(result.rhythm.beats_s, heard.beats_s), 2)
    if result.clip.has_audio:
        own = rhythm_from_audio(load_audio(path, duration_s=result.clip.duration_s, mono=True))
        found = result.rhythm.beats_s
        facts["song_f"] = round(beat_f(own.beats_s, found), 2)
        facts["song_f_rotated"] = round(
            beat_f_chance(own.beats_s, found, result.clip.duration_s), 2
        )
        facts["song_bpm"] = round(own.tempo_bpm, 1)
    return facts


def _music(args: argparse.Namespace) -> tuple[list[dict], str]:
    scores = score_music(load_models(), args.dances, args.seconds, args.out / "music")
    rows = with_means([asdict(score) for score in scores], "style")
    return rows, table(rows)


def _clips(args: argparse.Namespace) -> tuple[list[dict], str]:
    videos, models, rows = videos_in(args.folder), load_models(), []
    for path in videos:
        try:
            rows.append(score_clip(path, models, args.out))
        except D2MError as error:
            rows.append({"clip": path.name, "error": str(error)})
    return rows, table(rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Scores of the whole chain, with controls.")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/evaluate"), help="folder [%(default)s]"
    )
    commands = parser.add_subparsers(dest="what", required=True)
    music = commands.add_parser("music", help="music for unseen dances against the beats asked for")
    music.add_argument("--dances", type=int, default=24, help="how many [%(default)s]")
    music.add_argument("--seconds", type=float, default=10.0, help="of each [%(default)s]")
    add_rhythm_flags(
        commands.add_parser("rhythm", help="beats and accents found in sets of dances")
    )
    clips = commands.add_parser("clips", help="every video in a folder, from file to music")
    clips.add_argument("folder", type=Path)
    return parser


def main(argv: list[str] | None = None) -> int:
    args = _parser().parse_args(argv)
    commands = {"music": _music, "rhythm": rhythm_scores, "clips": _clips}
    result: Any
    try:
        result, text = commands[args.what](args)
    except D2MError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    with replacing(args.out / f"{args.what}.json") as partial:
        partial.write_text(json.dumps(result, indent=1))
    sys.stdout.write(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
