"""`make demo`: a drawn dance, or a clip of yours, goes through the whole chain into `out/`.

    python -m training.demo [CLIP] [--out out] [--style STYLE] [--seed SEED]

Without a clip, a dancer is drawn whose beats are known, and what was found is held against them.
A run whose inputs have not changed since the last one is not repeated.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path

import numpy as np

from d2m_core.cli import progress_bars, summary
from d2m_core.errors import D2MError
from d2m_core.files import replacing
from d2m_core.music import SamplingConfig
from d2m_core.pictures import overlay_video, rhythm_picture, save_png
from d2m_core.pipeline import DanceMusic, dance_to_music, load_models, write_result
from d2m_core.rhythm import rhythm_from_audio
from d2m_core.scores import beat_f
from training.seeds import DEMO_SEED
from training.studio.picture.drawing import main as draw

ROOT = Path(__file__).resolve().parent.parent
DRAWN = {
    "seed": str(DEMO_SEED),
    "tempo": "118",
    "seconds": "12",
    "width": "1280",
    "height": "720",
    "fps": "30",
}
"""The demo dance, which no weights were trained on."""
RESULTS = ("demo.mp4", "demo.wav", "demo_poses.mp4", "demo_rhythm.png")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="A clip through the whole chain, with pictures.")
    parser.add_argument("clip", nargs="?", type=Path, help="your video; without it a dance is drawn")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder [%(default)s]")
    parser.add_argument("--style", help="style of the music")
    parser.add_argument("--seed", type=int, default=0, help="seed of the music [%(default)s]")
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    try:
        text = _demo(args)
    except D2MError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    sys.stdout.write(text)
    return 0


def _demo(args: argparse.Namespace) -> str:
    clip, truth = (args.clip, None) if args.clip else _drawn_clip(args.out)
    report, key = args.out / "demo.json", _key(clip, args)
    if report.exists() and all((args.out / name).exists() for name in RESULTS):
        saved = json.loads(report.read_text())
        if saved["key"] == key:
            return saved["text"] + "\nNothing has changed since; remove out/ to run it again.\n"
    result = _run(clip, args)
    text = _describe(result, truth, args.out)
    with replacing(report) as partial:
        partial.write_text(json.dumps({"key": key, "text": text, **summary(result)}, indent=2))
    return text


def _drawn_clip(out: Path) -> tuple[Path, dict]:
    """The demo dance and its true beats; drawn once."""
    clip, facts = out / "demo_clip.mp4", out / "demo_clip.json"
    drawn = json.loads(facts.read_text()) if clip.exists() and facts.exists() else {}
    if str(drawn.get("seed")) != DRAWN["seed"]:
        options = [word for name, value in DRAWN.items() for word in (f"--{name}", value)]
        draw([*options, "--out", str(clip)])
    return clip, json.loads(facts.read_text())


def _key(clip: Path, args: argparse.Namespace) -> str:
    """Changes when the clip, the settings, the weights or the code do."""
    inputs = [clip, *sorted((ROOT / "d2m_core").glob("*.py")), Path(__file__)]
    inputs += sorted(path for path in (ROOT / "weights").rglob("*") if path.is_file())
    stamps = [
        f"{path.name} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in inputs if path.exists()
    ]
    return hashlib.sha256(repr((args.style, args.seed, str(clip), stamps)).encode()).hexdigest()


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


def _describe(result: DanceMusic, truth: dict | None, out: Path) -> str:
    facts = summary(result)
    heard = rhythm_from_audio(result.audio)
    lines = [
        f"clip          {result.clip.width}x{result.clip.height}, {result.clip.duration_s:.1f} s, "
        f"dancer found in {100 * facts['dancer_found']:.0f} % of the frames",
        "seconds       " + ", ".join(f"{stage} {s:.1f}" for stage, s in facts["seconds"].items()),
        f"real time     {facts['real_time_factor']:.2f} x the clip's length",
        f"rhythm        {facts['tempo_bpm']:.1f} BPM, {len(facts['beats_s'])} beats, "
        f"confidence {facts['confidence']:.2f}",
        f"music         {heard.tempo_bpm:.1f} BPM heard in it; its beats against the rhythm's: "
        f"F {beat_f(result.rhythm.beats_s, heard.beats_s):.2f}",
    ]
    if truth:
        true_s = np.asarray(truth["beats_s"])
        lines += [
            f"true dance    {truth['tempo_bpm']:.1f} BPM, {len(true_s)} beats; rhythm against it: "
            f"F {beat_f(true_s, result.rhythm.beats_s):.2f}, music against it: "
            f"F {beat_f(true_s, heard.beats_s):.2f} (beat F-measure, 70 ms)"
        ]
    lines.append("wrote         " + ", ".join(str(out / name) for name in RESULTS))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
