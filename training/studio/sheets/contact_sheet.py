"""One picture of a data set that one can look at in a minute.

    python -m training.studio.sheets.contact_sheet DIR

writes `DIR/sheet.jpg`. Each panel is four bars or so of one pair on one time axis: the dancer on
every beat (downbeats marked), the height of the hips with the accents, and the sound as a log-mel
spectrogram under its sections and chords. Beats are thin lines through all of it, downbeats thick.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from d2m_core.errors import D2MError
from d2m_core.files import replacing
from d2m_core.styles import STYLES
from training.pairs.pair import FILM, Pair
from training.pairs.shards import Entry, PairFolder

from .panel import BACK, draw_panel

SHEET = "sheet.jpg"
MOST_PANELS = 14
LEAST_PANELS = 8
"""Where there are fewer styles, some have more than one panel."""

_MOST_BYTES = 950_000
_PANEL_INCHES = (9.6, 3.35)
_DPI = 100


def write_sheet(folder: Path) -> Path:
    """Draws the sheet of a data set and writes it beside the shards."""
    pairs = PairFolder(folder)
    picture = draw_sheet([pairs.read(number) for number in choose(pairs.entries)])
    path = folder / SHEET
    with replacing(path) as partial:
        partial.write_bytes(_jpeg(picture))
    return path


def choose(entries: list[Entry]) -> list[int]:
    """Numbers of the pairs to show: one per style, a drawn one if there is, then others."""
    order = {name: place for place, name in enumerate(STYLES)}
    seen: dict[str, int] = {}
    ranked = []
    drawn_first = sorted(enumerate(entries), key=lambda each: FILM not in each[1].members)
    for number, entry in drawn_first:
        turn = seen[entry.style] = seen.get(entry.style, -1) + 1
        ranked.append((turn, order.get(entry.style, len(order)), entry.style, number))
    ranked.sort()
    wanted = max(LEAST_PANELS, sum(turn == 0 for turn, *_ in ranked))
    chosen = ranked[: min(wanted, MOST_PANELS)]
    return [number for *_, number in sorted(chosen, key=lambda row: row[1:])]


# --- drawing ---


def draw_sheet(pairs: list[Pair]) -> np.ndarray:
    """The whole sheet, RGB uint8 [H, W, 3]."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    columns = 1 if len(pairs) == 1 else 2
    rows = -(-len(pairs) // columns)
    size = (_PANEL_INCHES[0] * columns, _PANEL_INCHES[1] * rows)
    figure = Figure(figsize=size, dpi=_DPI, facecolor=BACK)
    canvas = FigureCanvasAgg(figure)
    grid = figure.add_gridspec(
        rows, columns, left=0.008, right=0.992, bottom=0.008, top=1 - 0.24 / size[1], wspace=0.02, hspace=0.13
    )
    for number, pair in enumerate(pairs):
        cell = grid[number // columns, number % columns]
        heights = [1.55, 0.62, 0.95] if pair.seen is not None else [0.01, 0.01, 1.0]
        inner = cell.subgridspec(3, 1, height_ratios=heights, hspace=0.0)
        draw_panel([figure.add_subplot(inner[row]) for row in range(3)], pair)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _jpeg(picture: np.ndarray) -> bytes:
    """As good as fits into `_MOST_BYTES`."""
    import cv2

    for quality in (88, 82, 76, 70, 60, 50):
        _, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        if len(data) <= _MOST_BYTES:
            break
    return data.tobytes()


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m training.studio.sheets.contact_sheet", description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR", help="a data set of the studio")
    args = parser.parse_args(argv)
    try:
        path = write_sheet(args.folder)
    except D2MError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
