"""The command `python -m training.evaluate music`: sets, music, scores, tables and pictures."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tqdm import tqdm

from d2m_core.files import replacing
from d2m_core.music import SamplingConfig
from d2m_core.pipeline import load_models
from training.figures.tables import plain
from training.judges.ears import missing_ears
from training.judges.style import EMBEDDING, StyleJudge, load_judge
from training.judges.trackers import tracker

from .fad import fadtk_figures, find_fadtk
from .long import long_dance, long_json, long_markdown, score_long
from .making import Maker
from .page import draw_page
from .report import set_figures, set_json, set_markdown
from .scores import make_cases, score_cases
from .sets import NEEDS_FOLDER, SETS, SetOptions, dances_of


def add_music_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of the command."""
    add, default = parser.add_argument, SamplingConfig()
    add(
        "--sets",
        nargs="+",
        choices=sorted(SETS),
        metavar="SET",
        help=f"any of {', '.join(SETS)}; unless given, those whose folder is, or drawn",
    )
    for name in NEEDS_FOLDER:
        add(f"--{name}", type=Path, metavar="DIR", help=f"folder of the set {name}")
    add("--dances", type=int, default=20, help="dances of each set, at most [%(default)s]")
    add("--seconds", type=float, default=10.0, help="of each, clips are whole [%(default)s]")
    add(
        "--long",
        type=float,
        nargs="*",
        metavar="S",
        help="also a drawn dance of each of so many seconds; 60 and 180 where none are named",
    )
    add_model_flags(parser)
    add("--temperature", type=float, default=default.temperature, help="[%(default)s]")
    add("--top-k", type=int, default=default.top_k, help="[%(default)s]")
    add("--top-p", type=float, default=default.top_p, help="[%(default)s]")
    add("--guidance", type=float, default=default.guidance, help="[%(default)s]")
    add("--style-guidance", type=float, default=default.style_guidance, help="[%(default)s]")
    add("--candidates", type=int, default=default.candidates, help="[%(default)s]")
    add("--seed", type=int, default=0, help="of the first dance's music [%(default)s]")
    add(
        "--fadtk",
        metavar="EMBEDDING",
        help="also the distance that the command fadtk finds, as clap-laion-music",
    )


def add_model_flags(parser: argparse.ArgumentParser) -> None:
    """Which networks, and where what takes long is kept."""
    add = parser.add_argument
    add("--model", type=Path, help="transformer checkpoint; the project's if not given")
    add("--codec", help="name or folder; the model's own if not given")
    add("--rhythm", type=Path, help="rhythm network; the project's if not given")
    add("--judge", type=Path, help="style classifier; the project's if not given")
    add("--device", default="auto", help="auto, cpu, cuda [%(default)s]")
    add(
        "--poses",
        type=Path,
        default=Path("runs/rhythm_eval"),
        help="poses and songs' beats are kept here [%(default)s]",
    )


def options_of(args: argparse.Namespace) -> SetOptions:
    """The sets' options from the flags."""
    folders = tuple((name, getattr(args, name, None)) for name in NEEDS_FOLDER)
    return SetOptions(args.dances, args.seconds, args.poses, folders)


def music_scores(args: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Scores the sets that the flags ask for; writes `metrics.json`, `metrics.md`, pages and music
    into `args.out / "music"`. Raises `SettingError` for a set without its folder."""
    options, judge = options_of(args), load_judge(args.judge)
    given = [name for name in NEEDS_FOLDER if getattr(args, name)]
    wanted_long = [] if args.long is None else (args.long or [60.0, 180.0])
    names = args.sets or given or ([] if wanted_long else ["drawn"])
    for name in set(names) & set(NEEDS_FOLDER):
        options.folder(name)  # before any work
    if args.fadtk:
        find_fadtk()
    sampling = SamplingConfig(
        seed=args.seed,
        temperature=args.temperature,
        top_k=args.top_k,
        top_p=args.top_p,
        guidance=args.guidance,
        style_guidance=args.style_guidance,
        candidates=args.candidates,
    )
    out = args.out / "music"
    maker = Maker(load_models(args.model, args.codec, args.rhythm, args.device), args.model, out / "made")
    report: dict[str, Any] = _about(maker, sampling, judge)
    texts = [_head(report)]
    for name in names:
        text, report["sets"][name] = _score_set(name, options, maker, sampling, judge, out, args.fadtk)
        texts.append(text)
    if wanted_long:
        scores = [score_long(long_dance(s, options), maker, sampling) for s in wanted_long]
        report["long"] = plain(long_json(scores))
        texts.append(long_markdown(scores))
    text = "".join(texts)
    for name, content in (("metrics.json", json.dumps(report, indent=1)), ("metrics.md", text)):
        with replacing(out / name) as partial:
            partial.write_text(content)
    return report, text


def _score_set(
    name: str,
    options: SetOptions,
    maker: Maker,
    sampling: SamplingConfig,
    judge: StyleJudge,
    out: Path,
    fadtk: str | None,
) -> tuple[str, dict[str, Any]]:
    dances = list(tqdm(dances_of(name, options), desc=f"{name}: reading", unit="dance"))
    scores = score_cases(make_cases(dances, maker, sampling, name), judge)
    for score in tqdm(scores, desc="pages", unit="page"):
        draw_page(score, out / "pages" / f"{name}_{score.case.dance.name}.png")
    figures = set_figures(scores, judge)
    if fadtk:
        figures |= fadtk_figures(fadtk, scores, out / "fad" / name)
    text = set_markdown(name, SETS[name], figures, len(scores))
    return text, set_json(SETS[name], figures, scores)


def _about(maker: Maker, sampling: SamplingConfig, judge: StyleJudge) -> dict[str, Any]:
    model = maker.models.model
    return {
        "model": {"sha256": maker.checksum, "info": model.info},
        "codec": asdict(model.spec),
        "sampling": asdict(sampling),
        "tracker": tracker(),
        "embedding": EMBEDDING,
        "style_classifier": judge.info,
        "sets": {},
    }


def _head(report: dict[str, Any]) -> str:
    sampling, judge = report["sampling"], report["style_classifier"]
    return (
        f"Model {report['model']['sha256'][:12]}, codec {report['codec']['name']} "
        f"({report['codec']['codebooks']} codebooks); temperature {sampling['temperature']:g}, "
        f"top-k {sampling['top_k']}, top-p {sampling['top_p']:g}, guidance "
        f"{sampling['guidance']:g}, style guidance {sampling['style_guidance']:g}, best of "
        f"{sampling['candidates']}. Beats heard by {report['tracker']}, onsets by librosa; 70 ms. "
        f"Style classifier: right for "
        f"{judge['accuracy']:.3f} of its held-out music, and for "
        f"{judge.get('accuracy_other_tempi', float('nan')):.3f} of it at other tempi."
        f"{''.join(f' {sentence}' for sentence in missing_ears())}\n\n"
    )
