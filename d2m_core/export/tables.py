"""Beats as a table, and as labels for Audacity."""

from __future__ import annotations

import csv
import io

from ..types import Rhythm
from .marks import Mark, bar_numbers

COLUMNS = ("time_s", "beat", "bar", "beat_in_bar", "downbeat")


def beats_csv(rhythm: Rhythm) -> str:
    """A row for each beat: seconds, its number, its bar, its place there, 1 where a bar starts."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    numbers = bar_numbers(rhythm)
    for index, (time_s, starts_bar) in enumerate(zip(rhythm.beats_s, rhythm.downbeats, strict=True)):
        rows.writerow([f"{time_s:.6f}", index + 1, *numbers[index], int(starts_bar)])
    return text.getvalue()


def audacity_labels(marks: tuple[Mark, ...]) -> str:
    """Point labels: start, end and name with tabs between, as Audacity imports them."""
    return "".join(f"{mark.time_s:.6f}\t{mark.time_s:.6f}\t{mark.name}\n" for mark in marks)
