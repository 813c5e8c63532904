"""The chain on the command line: `python -m d2m_core CLIP -o OUT`."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import D2MError
from .media import open_clip
from .media.plan import RECODE
from .motion import find_accents
from .music import SamplingConfig
from .pictures import overlay_video, rhythm_picture, save_png
from .pipeline import DanceMusic, StageProgress, dance_to_music, load_models, plan_outputs, write_result
from .pose import POSE_MODELS

_log = logging.getLogger(__name__)

EPILOG = """\
examples:
  python -m d2m_core dance.mp4 -o dance_with_music.mp4
  python -m d2m_core dance.mp4 -o house.wav --style house --tempo 122 --seed 3
  python -m d2m_core duo.mp4 -o out.mp4 --people 2 --dancer most_active --keep-original-audio 0.3

The output's suffix decides what is written: .mp4, .mov and .mkv hold the clip with the music, .wav,
.flac, .mp3, .opus and .m4a the music alone. The clip's picture stays untouched; where it cannot be
copied it is coded again (see --recode). The same clip, settings and seed give the same music on the
same device. Exit status: 0 done, 1 an error that one
sentence on standard error explains, 130 stopped by Ctrl-C."""


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m d2m_core",
        description="Turn a video of someone dancing into music in time with the dance.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("clip", type=Path, help="video of a dance; any length of 1 s and more, size and frame rate")
    add("-o", "--out", type=Path, required=True, help="file to write; see below")
    _add_music(parser.add_argument_group("music"))
    _add_dance(parser.add_argument_group("dance"))
    _add_files(parser.add_argument_group("weights and device"))
    extra = parser.add_argument_group("also write")
    extra.add_argument(
        "--overlay", type=Path, help="the clip with skeleton, beats and accents drawn in (.mp4)"
    )
    extra.add_argument("--picture", type=Path, help="a picture of rhythm and music (.png)")
    add(
        "--recode",
        choices=RECODE,
        default=RECODE[0],
        help="code the pictures again: where they cannot be copied, never (copy), always [%(default)s]",
    )
    add("--json", action="store_true", help="print what was found as JSON on standard output")
    add("-q", "--quiet", action="store_true", help="no progress bars")
    return parser


def _add_music(music: argparse._ArgumentGroup) -> None:
    default = SamplingConfig()
    music.add_argument("--style", help="style of the music; by default the model chooses from the dance")
    music.add_argument("--tempo", type=float, help="lock the tempo, in BPM; by default it is found")
    music.add_argument(
        "--seed", type=int, default=default.seed, help="another seed, other music [%(default)s]"
    )
    music.add_argument(
        "--guidance",
        type=float,
        default=default.guidance,
        help="how hard the music follows the dance; 1 is as trained [%(default)s]",
    )
    music.add_argument(
        "--style-guidance",
        type=float,
        default=default.style_guidance,
        help="how far the music leans into its style; 0 plays it as trained [%(default)s]",
    )
    music.add_argument(
        "--temperature",
        type=float,
        default=default.temperature,
        help="how freely tokens are drawn; 0 takes the likeliest [%(default)s]",
    )
    music.add_argument(
        "--candidates",
        type=int,
        default=default.candidates,
        help="write so many and take the one that meets the rhythm best [%(default)s]",
    )
    music.add_argument(
        "--keep-original-audio",
        type=float,
        default=0.0,
        metavar="GAIN",
        help="mix the clip's own sound under the music, 0 to 1 [%(default)s]",
    )
    music.add_argument(
        "--sound-track",
        type=int,
        default=0,
        metavar="N",
        help="which of the clip's sound tracks that is, from 1; 0 takes the default one [%(default)s]",
    )


def _add_dance(dance: argparse._ArgumentGroup) -> None:
    dance.add_argument("--start", type=float, default=0.0, help="skip this many seconds [%(default)s]")
    dance.add_argument("--duration", type=float, help="use only this many seconds")
    dance.add_argument("--people", type=int, default=1, help="dancers to look for [%(default)s]")
    dance.add_argument(
        "--dancer", default="largest", help="whom to follow: largest, most_active, or 0, 1, ... [%(default)s]"
    )
    dance.add_argument("--pose-model", choices=POSE_MODELS, default="full", help="size of the pose model")


def _add_files(files: argparse._ArgumentGroup) -> None:
    files.add_argument("--model", type=Path, help="transformer checkpoint (.safetensors)")
    files.add_argument("--rhythm", type=Path, help="rhythm network (.safetensors)")
    files.add_argument("--codec", help="codec folder, or facebook/encodec_24khz, facebook/encodec_32khz")
    files.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, ... [%(default)s]")


def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    try:
        result = run(args)
    except D2MError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        return 130
    report = json.dumps(summary(result), indent=2) if args.json else _in_words(result, args.out)
    sys.stdout.write(report + "\n")
    return 0


def run(args: argparse.Namespace) -> DanceMusic:
    """Runs the chain that parsed `args` ask for and writes its files."""
    sampling = SamplingConfig(
        seed=args.seed,
        guidance=args.guidance,
        temperature=args.temperature,
        style=args.style,
        style_guidance=args.style_guidance,
        candidates=args.candidates,
    )
    clip = open_clip(args.clip, args.start, args.duration, args.sound_track)
    files = plan_outputs(clip, args.out, args.overlay, args.picture, args.keep_original_audio, args.recode)
    for notice in files.music.notices:
        _log.warning("%s", notice)
    models = load_models(args.model, args.codec, args.rhythm, args.device)
    dancer = int(args.dancer) if args.dancer.lstrip("-").isdigit() else args.dancer
    with progress_bars(not args.quiet) as on_progress:
        result = dance_to_music(
            clip,
            models,
            sampling,
            tempo_bpm=args.tempo,
            dancer=dancer,
            people=args.people,
            pose_model=args.pose_model,
            on_progress=on_progress,
        )
        tags = {"comment": f"seed {args.seed}"}
        write_result(result, files.music.path, args.keep_original_audio, tags, files.music.recode)
        accents = find_accents(result.poses) if files.overlay or files.picture else None
        if files.overlay:
            overlay_video(
                clip,
                result.poses,
                files.overlay.path,
                rhythm=result.rhythm,
                accents=accents,
                on_progress=lambda done, total: on_progress("overlay", done, total),
            )
        if files.picture:
            save_png(rhythm_picture(result.rhythm, result.audio, accents=accents), files.picture.path)
    return result


def summary(result: DanceMusic) -> dict:
    """What was found, as plain numbers."""
    rhythm = result.rhythm
    return {
        "clip": str(result.clip.path),
        "duration_s": round(result.clip.duration_s, 3),
        "dancer_found": round(float(result.poses.present.mean()), 3),
        "tempo_bpm": round(rhythm.tempo_bpm, 2),
        "confidence": round(rhythm.confidence, 3),
        "beats_s": [round(float(t), 3) for t in rhythm.beats_s],
        "downbeats_s": [round(float(t), 3) for t in rhythm.beats_s[rhythm.downbeats]],
        "seconds": {stage: round(s, 2) for stage, s in result.seconds.items()},
        "real_time_factor": round(result.real_time_factor, 3),
    }


def _in_words(result: DanceMusic, out: Path) -> str:
    facts = summary(result)
    stages = ", ".join(f"{stage} {s:.1f} s" for stage, s in facts["seconds"].items())
    return (
        f"{out}: {facts['duration_s']:.1f} s of music at {facts['tempo_bpm']:.1f} BPM, "
        f"{len(facts['beats_s'])} beats (confidence {facts['confidence']:.2f})\n"
        f"{stages}; {facts['real_time_factor']:.2f} x the clip's length"
    )


@contextmanager
def progress_bars(show: bool) -> Iterator[StageProgress]:
    """One bar per stage on standard error; closed on the way out, also when stopped."""
    from tqdm import tqdm

    bars: dict[str, tqdm] = {}

    def on_progress(stage: str, done: int, total: int) -> None:
        if stage not in bars:
            bars[stage] = tqdm(total=total or None, desc=f"{stage:>8}", disable=not show, leave=True)
        bars[stage].update(done - bars[stage].n)

    try:
        yield on_progress
    finally:
        for bar in bars.values():
            bar.close()
