"""Music by the studio's band for the ear to learn from: new bands, any tempo, players left out, a singer.

What makes it harder than the band's usual mixes is what real songs have: drums that are soft or not
there at all, time that wanders, somebody who sings over it and does not keep to the grid.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from d2m_core.band import Materials, Plan, find_materials, make_plan, record
from d2m_core.band.arrange import Score, arrange
from d2m_core.band.mix import DRUM_STEMS, mix_down
from d2m_core.band.notes import DRUM_FAMILY
from d2m_core.band.stems import GROUPS, transitions
from d2m_core.band.synth import SAMPLE_RATE
from d2m_core.styles import STYLES

from .piece import PIECE_S, Piece, heard, onsets_of
from .voice import sing

TEMPO_BPM = (55.0, 200.0)
"""Slowest and fastest pulse that is learnt."""
_OWN_TEMPO = 0.4
"""Share of the pieces at a tempo of their style."""
_WANDERS, _MOST_WANDER = 0.35, 0.05
"""Share of the pieces whose time wanders, and by which share of the tempo at most."""
_SWUNG = 0.15
"""Share of the pieces that swing although their style need not."""
_SINGS = 0.5


@dataclass(frozen=True)
class _Line:
    """Who plays: what the mixing desk does to stems before they are mixed."""

    drums: float
    """Gain of all drums."""
    without: frozenset[str]


def materials_of(groove: Path | None, samples: Path | None, held_out: bool = False) -> Materials:
    """What the band plays with; `held_out`: the raw material that nothing learns from."""
    return replace(find_materials((), groove, samples), held_out=held_out)


def studio_piece(seed: int, materials: Materials, seconds: float = PIECE_S, plain: bool = False) -> Piece:
    """The piece of a seed; equal seeds and materials give equal pieces.

    `plain`: as the band plays it and at a tempo of its style, nobody left out and nobody singing.
    """
    rng = np.random.default_rng([seed, 0xEA2])
    style = STYLES[seed % len(STYLES)]
    tempo = None
    if not plain and rng.random() > _OWN_TEMPO:
        tempo = float(np.exp(rng.uniform(*np.log(TEMPO_BPM))))
    plan = make_plan(seed, seconds, style, tempo)
    if not plain:
        plan = _wandering(plan, rng)
    score = arrange(plan, materials)
    stems, _sources = record(plan, score, materials)
    line = _Line(1.0, frozenset()) if plain else _line(stems, rng)
    stems = {k: v * np.float32(line.drums if k in DRUM_STEMS else 1) for k, v in stems.items()}
    stems = {name: sound for name, sound in stems.items() if name not in line.without}
    effects, impacts = transitions(plan, score.bars)
    stems["fx"] = effects * np.float32(min(1.0, line.drums))
    parts = _onsets(plan, score, line, impacts)
    kicks = parts.get("kick", np.zeros((0, 2)))[:, 0] if line.drums > 0.3 else np.zeros(0)
    mix = mix_down(plan, score.bars, stems, kicks)
    if not plain and rng.random() < _SINGS:
        voice, sung = sing(plan, rng)
        loud = np.sqrt((mix**2).mean()) / max(1e-6, np.sqrt((voice**2).mean()))
        mix = mix + voice * np.float32(loud * 10 ** (rng.uniform(-10, 3) / 20))
        parts["lead voice"] = sung
    samples = heard(mix, SAMPLE_RATE)
    return Piece(f"{seed:07d}", samples, plan.beats_s, plan.downbeats, onsets_of(parts))


def _wandering(plan: Plan, rng: np.random.Generator) -> Plan:
    """The plan with time that wanders, or slows down, or steps; and more swing."""
    if rng.random() < _SWUNG:
        plan = replace(plan, swing=float(rng.uniform(0.05, 0.36)), swing_step=float(rng.choice([0.25, 0.5])))
    if rng.random() > _WANDERS:
        return plan
    steps = np.diff(plan.grid_s)
    walk = np.cumsum(rng.standard_normal(len(steps)))
    walk = walk - np.linspace(0, walk[-1], len(walk))
    share = rng.uniform(0, _MOST_WANDER) * walk / max(1e-6, np.abs(walk).max())
    kind = rng.random()
    if kind < 0.3:  # it gets faster or slower from end to end
        share = share + rng.uniform(-0.08, 0.08) * np.linspace(-0.5, 0.5, len(steps))
    elif kind < 0.45:  # or from one beat to the next
        share = share + rng.uniform(-0.12, 0.12) * (np.arange(len(steps)) > rng.integers(len(steps)))
    jitter = rng.standard_normal(len(steps)) * rng.uniform(0, 0.015)
    bent = np.concatenate([[0.0], np.cumsum(steps * (1 + share + jitter))])
    total = plan.grid_s[-1] - plan.grid_s[0]
    return replace(plan, grid_s=plan.grid_s[0] + bent * max(1.0, total / bent[-1]))


def _line(stems: dict[str, np.ndarray], rng: np.random.Generator) -> _Line:
    """Whom one hears: everybody, softer drums, no drums, or fewer of the others."""
    kind = rng.random()
    if kind < 0.4:
        return _Line(float(10 ** (rng.uniform(-3, 3) / 20)), frozenset())
    if kind < 0.6:
        return _Line(float(10 ** (rng.uniform(-16, -4) / 20)), frozenset(_some(DRUM_STEMS, 0.3, rng)))
    pitched = tuple(name for name in stems if name not in (*DRUM_STEMS, "bed"))
    if kind < 0.78:
        gone = frozenset(DRUM_STEMS) | _some(pitched, 0.2, rng)
        return _Line(0.0, gone if len(gone) < len(stems) else frozenset(DRUM_STEMS))
    gone = _some(pitched, 0.5, rng) | _some(DRUM_STEMS, 0.35, rng)
    return _Line(1.0, gone if len(gone) + 1 < len(stems) else frozenset())


def _some(names: tuple[str, ...], share: float, rng: np.random.Generator) -> frozenset[str]:
    return frozenset(name for name in names if rng.random() < share)


def _onsets(
    plan: Plan, score: Score, line: _Line, impacts: list[tuple[float, float]]
) -> dict[str, np.ndarray]:
    """Seconds and strength [n, 2] of what is played by those that one hears."""
    rows: dict[str, list[tuple[float, float]]] = {}
    for note in score.notes:
        drum = not note.pitches
        stem = GROUPS.get(note.part, "perc") if drum else note.part
        if stem in line.without:
            continue
        loud = note.velocity * (min(1.0, line.drums) ** 0.5 if drum else 1.0)
        rows.setdefault(DRUM_FAMILY.get(note.part, note.part), []).append((note.beat, loud))
    found = {}
    for part, notes in rows.items():
        table = np.array(sorted(notes), np.float64)
        table[:, 0] = plan.seconds(table[:, 0])
        found[part] = table[(table[:, 0] >= 0) & (table[:, 0] < plan.duration_s)]
    if impacts and line.drums > 0.3:
        found["impact"] = np.array([row for row in impacts if 0 <= row[0] < plan.duration_s]).reshape(-1, 2)
    return found
