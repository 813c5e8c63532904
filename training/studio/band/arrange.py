"""What is played when: drum patterns, bass lines, chords and melodies, as notes on sixteenth steps.

A bar of 4/4 has 16 steps. Strings are read step by step: `x` hit, `o` softer, `.` nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

STEPS = 16

DRUMS: dict[str, dict[str, tuple[str, ...]]] = {
    "house": {
        "kick": ("x...x...x...x...",),
        "clap": ("....x.......x...",),
        "open": ("..x...x...x...x.",),
        "hat": ("x.o.x.o.x.o.x.o.", "xoooxoooxoooxooo", "x.o.x.o.x.oox.oo"),
        "shaker": ("xoooxoooxoooxooo", "................"),
        "rim": ("...x..x....x..x.", "..........x..x..", "................"),
    },
    "techno": {
        "kick": ("x...x...x...x...",),
        "clap": ("....x.......x...", "............x...", "................"),
        "open": ("..x...x...x...x.",),
        "hat": ("xoooxoooxoooxooo", "x.oox.oox.oox.oo"),
        "tom": ("...x..x...x..x..", ".......x......x.", "................"),
        "rim": ("..x..x..x..x..x.", "...x...x...x...x"),
    },
    "disco": {
        "kick": ("x...x...x...x...",),
        "snare": ("....x.......x...",),
        "open": ("..x...x...x...x.",),
        "hat": ("x.oox.oox.oox.oo", "x.o.x.o.x.o.x.o."),
        "conga": ("x..ox.o.x..ox.oo", "................", "..x...xo..x...xo"),
        "cowbell": ("x...x...x...x...", "................"),
    },
    "funk": {
        "kick": ("x.....x.x...o...", "x..o....x.x.....", "x.....x.x.....o."),
        "snare": ("....x.......x...",),
        "ghost": (".......o.......o", "...............o", "..........o....."),
        "hat": ("xoooxoooxoooxooo", "x.o.x.o.x.o.x.o."),
        "open": ("..............o.", "................"),
        "conga": ("................", "x..o..o.x..o..o."),
    },
    "hiphop": {
        "kick": ("x......x..x.....", "x..x...x..x.....", "x.......x.x....."),
        "snare": ("....x.......x...",),
        "clap": ("....x.......x...", "................"),
        "hat": ("x.o.x.o.x.o.x.o.", "x.o.x.oox.o.x.oo", "x.oox.o.x.o.xooo"),
        "rim": ("...........o..o.", "................"),
    },
    "latin": {
        "kick": ("x...x...x...x...",),
        "snare": ("...o..o....o..o.", "......o.......o.", "...o..o.....x..."),
        "hat": ("x.o.x.o.x.o.x.o.",),
        "shaker": ("xoooxoooxoooxooo",),
        "conga": ("x.....oox.....oo", "x..o..o.x..o..o."),
        "bongo": ("................", "xooxxoooxoooxooo"),
        "rim": ("x..x..x...x.x...", "................"),
    },
}

BASS: dict[str, tuple[str, ...]] = {
    "house": ("..x...x...x...x.", "..xo..x...xo..xo", "x..x..x...x..x.."),
    "techno": ("..xx..xx..xx..xx", ".xxx.xxx.xxx.xxx", "x.xx.xx.x.xx.xx."),
    "disco": ("x.o.x.o.x.o.x.o.", "x.oox.o.x.oox.o.", "x..ox.o.x.o.x.oo"),
    "funk": ("x..x..x.x...x.o.", "x.ox....x.ox....", "x.....xox...x.o."),
    "hiphop": ("x......x..x.....", "x..x...x..x.....", "x.........x..o.."),
    "latin": ("x..x..x.x..x..x.", "x..x..x.........", "x.....x.x.....x."),
}

CHORDS: dict[str, tuple[str, ...]] = {
    "house": ("..x..x....x..x..", "x..x..x...x.....", "..x...x...x...x."),
    "techno": ("...x......x.....", "......x......x..", "..x.....x......."),
    "disco": ("..x...x...x...x.", "..xx..xx..xx..xx", "x...x..x..x.x..."),
    "funk": ("x..x....x..x....", "x.....x.x.....x.", "x..ox...x..ox..."),
    "hiphop": ("x...............", "x.....x.........", "x.......o.x....."),
    "latin": ("x..x..x.x..x..x.", "x...x..xx...x..x", "x.x.x...x.x.x..."),
}

PROGRESSIONS: tuple[tuple[int, ...], ...] = (
    (0, 5, 3, 4), (0, 3, 4, 3), (0, 5, 2, 6), (0, 0, 3, 4), (0, 6, 5, 6), (5, 3, 0, 4),
    (0, 3, 0, 4), (1, 4, 0, 0), (0, 2, 3, 4), (0, 0, 5, 5),
)  # fmt: skip
"""Scale degrees, one chord per bar."""

SCALES = {
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "major": (0, 2, 4, 5, 7, 9, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
}

MODES = {
    "house": ("minor", "dorian"), "techno": ("minor",), "disco": ("minor", "major", "dorian"),
    "funk": ("dorian", "minor"), "hiphop": ("minor", "dorian"), "latin": ("minor", "major"),
}  # fmt: skip

SWING = {"house": 0.12, "techno": 0.0, "disco": 0.04, "funk": 0.1, "hiphop": 0.25, "latin": 0.0}
"""Greatest delay of off sixteenths, as a share of a sixteenth."""


@dataclass(frozen=True)
class Note:
    """One thing to play."""

    part: str
    """A piece of the kit, or `bass`, `chords`, `pad`, `lead`."""
    step: float
    """Sixteenths from the song's first downbeat; may have a fraction (swing)."""
    velocity: float
    pitches: tuple[float, ...] = ()
    """MIDI notes; empty for drums."""
    length: float = 1.0
    """Sixteenths."""


@dataclass(frozen=True)
class Score:
    """The choices that hold for a whole song, so that bars repeat with variations."""

    style: str
    drums: dict[str, str]
    bass: str
    chords: str
    progression: tuple[int, ...]
    scale: tuple[int, ...]
    root: int
    """MIDI note of the tonic, in the bass octave."""
    swing: float
    motif: tuple[tuple[int, int, int], ...]
    """(step in two bars, scale degree, length in steps) of the lead."""


def write_score(style: str, rng: np.random.Generator) -> Score:
    def choose(options):
        return options[int(rng.integers(len(options)))]

    return Score(
        style=style,
        drums={part: choose(patterns) for part, patterns in DRUMS[style].items()},
        bass=choose(BASS[style]),
        chords=choose(CHORDS[style]),
        progression=choose(PROGRESSIONS),
        scale=SCALES[choose(MODES[style])],
        root=int(rng.integers(31, 43)),
        swing=float(SWING[style] * rng.random()),
        motif=_motif(rng),
    )


def _motif(rng: np.random.Generator) -> tuple[tuple[int, int, int], ...]:
    """A two-bar phrase that leans on chord tones and answers itself in the second bar."""
    first, degree, step = [], int(rng.choice((0, 2, 4))), int(rng.choice((0, 0, 2, 4)))
    while step < STEPS:
        length = int(rng.choice((1, 2, 2, 3, 4)))
        if rng.random() < 0.75:
            first.append((step, degree, length))
        degree = int(np.clip(degree + rng.choice((-2, -1, -1, 1, 1, 2)), -2, 9))
        step += length
    answer = [(s + STEPS, d + (1 if rng.random() < 0.3 else 0), n) for s, d, n in first]
    return tuple(first + answer[: max(1, len(answer) - int(rng.integers(3)))])


def bar_notes(
    score: Score, bar: int, energy: float, fill: bool, rng: np.random.Generator
) -> list[Note]:
    """The notes of one bar. `energy` 0..1 decides who plays; `fill` ends it with a drum fill."""
    notes = _drum_notes(score, energy, fill, rng)
    degree = score.progression[bar % len(score.progression)]
    if energy > 0.2:
        notes += _bass_notes(score, degree, energy, rng)
    notes += _chord_notes(score, degree, energy)
    if energy > 0.62 and (bar // 4) % 2 == 1:
        notes += _lead_notes(score, bar)
    start = bar * STEPS
    return [_placed(note, start, score.swing) for note in notes]


def _placed(note: Note, start: int, swing: float) -> Note:
    late = swing if int(note.step) % 2 == 1 else 0.0
    return Note(note.part, start + note.step + late, note.velocity, note.pitches, note.length)


ENTERS = {
    "kick": 0.0, "hat": 0.1, "snare": 0.3, "clap": 0.3, "shaker": 0.4, "open": 0.45, "ghost": 0.4,
    "rim": 0.5, "conga": 0.5, "tom": 0.55, "bongo": 0.6, "cowbell": 0.7,
}  # fmt: skip
"""Energy from which a drum plays."""


def _drum_notes(score: Score, energy: float, fill: bool, rng: np.random.Generator) -> list[Note]:
    notes = []
    last = STEPS - (4 if energy < 0.6 else 8) if fill else STEPS
    for part, pattern in score.drums.items():
        if energy < ENTERS[part]:
            continue
        stop = STEPS if part in ("kick", "hat") else last
        for step, mark in enumerate(pattern[:stop]):
            if mark != "." and (mark == "x" or rng.random() < 0.93):
                loud = (0.95 if mark == "x" else 0.55) * (0.7 + 0.3 * energy)
                accent = 1.0 if step % 4 == 0 or part in ("snare", "clap", "open") else 0.85
                notes.append(Note(part, step, loud * accent * rng.uniform(0.88, 1.0)))
    if fill:
        drum = "tom" if rng.random() < 0.5 else "snare"
        steps = [s for s in range(last, STEPS) if rng.random() < 0.75]
        notes += [Note(drum, s, 0.5 + 0.5 * (s - last) / STEPS * 2) for s in steps]
    return notes


def _scale_note(score: Score, degree: int) -> int:
    octave, place = divmod(degree, len(score.scale))
    return score.root + 12 * octave + score.scale[place]


def _bass_notes(score: Score, degree: int, energy: float, rng: np.random.Generator) -> list[Note]:
    notes = []
    hits = [s for s, mark in enumerate(score.bass) if mark != "."]
    for k, step in enumerate(hits):
        until = hits[k + 1] if k + 1 < len(hits) else STEPS
        octave = 12 if score.bass[step] == "o" else 0
        jump = degree + (4 if rng.random() < 0.12 and step else 0)
        length = min(until - step, 3) * 0.9
        note = _scale_note(score, jump) + octave
        notes.append(Note("bass", step, 0.75 + 0.25 * energy, (note,), length))
    return notes


def _chord_notes(score: Score, degree: int, energy: float) -> list[Note]:
    size = 4 if score.style in ("house", "funk", "hiphop", "disco") else 3
    pitches = [_scale_note(score, degree + 2 * k) + 24 for k in range(size)]
    voiced = tuple(float(p - 12 if p > score.root + 38 else p) for p in pitches)
    if energy < 0.35:
        return [Note("pad", 0, 0.6, voiced, STEPS)]
    notes = [Note("pad", 0, 0.35, voiced, STEPS)] if energy > 0.75 else []
    hits = [s for s, mark in enumerate(score.chords) if mark != "."]
    length = 8.0 if score.style == "hiphop" else 1.6
    return notes + [
        Note("chords", s, 0.6 + 0.3 * energy, voiced, min(length, STEPS - s)) for s in hits
    ]


def _lead_notes(score: Score, bar: int) -> list[Note]:
    offset = (bar % 2) * STEPS
    inside = [(s - offset, d, n) for s, d, n in score.motif if 0 <= s - offset < STEPS]
    return [Note("lead", s, 0.7, (_scale_note(score, d) + 36.0,), n * 0.9) for s, d, n in inside]
