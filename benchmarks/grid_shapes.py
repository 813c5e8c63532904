"""What the parts of a transformer in straight time are worth: one change at a time.

    python -m benchmarks.grid_shapes --data ITEMS --steps 240 --out runs/grid_shapes

Trains every shape from the same seed on the same items and windows, on one core, and measures the
held-out loss of each codebook (a window of each held-out item, all styles) on the way. Printed: the losses
after as many steps, and after as many seconds of the processor as the quickest shape took for its steps; by
then the rate of the others has not fallen as far. What is trained already is not trained again.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import trange

from d2m_core.files import replacing
from training.figures.tables import markdown_row
from training.train import _trainer, parse
from training.transformer.trainer import Trainer

BOTH = ("--place", "96", "--copies", "--even-start")
SHAPES: dict[str, tuple[str, ...]] = {
    "small start": ("--place", "96", "--copies"),
    "even start": BOTH,
    "even start, heads": (*BOTH, "--heads-weight", "0.1"),
    "even start, muon": (*BOTH, "--optimiser", "muon"),
    "even start, rate 2e-3": (*BOTH, "--learning-rate", "2e-3"),
    "even start, copies only": ("--copies", "--even-start"),
    "even start, place only": ("--place", "96", "--even-start"),
    "even start, neither": ("--even-start",),
    "small start, neither": (),
    "small start, muon": ("--place", "96", "--copies", "--optimiser", "muon"),
}
"""What differs, as flags of `training.train`."""

COMMON = (
    "--straight", "--batch", "4", "--dim", "192", "--decoder-layers", "4", "--dropout", "0", "--ema", "0.98",
    "--warmup-steps", "40", "--precision", "bfloat16", "--device", "cpu",
)  # fmt: skip

Mark = dict[str, Any]
"""`step`, `cpu_s` and `losses` of each codebook."""


def trained(name: str, data: str, steps: int, marks: int, out: Path) -> list[Mark]:
    """One shape's held-out losses at so many marks; kept in `out`."""
    path = out / f"{'_'.join(name.replace(',', '').split())}_{steps}.json"
    if path.exists():
        found: list[Mark] = json.loads(path.read_text(encoding="utf-8"))
        return found
    words = [*COMMON, *SHAPES[name], "--data", data, "--steps", str(steps), "--folder", str(out)]
    trainer = _trainer(*parse(words))
    found = _run(trainer, steps, marks, name)
    with replacing(path) as partial:
        partial.write_text(json.dumps(found), encoding="utf-8")
    return found


def _run(trainer: Trainer, steps: int, marks: int, name: str) -> list[Mark]:
    found: list[Mark] = []
    spent_s, every = 0.0, -(-steps // marks)
    for step in trange(1, steps + 1, desc=name, file=sys.stderr):
        begun_s = time.process_time()
        trainer.train_step(trainer.batch(step))
        spent_s += time.process_time() - begun_s
        if step % every == 0 or step == steps:
            losses = trainer.validate()["followed"]
            found.append({"step": step, "cpu_s": round(spent_s, 1), "losses": losses})
    return found


def losses_at(marks: Sequence[Mark], cpu_s: float) -> list[float]:
    """Losses after so many seconds, between the marks straight on."""
    times = [mark["cpu_s"] for mark in marks]
    books = zip(*(mark["losses"] for mark in marks), strict=True)
    return [float(np.interp(cpu_s, times, book)) for book in books]


def report(found: dict[str, list[Mark]]) -> str:
    """Both tables as Markdown."""
    quickest_s = min(marks[-1]["cpu_s"] for marks in found.values())
    steps = max(marks[-1]["step"] for marks in found.values())
    books = len(next(iter(found.values()))[-1]["losses"])
    heads = [f"book {k + 1}" for k in range(books)]
    lines = [markdown_row(["", "s a step", *heads, "sum", f"sum at {quickest_s:.0f} s"])]
    lines.append(markdown_row(["---"] * (books + 4)))
    for name, marks in found.items():
        last = marks[-1]
        row = [*last["losses"], sum(last["losses"]), sum(losses_at(marks, quickest_s))]
        lines.append(markdown_row([name, f"{last['cpu_s'] / last['step']:.2f}", *(f"{x:.3f}" for x in row)]))
    return f"{steps} steps\n\n" + "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True, help="folder of items in straight time")
    parser.add_argument("--steps", type=int, default=240, help="[%(default)s]")
    parser.add_argument("--marks", type=int, default=6, help="measurements on the way [%(default)s]")
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=list(SHAPES), metavar="NAME")
    parser.add_argument("--out", type=Path, default=Path("runs/grid_shapes"), help="[%(default)s]")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    found = {name: trained(name, args.data, args.steps, args.marks, args.out) for name in args.shapes}
    sys.stdout.write(report(found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
