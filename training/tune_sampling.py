"""Which way of drawing tokens makes the best music: a small grid, scored.

    python -m training.tune_sampling --model PATH --dances 6
    python -m training.tune_sampling --temperatures 0.9 1 1.1 --guidances 1 2 3 --candidates 1 4

The first value of each setting makes the base, and from there one setting is changed at a time;
`--full` tries every combination. Dances are unseen ones of the studio, or drawn ones. The table has
rhythm F and AMLt (beats heard against those asked for; dance F: against the dance's), style agreement,
FAD (the classifier's embedding, against held-out studio music) and faults. Music is kept, so that a
longer list only adds to it.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from d2m_core.files import replacing
from d2m_core.music import SamplingConfig
from d2m_core.pipeline import load_models
from d2m_core.rhythm import rhythm_from_motion
from d2m_core.scores import meeting_of
from d2m_core.styles import metre_of_style
from d2m_core.types import Rhythm
from training.figures.bootstrap import mean_interval
from training.figures.tables import plain, table
from training.judges.sound import clipped_share, frechet_distance, silent_share
from training.judges.style import StyleJudge, load_judge
from training.judges.style_spectra import Pulse
from training.run.command import GOES_ON, command_parser, run_command
from training.scoreboard.music.board import add_model_flags
from training.scoreboard.music.controls import loop_s
from training.scoreboard.music.making import Maker, hear
from training.scoreboard.music.sets import Dance, SetOptions, dances_of, styles_for

AXES = {
    "temperature": "temperatures",
    "top_k": "top_ks",
    "top_p": "top_ps",
    "guidance": "guidances",
    "style_guidance": "style_guidances",
    "candidates": "candidates",
}
"""Settings that are tried, and the flag with their values."""


@dataclass(frozen=True, eq=False)
class Asked:
    """A dance with what the model is asked for."""

    dance: Dance
    rhythm: Rhythm
    style: str


def settings_of(values: dict[str, Sequence[Any]], full: bool) -> list[SamplingConfig]:
    """The grid: every combination, or the base and one setting changed at a time."""
    base = {name: options[0] for name, options in values.items()}
    if full:
        combined = [dict(zip(values, each, strict=True)) for each in itertools.product(*values.values())]
    else:
        changed = [{**base, name: value} for name, options in values.items() for value in options[1:]]
        combined = [base, *changed]
    return [SamplingConfig(**each) for each in combined]


def score_settings(
    sampling: SamplingConfig, asked: Sequence[Asked], maker: Maker, judge: StyleJudge
) -> dict[str, Any]:
    """A row of the table: means over the dances."""
    takes, heard = [], []
    for number, each in enumerate(tqdm(asked, desc=_name(sampling), unit="dance", leave=False)):
        config = replace(sampling, seed=sampling.seed + number, style=each.style)
        dance = each.dance
        take = maker.take(dance.name, dance.motion, each.rhythm, config, dance.duration_s)
        takes.append(take)
        heard.append(hear(take.wave, take.kept))
    pairs = list(zip(asked, heard, strict=True))
    met = [meeting_of(a.rhythm.beats_s, h.beats_s) for a, h in pairs]
    f = mean_interval(np.array([one.f for one in met]))
    true = [meeting_of(a.dance.beats_s, h.beats_s) for a, h in pairs if a.dance.beats_s is not None]
    pulses = [Pulse(each.rhythm.beats_s, each.rhythm.downbeats) for each in asked]
    together = list(zip(takes, asked, pulses, strict=True))
    styles = [judge.style_of(take.wave, pulse) == each.style for take, each, pulse in together]
    windows = np.concatenate([judge.embed(take.wave, pulse) for take, _, pulse in together])
    row = {name: getattr(sampling, name) for name in AXES}
    return {
        **row,
        "rhythm F": f.mean,
        "95 %": f"{f.low:.2f}..{f.high:.2f}",
        "rhythm AMLt": float(np.mean([one.amlt for one in met])),
        "dance F": float(np.mean([one.f for one in true] or [np.nan])),
        "dance AMLt": float(np.mean([one.amlt for one in true] or [np.nan])),
        "style": float(np.mean(styles)),
        "FAD": frechet_distance(windows.mean(0), np.cov(windows, rowvar=False), judge.mean, judge.covariance),
        "loop s": max(loop_s(take) for take in takes),
        "silent": float(np.mean([silent_share(take.wave) for take in takes])),
        "clipped": float(np.mean([clipped_share(take.wave) for take in takes])),
    }


def _name(sampling: SamplingConfig) -> str:
    return " ".join(f"{getattr(sampling, name):g}" for name in AXES)


def tune(args: argparse.Namespace) -> list[dict[str, Any]]:
    """All rows; written to `tune_sampling.json` and `.md` after each, so that a stop loses none."""
    judge = load_judge(args.judge)
    models = load_models(args.model, args.codec, args.rhythm, args.device)
    options = SetOptions(args.dances, args.seconds, args.poses)
    dances = list(tqdm(dances_of(args.set, options), desc="dances", unit="dance"))
    styles = styles_for(dances, models.model.model.config.styles)
    asked = [
        Asked(dance, rhythm_from_motion(dance.motion, models.rhythm, metre=metre_of_style(style)), style)
        for dance, style in zip(dances, styles, strict=True)
    ]
    maker = Maker(models, args.model, args.out / "made")
    rows: list[dict[str, Any]] = []
    values = {name: getattr(args, flag) for name, flag in AXES.items()}
    for sampling in tqdm(settings_of(values, args.full), desc="settings"):
        seeded = replace(sampling, seed=args.seed)
        rows.append(score_settings(seeded, asked, maker, judge))
        report = {"model": maker.checksum, "base": asdict(SamplingConfig()), "rows": plain(rows)}
        with replacing(args.out / "tune_sampling.json") as partial:
            partial.write_text(json.dumps(report, indent=1))
        with replacing(args.out / "tune_sampling.md") as partial:
            partial.write_text(table(rows))
    return rows


def parser() -> argparse.ArgumentParser:
    """The flags."""
    found = command_parser("tune_sampling", __doc__)
    add, base = found.add_argument, SamplingConfig()
    add_model_flags(found)
    add("--out", type=Path, default=Path("runs/tune_sampling"), help="folder [%(default)s]")
    add("--set", choices=("studio", "drawn"), default="studio", help="[%(default)s]")
    add("--dances", type=int, default=6, help="[%(default)s]")
    add("--seconds", type=float, default=10.0, help="of each [%(default)s]")
    add("--temperatures", type=float, nargs="+", default=[base.temperature, 0.85, 1.15])
    add("--top-ks", type=int, nargs="+", default=[base.top_k, 50, 200])
    add("--top-ps", type=float, nargs="+", default=[base.top_p, 0.9])
    add("--guidances", type=float, nargs="+", default=[base.guidance, 1.0, 3.0])
    add("--style-guidances", type=float, nargs="+", default=[base.style_guidance, 0.0])
    add("--candidates", type=int, nargs="+", default=[base.candidates, 4])
    add("--seed", type=int, default=0, help="of the first dance's music [%(default)s]")
    add("--full", action="store_true", help="every combination")
    return found


def _work(words: list[str]) -> str:
    return table(tune(parser().parse_args(words)))


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    return run_command(_work, argv, GOES_ON)


if __name__ == "__main__":
    raise SystemExit(main())
