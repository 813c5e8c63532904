"""`make demo`: a drawn dance, or a clip of yours, goes through the whole chain into `out/`.

The transformer writes music for one film, the band plays for another, and both are scored.

    python -m training.demo [CLIP] [--out out] [--style STYLE] [--seed SEED]

Without a clip, a dancer is drawn whose beats are known, and what was found is held against them.
A run whose inputs have not changed since the last one is not repeated.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from d2m_core.band import BandTake, play_band
from d2m_core.cli import progress_bars, summary
from d2m_core.errors import MediaError
from d2m_core.files import replacing
from d2m_core.media import fit_length
from d2m_core.media.mux import mux
from d2m_core.midi import band_midi, save_midi
from d2m_core.music import SamplingConfig
from d2m_core.pictures import overlay_video, rhythm_picture, save_png
from d2m_core.pipeline import DanceMusic, dance_to_music, load_models, write_result
from d2m_core.scores import MusicScore, meeting_of, score_music
from training.run.command import command_parser, run_command
from training.run.kept import kept, recipe
from training.run.provenance import ROOT
from training.seeds import DEMO_SEED
from training.studio.picture.drawing import demo_dance, facts, render_scene

DRAWN: dict[str, Any] = {
    "seed": DEMO_SEED,
    "tempo_bpm": 118.0,
    "duration_s": 12.0,
    "width": 1280,
    "height": 720,
    "fps": 30.0,
}
"""The demo dance, which no weights were trained on."""
RESULTS = ("demo.mp4", "demo.wav", "demo_band.mp4", "demo_band.mid", "demo_poses.mp4", "demo_rhythm.png")
COMPARED = 5
"""So many figures of a score are shown: those that need no poses of a real body."""


def parser() -> argparse.ArgumentParser:
    """The flags."""
    found = command_parser("demo", __doc__)
    found.add_argument("clip", nargs="?", type=Path, help="your video; without it a dance is drawn")
    found.add_argument("--out", type=Path, default=Path("out"), help="folder [%(default)s]")
    found.add_argument("--style", help="style of the music")
    found.add_argument("--seed", type=int, default=0, help="seed of the music [%(default)s]")
    return found


def _work(words: list[str]) -> str:
    args = parser().parse_args(words)
    args.out.mkdir(parents=True, exist_ok=True)
    return _demo(args)


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    return run_command(_work, argv)


def _demo(args: argparse.Namespace) -> str:
    clip, truth = (args.clip, None) if args.clip else _drawn_clip(args.out)
    report, key = args.out / "demo.json", _key(clip, args)
    if report.exists() and all((args.out / name).exists() for name in RESULTS):
        saved = json.loads(report.read_text())
        if saved["key"] == key:
            return saved["text"] + "\nNothing has changed since; remove out/ to run it again.\n"
    result = _run(clip, args)
    take = _play(result, args)
    text = _describe(result, take, truth, args.out)
    with replacing(report) as partial:
        partial.write_text(json.dumps({"key": key, "text": text, **summary(result)}, indent=2))
    return text


def _drawn_clip(out: Path) -> tuple[Path, dict]:
    """The demo dance and its true beats; drawn once."""
    width, height, fps = DRAWN["width"], DRAWN["height"], DRAWN["fps"]
    scene = demo_dance(DRAWN["seed"], DRAWN["tempo_bpm"], DRAWN["duration_s"], fps, width / height)
    clip = kept(
        out,
        "demo_clip.mp4",
        recipe(demo_dance, render_scene, **DRAWN),
        lambda path: render_scene(scene, path, width, height, fps),
        lambda path: path,
    )
    return clip, facts(scene)


def _key(clip: Path, args: argparse.Namespace) -> str:
    """Changes when the clip, the settings, the weights or the code do. Raises `MediaError`."""
    if not clip.is_file():
        raise MediaError(f"There is no video at {clip}; check the path.")
    kinds = (".json", ".safetensors")
    weights = sorted(path for path in (ROOT / "weights").rglob("*") if path.suffix in kinds)
    return recipe(main, files=[clip, *weights], style=args.style, seed=args.seed).key


def _run(clip: Path, args: argparse.Namespace) -> DanceMusic:
    models = load_models()
    sampling = SamplingConfig(seed=args.seed, style=args.style)
    with progress_bars(sys.stderr.isatty()) as on_progress:
        result = dance_to_music(clip, models, sampling, on_progress=on_progress)
        write_result(result, args.out / "demo.mp4")
        write_result(result, args.out / "demo.wav")
        overlay_video(
            result.clip,
            result.poses,
            args.out / "demo_poses.mp4",
            rhythm=result.rhythm,
            on_progress=lambda done, total: on_progress("overlay", done, total),
        )
    save_png(rhythm_picture(result.rhythm, result.audio), args.out / "demo_rhythm.png")
    return result


def _play(result: DanceMusic, args: argparse.Namespace) -> BandTake:
    """The band's film, and its notes."""
    take = play_band(result.rhythm, result.motion, args.style or "any", args.seed)
    mux(result.clip, fit_length(take.mix, result.clip.duration_s), args.out / "demo_band.mp4")
    midi = band_midi(take, result.rhythm, result.clip.duration_s)
    save_midi(midi, args.out / "demo_band.mid")
    return take


def _describe(result: DanceMusic, take: BandTake, truth: dict | None, out: Path) -> str:
    facts = summary(result)
    length_s = result.clip.duration_s
    scores = [score_music(wave, result.rhythm, result.poses, length_s) for wave in (result.audio, take.mix)]
    heard = scores[0].music
    lines = [
        f"clip          {result.clip.width}x{result.clip.height}, {result.clip.duration_s:.1f} s, "
        f"dancer found in {100 * facts['dancer_found']:.0f} % of the frames",
        "seconds       " + ", ".join(f"{stage} {s:.1f}" for stage, s in facts["seconds"].items()),
        f"real time     {facts['real_time_factor']:.2f} x the clip's length",
        f"rhythm        {facts['tempo_bpm']:.1f} BPM, {len(facts['beats_s'])} beats, "
        f"confidence {facts['confidence']:.2f}",
        f"music         {heard.tempo_bpm:.1f} BPM heard in it, confidence {heard.confidence:.2f}; its beats "
        f"against the rhythm's: {meeting_of(result.rhythm.beats_s, heard.beats_s)}",
        f"band          {take.text.splitlines()[0]}; {len(take.notes)} notes; against the rhythm: "
        f"{meeting_of(result.rhythm.beats_s, scores[1].music.beats_s)}",
        *_compared(*scores),
    ]
    if truth:
        true_s = np.asarray(truth["beats_s"])
        lines += [
            f"true dance    {truth['tempo_bpm']:.1f} BPM, {len(true_s)} beats; rhythm against it: "
            f"{meeting_of(true_s, result.rhythm.beats_s)}; music against it: "
            f"{meeting_of(true_s, heard.beats_s)}; band: {meeting_of(true_s, scores[1].music.beats_s)} "
            "(F: beats within 70 ms; AMLt: also half, double, off-beat)"
        ]
    lines.append("wrote         " + ", ".join(str(out / name) for name in RESULTS))
    return "\n".join(lines) + "\n"


def _compared(music: MusicScore, band: MusicScore) -> list[str]:
    """A line for each figure of both, with what other phases of the beat would reach."""
    lines = [f"{'scores':<38} transformer (chance)   band (chance)"]
    for ours, theirs in zip(music.scores[:COMPARED], band.scores[:COMPARED], strict=True):
        columns = [f"{score.value:11.2f} {_chance(score.chance):>8}" for score in (ours, theirs)]
        lines.append(f"  {ours.name:<36} {columns[0]}   {columns[1].strip():>15}")
    return lines


def _chance(value: float) -> str:
    return "" if np.isnan(value) else f"({value:.2f})"


if __name__ == "__main__":
    raise SystemExit(main())
