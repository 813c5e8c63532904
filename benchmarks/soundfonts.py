"""Which library plays the band's soundfont: starts, SF3, speed; what is not installed is left out.

    python -m benchmarks.soundfonts [--font FILE]

A minute of two notes every eighth on five sounds, at 48 kHz, on one core; and one note begun 1, 7, 33
and 100 samples later, which must come out the same but for those samples.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from d2m_core.band import installed_materials
from d2m_core.band.font_player import font_library, play_font
from d2m_core.band.patches import Played
from training.figures.tables import table

RATE = 48_000
SOUNDS = ((0, False), (33, False), (48, False), (61, False), (0, True))
"""(program, drums): piano, bass, strings, brass, kit."""

Play = Callable[[int, bool, list[Played]], np.ndarray]


def _symusic(font: Path) -> Play:
    return lambda program, drums, notes: play_font(font, program, drums, notes, RATE)


def _fluidsynth(font: Path) -> Play:
    import fluidsynth

    synth = fluidsynth.Synth(gain=0.4, samplerate=RATE)
    number = synth.sfload(str(font))

    def play(program: int, drums: bool, notes: list[Played]) -> np.ndarray:
        channel = 9 if drums else 0
        synth.system_reset()
        synth.program_select(channel, number, 128 if drums else 0, program)
        events = [(n.start, 1, n.pitch) for n in notes] + [(n.start + n.held, 0, n.pitch) for n in notes]
        out, at = [], 0
        for place, on, pitch in sorted(events):
            out.append(synth.get_samples(place - at))
            at = place
            synth.noteon(channel, pitch, 90) if on else synth.noteoff(channel, pitch)
        out.append(synth.get_samples(RATE))
        return np.concatenate(out).reshape(-1, 2).T.astype(np.float32) / 32768

    return play


def _tinysoundfont(font: Path) -> Play:
    import tinysoundfont

    synth = tinysoundfont.Synth(samplerate=RATE)
    number = synth.sfload(str(font))

    def play(program: int, drums: bool, notes: list[Played]) -> np.ndarray:
        channel = 9 if drums else 0
        synth.program_select(channel, number, 128 if drums else 0, program, drums)
        events = [(n.start, 1, n.pitch) for n in notes] + [(n.start + n.held, 0, n.pitch) for n in notes]
        out, at = [], 0
        for place, on, pitch in sorted(events):
            if place > at:
                out.append(np.frombuffer(bytes(synth.generate(place - at)), np.float32))
            at = place
            synth.noteon(channel, pitch, 90) if on else synth.noteoff(channel, pitch)
        out.append(np.frombuffer(bytes(synth.generate(RATE)), np.float32))
        return np.concatenate(out).reshape(-1, 2).T

    return play


def _shifted(play: Play) -> int:
    """Of four starts a few samples later, how many come out as exactly that."""
    first = play(0, False, [Played(4800, 24_000, 60, 0.7)])[0]
    right = 0
    for late in (1, 7, 33, 100):
        other = play(0, False, [Played(4800 + late, 24_000, 60, 0.7)])[0]
        length = min(len(first), len(other) - late, 20_000)
        away = np.abs(other[late : late + length] - first[:length]).max()
        right += bool(away < 1e-3 * np.abs(first).max())
    return right


def _minute(drums: bool) -> list[Played]:
    rng = np.random.default_rng(0)
    low, high = (36, 50) if drums else (48, 80)
    return [
        Played(k * RATE // 8, 19_200, int(rng.integers(low, high)), 0.7) for k in range(480) for _ in "ab"
    ]


def measured(name: str, open_font: Callable[[Path], Play], font: Path) -> dict[str, object]:
    """A row of the table."""
    start = time.process_time()
    play = open_font(font)
    play(0, False, [Played(0, 4800, 60, 0.7)])
    first_s = time.process_time() - start
    row: dict[str, object] = {
        "library": name,
        "exact starts, of 4": _shifted(play),
        "first note, CPU s": first_s,
    }
    for turn in ("cold", "warm"):
        start = time.process_time()
        for program, drums in SOUNDS:
            play(program, drums, _minute(drums))
        row[f"5 parts of a minute, {turn}, CPU s"] = time.process_time() - start
    return row


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Libraries that play soundfonts, side by side.")
    parser.add_argument("--font", type=Path, help="SF2 or SF3 [the one that a package installed]")
    args = parser.parse_args(argv)
    font = args.font or installed_materials().soundfonts[0]
    rows = []
    openers = {"symusic": _symusic, "pyfluidsynth": _fluidsynth, "tinysoundfont": _tinysoundfont}
    for name, open_font in openers.items():
        if name == "symusic" and font_library() is None:
            continue
        try:
            rows.append(measured(name, open_font, font))
        except ImportError as error:
            sys.stderr.write(f"{name} is left out: {error}\n")
    sys.stdout.write(f"{font.name}\n\n{table(rows)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
