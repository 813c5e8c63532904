"""Ears side by side: beats and bars heard in music whose beats are known, and in songs as madmom hears them.

    python -m benchmarks.ears --groove DIR --samples DIR --melody DIR --clips DIR

| set | what is heard | truth |
|---|---|---|
| unseen | pieces of 30 s by new bands on samples that nothing learns from | the plan |
| hard | the same at any tempo, with drums missing, wandering time, somebody who sings | the plan |
| model | the transformer's music to drawn dances of 10 s | the rhythm that it was asked for |
| band | the band's music on the same rhythms | likewise |
| melody, clips | songs that people danced to | madmom, where it hears two parts alike |

All that takes long is kept in `--folder`. Ears that are not installed are left out.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from d2m_core.band import plan_on, play
from d2m_core.media import load_audio, open_clip, to_mono
from d2m_core.music import SamplingConfig
from d2m_core.pipeline import load_models
from d2m_core.rhythm import rhythm_from_motion
from d2m_core.scores import beat_f, meeting_of
from d2m_core.styles import metre_of_style
from d2m_core.types import Waveform
from training.ear.music import materials_of, studio_piece
from training.figures.bootstrap import mean_interval
from training.figures.tables import table
from training.judges.madmom import installed, kept_madmom_beats
from training.judges.trackers import LISTENERS, MADMOM
from training.run.command import GOES_ON, command_parser, run_command
from training.scoreboard.music.making import Maker
from training.scoreboard.music.sets import SetOptions, dances_of, styles_for
from training.scoreboard.rhythm_sets import videos_in
from training.seeds import EARS_SEED
from training.sources.melody import EXCERPT_S, dances_in

SETS = ("unseen", "hard", "model", "band", "melody", "clips")
SONGS = ("melody", "clips")
PART_S = 0.6
"""Share of a song in each of the two parts that madmom has to hear alike, from both ends."""
ALIKE_F = 0.9
"""They are alike from this beat F on where they overlap."""


@dataclass(frozen=True, eq=False)
class Music:
    """A sound and when its beats are."""

    name: str
    wave: Waveform
    beats_s: np.ndarray
    downbeats: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Found:
    """What an ear heard, and how long it took."""

    beats_s: np.ndarray
    downbeats: np.ndarray | None
    seconds: float
    confidence: float = float("nan")


# --- the sets ---


def studio_music(args: argparse.Namespace, plain: bool) -> Iterator[Music]:
    """Music by new bands on the reserved samples."""
    materials = materials_of(args.groove, args.samples, held_out=True)
    seeds = range(EARS_SEED, EARS_SEED + args.pieces)
    for seed in seeds if plain else range(seeds.stop, seeds.stop + args.hard):
        piece = studio_piece(seed, materials, plain=plain)
        yield Music(piece.name, piece.wave, piece.beats_s, piece.downbeats)


def dance_music(args: argparse.Namespace, by: str) -> Iterator[Music]:
    """What the transformer or the band plays to drawn dances, on the rhythm found in each."""
    models, materials = load_models(), materials_of(args.groove, args.samples)
    dances = list(dances_of(args.dances_of, SetOptions(args.dances, poses=args.folder / "poses")))
    maker = Maker(models, None, args.folder / "made")
    styles = styles_for(dances, models.model.model.config.styles)
    for number, (dance, style) in enumerate(zip(dances, styles, strict=True)):
        rhythm = rhythm_from_motion(dance.motion, models.rhythm, metre=metre_of_style(style))
        if by == "model":
            sampling = SamplingConfig(seed=number, style=style)
            wave = maker.take(dance.name, dance.motion, rhythm, sampling, dance.duration_s).wave
        else:
            plan = plan_on(rhythm.beats_s, rhythm.downbeats, dance.duration_s, number, style, rhythm.energy)
            song = play(plan, materials)
            wave = to_mono(Waveform(torch.from_numpy(song.samples)[None], song.sample_rate))
        yield Music(dance.name, wave, rhythm.beats_s, rhythm.downbeats)


def songs(paths: Sequence[Path], args: argparse.Namespace) -> Iterator[Music]:
    """Songs that madmom hears alike from their beginning and from their end, with its beats."""
    folder = args.folder / MADMOM
    for path in paths:
        wave = load_audio(path, duration_s=EXCERPT_S, mono=True)
        cut = round(PART_S * wave.samples.shape[-1])
        late_s = (wave.samples.shape[-1] - cut) / wave.sample_rate
        first = kept_madmom_beats(Waveform(wave.samples[..., :cut], wave.sample_rate), folder, path.stem)
        last = kept_madmom_beats(Waveform(wave.samples[..., -cut:], wave.sample_rate), folder, path.stem)
        both = (late_s, cut / wave.sample_rate)
        parts = [beats[(beats > both[0]) & (beats < both[1])] for beats in (first, last + late_s)]
        whole = kept_madmom_beats(wave, folder, path.stem)
        if len(whole) > 1 and beat_f(*parts) >= ALIKE_F:
            yield Music(path.stem, wave, whole)


def _song_files(name: str, args: argparse.Namespace) -> list[Path]:
    folder = args.melody if name == "melody" else args.clips
    if folder is None:
        return []
    if name == "melody":
        return [path.with_suffix(".opus") for path in dances_in(folder)]
    return [path for path in videos_in(folder) if open_clip(path).has_audio]


def music_of(name: str, args: argparse.Namespace) -> Iterator[Music]:
    """The music of a set; none where what it needs was not given."""
    if name in SONGS:
        return songs(_song_files(name, args), args) if installed() else iter(())
    if name in ("model", "band"):
        return dance_music(args, name)
    return studio_music(args, plain=name == "unseen")


# --- hearing and scoring ---


def heard(name: str, music: Music, folder: Path) -> Found:
    """What an ear hears; what madmom does is kept."""
    if name == MADMOM:
        return Found(kept_madmom_beats(music.wave, folder / MADMOM, music.name), None, float("nan"))
    start = time.process_time()
    grid = LISTENERS[name].hear(music.wave, None)
    return Found(grid.beats_s, grid.downbeats, time.process_time() - start, grid.confidence)


def scored(music: Music, found: Found) -> dict[str, object]:
    """How what was found meets the truth."""
    truth = music.beats_s[music.beats_s < music.wave.duration_s]
    met = meeting_of(truth, found.beats_s)
    row: dict[str, object] = {"name": music.name, "f": met.f, "amlt": met.amlt, "way": met.way}
    row |= {"times": music.wave.duration_s / found.seconds, "confidence": found.confidence}
    if music.downbeats is not None and found.downbeats is not None:
        bars = truth[music.downbeats[: len(truth)]]
        row["downbeat_f"] = beat_f(bars, found.beats_s[found.downbeats])
    return row


def measured(name: str, args: argparse.Namespace) -> dict[str, list[dict[str, object]]]:
    """The scores of every ear over a set."""
    ears = [ear for ear in args.ears if LISTENERS[ear].installed]
    rows: dict[str, list[dict[str, object]]] = {ear: [] for ear in ears}
    for number, music in enumerate(tqdm(music_of(name, args), desc=name, unit="piece")):
        for ear in ears:
            # It is the truth of songs, and slow.
            if ear != MADMOM or (name not in SONGS and number < args.madmom_first):
                rows[ear].append(scored(music, heard(ear, music, args.folder)))
    return {ear: found for ear, found in rows.items() if found}


def line(name: str, ear: str, rows: list[dict[str, object]]) -> dict[str, object]:
    """An ear's means over a set."""

    def values(key: str) -> np.ndarray:
        return np.array([row.get(key, np.nan) for row in rows], np.float64)

    f, ways = mean_interval(values("f")), [row["way"] for row in rows]
    return {
        "set": name,
        "pieces": len(rows),
        "ear": ear,
        "beat F": f"{f.mean:.3f} ({f.low:.2f}..{f.high:.2f})",
        "AMLt": f"{values('amlt').mean():.3f}",
        "downbeat F": "-"
        if np.isnan(values("downbeat_f")).all()
        else f"{np.nanmean(values('downbeat_f')):.3f}",
        "half off / twice / at half": " / ".join(
            str(sum(way.startswith(start) for way in ways if isinstance(way, str)))
            for start in ("half a beat", "counted twice", "counted at half")
        ),
        "x real time": "-" if np.isnan(values("times")).all() else f"{np.nanmedian(values('times')):.0f}",
    }


def _mean(values: np.ndarray) -> str:
    return "-" if np.isnan(values).all() else f"{np.nanmean(values):.3f}"


def parser() -> argparse.ArgumentParser:
    """The flags."""
    found = command_parser("ears", __doc__)
    add = found.add_argument
    add("--sets", nargs="+", choices=SETS, default=list(SETS), help="which [all]")
    add(
        "--ears",
        nargs="+",
        choices=list(LISTENERS),
        default=["rises", "ours", MADMOM],
        help="who [%(default)s]",
    )
    add("--madmom-first", type=int, default=1000, help="so many of each set it hears too [%(default)s]")
    add("--pieces", type=int, default=100, help="of the set unseen [%(default)s]")
    add("--hard", type=int, default=56, help="pieces of the set hard [%(default)s]")
    add("--dances", type=int, default=20, help="of the sets model and band [%(default)s]")
    add("--dances-of", default="drawn", help="which dances those are: drawn or studio [%(default)s]")
    add("--groove", type=Path, metavar="DIR", help="Groove MIDI Dataset")
    add("--samples", type=Path, metavar="DIR", help="CC0 one-shots and loops")
    add("--melody", type=Path, metavar="DIR", help="Dance with Melody")
    add("--clips", type=Path, metavar="DIR", help="clips with their songs")
    add("--folder", type=Path, default=Path("runs/ears"), help="what takes long [%(default)s]")
    add("--out", type=Path, help="a JSON file for every row")
    return found


def _work(words: list[str]) -> str:
    args = parser().parse_args(words)
    torch.set_num_threads(1)
    results = {name: measured(name, args) for name in args.sets}
    if args.out:
        args.out.write_text(json.dumps(results, indent=1), encoding="utf-8")
    return table([line(name, ear, rows) for name, found in results.items() for ear, rows in found.items()])


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    return run_command(_work, argv, GOES_ON)


if __name__ == "__main__":
    raise SystemExit(main())
