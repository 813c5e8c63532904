"""Judges two builds side by side: today's music and the new, on the same dances and seeds.

    python -m training.compare_builds --new runs/music/model.safetensors --new-codec runs/music/codec

Unseen dances (and real clips with `--sets drawn clips --clips DIR`) go through both, and the studio's band
plays on the same plans, as it is and through both codecs. Written into `--out`: `compared.json`, and
`compared.md` with a table of what is asked before the new build ships; `side_by_side_SET.png` with
spectrograms of some styles; and the music. Music is kept by weights, settings and dance, so a second run only
scores. Listeners that are not installed (`training.judges.ears`) leave a dash.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from d2m_core.files import replacing
from d2m_core.pipeline import load_models
from training.figures.tables import plain
from training.judges.ears import missing_ears
from training.judges.style import load_judge
from training.judges.trackers import tracker
from training.run.command import GOES_ON, command_parser, run_command
from training.scoreboard.music.build_page import Row, draw_side_by_side
from training.scoreboard.music.builds import (
    BAND,
    NEW,
    TODAY,
    Build,
    band_through,
    bars_markdown,
    build_scores,
    compared,
    figures_markdown,
    judged,
    seconds_of,
)
from training.scoreboard.music.making import Maker
from training.scoreboard.music.sets import NEEDS_FOLDER, SETS, SetOptions, dances_of, spread


def compare(args: argparse.Namespace) -> str:
    """Both builds on every set; returns the tables."""
    judge = load_judge(args.judge)
    models = {
        TODAY: load_models(args.today, args.today_codec, None, args.device),
        NEW: load_models(args.new, args.new_codec, None, args.device),
    }
    paths = {TODAY: args.today, NEW: args.new}
    makers = {name: Maker(each, paths[name], args.out / "made") for name, each in models.items()}
    folders = tuple((name, getattr(args, name, None)) for name in NEEDS_FOLDER)
    options = SetOptions(args.dances, args.seconds, args.poses, folders)
    report: dict[str, Any] = {"builds": {n: m.checksum for n, m in makers.items()}, "tracker": tracker()}
    texts = [_head(makers, args.seeds)]
    for name in args.sets:
        dances = list(tqdm(dances_of(name, options), desc=f"{name}: reading", unit="dance"))
        builds = {
            which: build_scores(dances, maker, args.seeds, judge, f"{name}, {which}")
            for which, maker in makers.items()
        }
        coded = _coded(builds, args, judge)
        figures = compared(builds, coded, seconds_of(builds), judge)
        bars = judged(figures)
        report[name] = {"dances": len(dances), "figures": figures, "bars": bars, "cases": _cases(builds)}
        columns = (TODAY, NEW, BAND, *coded)
        texts += [f"## {name}\n\n{SETS[name]}; {len(dances)} dances, seeds {args.seeds}.\n\n"]
        texts += [bars_markdown(bars), figures_markdown(figures, columns)]
        draw_side_by_side(_rows(builds, args.pictures), args.out / f"side_by_side_{name}.png")
    text = "".join(texts)
    for file, content in (("compared.json", json.dumps(plain(report), indent=1)), ("compared.md", text)):
        with replacing(args.out / file) as partial:
            partial.write_text(content, encoding="utf-8")
    return text


def _coded(builds: dict[str, Build], args: argparse.Namespace, judge: Any) -> dict[str, Any]:
    """The band through each build's codec, with and without a finisher."""
    found = {}
    for build in builds.values():
        models = build.maker.models
        books, codec = models.model.spec.codebooks, models.codec
        cases = [score.case for score in build.scores[: len(build.scores) // len(args.seeds)]]
        for finish in (False, True)[: 1 + (codec.finisher is not None)]:
            name = f"band through {codec.spec.name}{' and its finisher' if finish else ''}"
            if name not in found:
                found[name] = band_through(cases, codec, books, finish, judge, args.out / "made", name)
    return found


def _rows(builds: dict[str, Build], count: int) -> list[Row]:
    """The first seed's music of some dances, each of another style where there are as many."""
    scores = {which: {s.case.dance.name: s for s in reversed(b.scores)} for which, b in builds.items()}
    by_style = {score.case.style: name for name, score in reversed(scores[NEW].items())}
    names = list(by_style.values())
    return [
        (
            scores[NEW][names[i]].case.style,
            [
                (TODAY, scores[TODAY][names[i]].case.take.wave),
                (NEW, scores[NEW][names[i]].case.take.wave),
                (BAND, scores[NEW][names[i]].case.dance.soundtrack),
            ],
        )
        for i in spread(len(names), count)
    ]


def _cases(builds: dict[str, Build]) -> list[dict[str, Any]]:
    return [
        {
            "build": which,
            "name": score.case.dance.name,
            "style": score.case.style,
            "music": score.case.take.kept.name,
            "scores": {column: score.columns[column] for column in ("music", "soundtrack")},
        }
        for which, build in builds.items()
        for score in build.scores
    ]


def _head(makers: dict[str, Maker], seeds: Sequence[int]) -> str:
    lines = ["# Two builds side by side\n\n"]
    for name, maker in makers.items():
        spec = maker.models.model.spec
        finisher = ", finished" if maker.models.codec.finisher is not None else ""
        lines.append(
            f"- {name}: model {maker.checksum[:12]}, {spec.codebooks} codebooks of {spec.name}{finisher}\n"
        )
    lines.append(f"\nBeats heard by {tracker()}. " + " ".join(missing_ears()) + "\n\n")
    return "".join(lines)


def parser() -> argparse.ArgumentParser:
    """The flags."""
    found = command_parser("compare_builds", __doc__)
    add = found.add_argument
    add("--today", type=Path, help="transformer of today's build; the project's if not given")
    add("--today-codec", help="its codec, a name or folder; its own if not given")
    add("--new", type=Path, required=True, help="transformer of the new build")
    add("--new-codec", help="its codec, a name or folder, its finisher inside; its own if not given")
    add("--judge", type=Path, help="style classifier; the project's if not given")
    add("--sets", nargs="+", choices=sorted(SETS), default=["drawn"], metavar="SET", help="[drawn]")
    for name in NEEDS_FOLDER:
        add(f"--{name}", type=Path, metavar="DIR", help=f"folder of the set {name}")
    add("--dances", type=int, default=20, help="of each set, at most [%(default)s]")
    add("--seconds", type=float, default=10.0, help="of each, clips are whole [%(default)s]")
    add("--seeds", type=int, nargs="+", default=[0, 1000, 2000], help="of the music [0 1000 2000]")
    add("--pictures", type=int, default=6, help="dances that are drawn [%(default)s]")
    add("--poses", type=Path, default=Path("runs/rhythm_eval"), help="kept poses [%(default)s]")
    add("--device", default="auto", help="auto, cpu, cuda [%(default)s]")
    add("--out", type=Path, default=Path("runs/compare"), help="folder [%(default)s]")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    return run_command(lambda words: compare(parser().parse_args(words)), argv, GOES_ON)


if __name__ == "__main__":
    raise SystemExit(main())
