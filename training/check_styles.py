"""Measures every style that the band plays, and pictures two pieces of each.

    python -m training.check_styles --per-style 4 --seconds 20 --out runs/styles

One row per style: loudness, crest factor, balance by octave, how busy it is, whether beat trackers
by others find the annotated beats, and how unlike each other its pieces are.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from d2m_core.band import Materials, Song, find_materials, licences_of, make_plan, play
from d2m_core.band.mix import loudness
from d2m_core.errors import require
from d2m_core.files import replacing
from d2m_core.scores import beat_f
from d2m_core.styles import STYLES
from d2m_core.types import Waveform
from training.judges.madmom import installed, madmom_beats
from training.run.command import command_parser, run_command
from training.scoreboard.style_sheet import log_mel, picture_styles
from training.seeds import STYLE_CHECK_SEED

OCTAVES_HZ = (31.5, 63.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)
"""Middles of the octave bands."""


@dataclass(frozen=True)
class PieceFacts:
    """What was measured on one piece."""

    style: str
    seed: int
    tempo_bpm: float
    lufs: float
    crest_db: float
    true_peak: float
    octaves_db: tuple[float, ...]
    """Level of each octave against the loudest."""
    onsets_per_s: float
    """As librosa hears them."""
    notes_per_beat: float
    """As annotated."""
    madmom_f: float | None
    madmom_folded_f: float | None
    """Against the beats, every second beat or twice as many, whichever suits best."""
    librosa_f: float
    sources: tuple[str, ...]
    chroma: tuple[float, ...]
    """Share of each pitch class in each eighth of the piece; for telling pieces apart."""
    mel: tuple[float, ...]


@dataclass(frozen=True)
class Task:
    style: str
    seed: int
    seconds: float
    materials: Materials
    madmom: bool


def measure(task: Task) -> tuple[PieceFacts, np.ndarray, np.ndarray]:
    """Facts of one piece, its log-mel spectrogram and its beats."""
    import librosa

    torch.set_num_threads(1)
    song = play(make_plan(task.seed, task.seconds, task.style), task.materials)
    mono = song.samples.mean(0)
    heard = librosa.onset.onset_detect(y=mono, sr=song.sample_rate)
    tracked = librosa.beat.beat_track(y=mono, sr=song.sample_rate, units="time")[1]
    theirs = _madmom(song) if task.madmom else None
    mel = log_mel(mono, song.sample_rate)
    chroma = librosa.feature.chroma_stft(y=mono, sr=song.sample_rate, hop_length=2048)
    facts = PieceFacts(
        style=task.style,
        seed=task.seed,
        tempo_bpm=round(song.tempo_bpm, 1),
        lufs=round(loudness(song.samples), 2),
        crest_db=round(float(20 * np.log10(np.abs(mono).max() / np.sqrt(np.mean(mono**2)))), 1),
        true_peak=round(_true_peak(song.samples), 3),
        octaves_db=_octaves(mono, song.sample_rate),
        onsets_per_s=round(len(heard) / task.seconds, 2),
        notes_per_beat=round(sum(map(len, song.onsets.values())) / max(1, len(song.beats_s)), 2),
        madmom_f=None if theirs is None else round(beat_f(song.beats_s, theirs), 3),
        madmom_folded_f=None if theirs is None else round(_folded_f(song.beats_s, theirs), 3),
        librosa_f=round(beat_f(song.beats_s, tracked), 3),
        sources=song.sources,
        chroma=tuple(float(x) for x in _pieces(chroma, 8).ravel()),
        mel=tuple(float(x) for x in _pieces(mel[::4], 16).ravel()),
    )
    return facts, mel, song.beats_s


def _madmom(song: Song) -> np.ndarray:
    return madmom_beats(Waveform(torch.from_numpy(song.samples)[None], song.sample_rate))


def _folded_f(beats_s: np.ndarray, found_s: np.ndarray) -> float:
    between = np.sort(np.r_[beats_s, (beats_s[1:] + beats_s[:-1]) / 2])
    options = (beats_s, beats_s[::2], beats_s[1::2], between)
    return max(beat_f(option, found_s) for option in options)


def _true_peak(samples: np.ndarray) -> float:
    from scipy.signal import resample_poly

    return float(np.abs(resample_poly(samples, 4, 1, axis=1)).max())


def _octaves(mono: np.ndarray, rate: int) -> tuple[float, ...]:
    power = np.abs(np.fft.rfft(mono)) ** 2
    hz = np.fft.rfftfreq(len(mono), 1 / rate)
    bands = [power[(hz >= f / 2**0.5) & (hz < f * 2**0.5)].sum() + 1e-9 for f in OCTAVES_HZ]
    return tuple(round(float(10 * np.log10(b / max(bands))), 1) for b in bands)


def _pieces(values: np.ndarray, count: int) -> np.ndarray:
    """Means over `count` equal stretches of time: [rows, count]."""
    return np.stack([part.mean(1) for part in np.array_split(values, count, axis=1)], axis=1)


def likeness(own: list[PieceFacts], everyone: list[PieceFacts]) -> tuple[float, float]:
    """The greatest correlation of two pieces of a style, in chroma and in spectrum over time.

    What all music has in common is taken off first: the mean of everyone's.
    """
    greatest = []
    for name in ("chroma", "mel"):
        common = np.mean([getattr(f, name) for f in everyone], axis=0)
        pairs = itertools.combinations([np.asarray(getattr(f, name)) - common for f in own], 2)
        greatest.append(max((float(np.corrcoef(a, b)[0, 1]) for a, b in pairs), default=0.0))
    return greatest[0], greatest[1]


def _mean(values: list[float | None]) -> str:
    known = [v for v in values if v is not None]
    return f"{np.mean(known):.2f}" if known else "-"


def table(facts: list[PieceFacts]) -> str:
    """One row of text per style."""
    octaves = " ".join(f"{f / 1000:g}k" if f >= 1000 else f"{f:g}" for f in OCTAVES_HZ)
    lines = [
        "| style | bpm | LUFS | crest dB | octaves dB: " + octaves + " | heard/s | notes/beat |"
        " madmom F (min) | folded | librosa F | like: chroma, mel |",
        "|" + "---|" * 11,
    ]
    for style in STYLES:
        own = [f for f in facts if f.style == style]
        if not own:
            continue
        lufs, bpm = [f.lufs for f in own], [f.tempo_bpm for f in own]
        bands = np.mean([f.octaves_db for f in own], axis=0)
        chroma, mel = likeness(own, facts)
        least = min((f.madmom_f for f in own if f.madmom_f is not None), default=None)
        lines.append(
            f"| {style} | {min(bpm):.0f}-{max(bpm):.0f} | {min(lufs):.1f}..{max(lufs):.1f} "
            f"| {np.mean([f.crest_db for f in own]):.1f} | {' '.join(f'{b:.0f}' for b in bands)} "
            f"| {np.mean([f.onsets_per_s for f in own]):.1f} "
            f"| {np.mean([f.notes_per_beat for f in own]):.1f} "
            f"| {_mean([f.madmom_f for f in own])} ({'-' if least is None else f'{least:.2f}'}) "
            f"| {_mean([f.madmom_folded_f for f in own])} "
            f"| {_mean([f.librosa_f for f in own])} | {chroma:.2f}, {mel:.2f} |"
        )
    return "\n".join(lines)


def parser() -> argparse.ArgumentParser:
    """The flags."""
    found = command_parser("check_styles", __doc__)
    add = found.add_argument
    add("--out", type=Path, required=True, help="folder for table and picture")
    add("--per-style", type=int, default=4, help="pieces [%(default)s]")
    add("--seconds", type=float, default=20.0, help="of a piece [%(default)s]")
    add("--seed", type=int, default=STYLE_CHECK_SEED, help="first [%(default)s]")
    add("--styles", nargs="+", choices=STYLES, default=STYLES, metavar="STYLE")
    add("--groove", type=Path, help="folder of the Groove MIDI Dataset")
    add("--samples", type=Path, help="folder of one-shots")
    add("--soundfont", type=Path, nargs="*", default=(), help="instead of packages'")
    add("--no-madmom", action="store_true", help="faster: librosa's tracker only")
    add("--workers", type=int, default=2, help="processes [%(default)s]")
    return found


def _work(words: list[str]) -> str:
    args = parser().parse_args(words)
    require(args.per_style > 0, f"per-style is {args.per_style}; use 1 or more.")
    require(args.workers > 0, f"workers is {args.workers}; use 1 or more.")
    materials = find_materials(tuple(args.soundfont), args.groove, args.samples)
    tasks = [
        Task(style, args.seed + k, args.seconds, materials, installed() and not args.no_madmom)
        for style in args.styles
        for k in range(args.per_style)
    ]
    with ProcessPoolExecutor(args.workers) as pool:
        done = list(tqdm(pool.map(measure, tasks), total=len(tasks), desc="pieces"))
    facts = [found for found, _, _ in done]
    args.out.mkdir(parents=True, exist_ok=True)
    picture_styles(args.out / "styles.jpg", done, args.seconds)
    used = tuple(sorted({source for f in facts for source in f.sources}))
    with replacing(args.out / "styles.json") as partial:
        plain = [{**asdict(f), "chroma": None, "mel": None} for f in facts]
        partial.write_text(json.dumps({"pieces": plain, "licences": licences_of(used)}, indent=1))
    return table(facts) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    return run_command(_work, argv)


if __name__ == "__main__":
    raise SystemExit(main())
