"""Fits the noise model to MediaPipe on drawn dancers, and checks it on others.

    python -m training.fit_noise --dances 40 --check 20 --seconds 8 --out runs/noise

Draws scenes of many kinds, looks at them with MediaPipe (full and lite), measures the errors
against the truth, fits `stage/noise_model.json` on the first `--dances` and compares measured with
simulated errors on the next `--check`. What MediaPipe said is kept in `--out`, so that fitting
again takes a minute; without `--write` the model stays there too. With `--dances 0` nothing is
fitted and the package's model is checked.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from d2m_core.errors import require
from d2m_core.files import replacing
from training.figures.tables import table
from training.run.command import GOES_ON, command_parser, run_command
from training.seeds import NOISE_SEED
from training.studio.observe import VARIANTS, Observation, observation
from training.studio.stage.compare import compare, picture, rows
from training.studio.stage.fit import fit_noise
from training.studio.stage.measure import Sighting, sighting
from training.studio.stage.noise_model import MODEL_PATH, load_noise, save_noise


def detection(observations: list[Observation]) -> list[dict[str, object]]:
    """Share of frames with a person found, and with one and the same person followed, by kind."""
    kinds = sorted({tag for one in observations for tag in one.tags})
    out: list[dict[str, object]] = []
    for kind in ("all", *kinds):
        chosen = [one for one in observations if kind == "all" or kind in one.tags]
        row: dict[str, object] = {"kind": kind, "clips": len(chosen)}
        for variant in VARIANTS:
            found = [one.found[variant].present for one in chosen]
            same = [sighting(one.truth, one.found[variant], ()).followed for one in chosen]
            row[f"found, {variant}"] = float(np.concatenate(found).mean())
            row[f"same person, {variant}"] = float(np.concatenate(same).mean())
        out.append(row)
    return out


def sightings_of(observations: list[Observation]) -> list[Sighting]:
    """One sighting per clip and variant of MediaPipe."""
    return [
        sighting(one.truth, poses, (*one.tags, f"model:{variant}"))
        for one in observations
        for variant, poses in one.found.items()
    ]


def _description(args: argparse.Namespace) -> str:
    return (
        f"{args.dances} drawn clips of {args.seconds:g} s from seed {args.seed}, MediaPipe "
        f"{' and '.join(VARIANTS)}; python -m training.fit_noise --dances {args.dances} "
        f"--check {args.check} --seconds {args.seconds:g}"
    )


def parser() -> argparse.ArgumentParser:
    """The flags."""
    found = command_parser("fit_noise", __doc__)
    add = found.add_argument
    add("--dances", type=int, default=40, help="clips to fit to [%(default)s]")
    add("--check", type=int, default=20, help="clips to compare on [%(default)s]")
    add("--seconds", type=float, default=8.0, help="of each clip [%(default)s]")
    add("--seed", type=int, default=NOISE_SEED, help="first clip's [%(default)s]")
    add("--out", type=Path, required=True, help="folder for all that is measured")
    add("--write", action="store_true", help="replace the package's model")
    add("--figure", type=Path, help="picture of the comparison [OUT/noise.png]")
    return found


def _work(words: list[str]) -> str:
    args = parser().parse_args(words)
    require(args.dances >= 0, f"dances is {args.dances}; use 0 (fit nothing) or more.")
    require(args.check > 0, f"check is {args.check}; use 1 or more.")
    args.out.mkdir(parents=True, exist_ok=True)
    seen = [
        observation(number, args.seed, args.seconds, args.out / "clips")
        for number in tqdm(range(args.dances + args.check), desc="clips", unit="clip")
    ]
    model = load_noise()
    if args.dances:
        model = fit_noise(sightings_of(seen[: args.dances]), args.seed, _description(args))
        save_noise(model, MODEL_PATH if args.write else args.out / MODEL_PATH.name)
    checked_on = sightings_of(seen[args.dances :])
    compared = compare(checked_on, model, args.seed)
    picture(compared, args.figure or args.out / "noise.png")
    text = table(detection(seen)) + "\n" + table(rows(compared))
    with replacing(args.out / "report.txt") as partial:
        partial.write_text(text, encoding="utf-8")
    return text


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    return run_command(_work, argv, GOES_ON)


if __name__ == "__main__":
    raise SystemExit(main())
