"""What is danced when: phrases that follow the music's sections, a move for every bar."""

from __future__ import annotations

import numpy as np

from d2m_core.band import Plan
from d2m_core.band.plan import Section
from d2m_core.errors import SettingError
from d2m_core.types import MOTION_FPS
from training.studio.dancer.moves.arms import ARMS
from training.studio.dancer.moves.vocabulary import MOVES, Move

from .moves.events import Shift
from .moves.notation import Bar, Score
from .person import Dancer
from .trunk import layer_waves

FAMILIES = tuple(sorted({"trunk_waves", *(move.family for move in (*MOVES.values(), *ARMS.values()))}))
"""Names that `dance(..., without=...)` takes; `trunk_waves` go on under all moves."""

_SIZES = {"drop": 1.12, "break": 0.75, "intro": 0.85, "outro": 0.85}
_QUIET = {"groove", "waves", "waltz", "steps", "latin", "arms_rest", "arms_flow", "arms_swing"}
_FILLS = {"turns", "jumps", "levels", "freezes", "glides"}
_TRAVELS = {"latin", "waltz", "walks"}
_WANDER_M = 0.5


def allowed(without: frozenset[str]) -> tuple[dict[str, Move], dict[str, Move]]:
    """The vocabulary of legs and arms without some families."""
    unknown = sorted(without - set(FAMILIES))
    if unknown:
        raise SettingError(f"No family of moves is called {unknown[0]!r}; use {', '.join(FAMILIES)}.")
    legs = {name: move for name, move in MOVES.items() if move.family not in without}
    arms = {name: move for name, move in ARMS.items() if move.family not in without}
    return legs, arms


class Choreographer:
    """Fills the bars of a plan for one dancer."""

    def __init__(self, plan: Plan, dancer: Dancer, without: frozenset[str], rng: np.random.Generator) -> None:
        self.plan, self.dancer, self.rng = plan, dancer, rng
        self.legs, self.arms = allowed(without)
        self.waves = "trunk_waves" not in without
        self.score = Score(heading=dancer.facing)
        self.known: dict[str, list[str]] = {}
        """Moves danced in earlier sections, by their kind."""
        self.names: list[list[str]] = [["", ""] for _ in range(plan.bars)]
        metre = plan.metre
        middles = plan.seconds((np.arange(plan.bars) + 0.5) * metre)
        times = np.arange(plan.frames) / MOTION_FPS
        self.levels = np.interp(middles, times, plan.energy)

    def compose(self) -> tuple[Score, tuple[tuple[str, str], ...]]:
        """The whole score, and the names of each bar's moves."""
        bar = 0
        while bar < self.plan.bars:
            section = self.plan.section_at(bar)
            left = max(1, min(section.first_bar + section.bars, self.plan.bars) - bar)
            span = min(left, int(self.rng.choice([1, 2, 4, 8], p=[0.08, 0.37, 0.42, 0.13])))
            self._phrase(bar, span, section)
            bar += span
        return self.score, tuple((legs, arms) for legs, arms in self.names)

    def _phrase(self, first: int, span: int, section: Section) -> None:
        """A move of the legs for `span` bars, maybe a fill at the end, and arms to go with it."""
        fill = 1 if span >= 4 and self.rng.random() < 0.3 else 0
        legs = self._legs(first, section)
        hold = float(self.rng.choice([1.0, 2.0])) if self.rng.random() < 0.07 else 0.0
        self._settle(first, legs)
        size = self._write_legs(legs, first, span - fill, section, hold)
        if fill:
            moves = {n: m for n, m in self.legs.items() if m.family in _FILLS} or self.legs
            other = self._choose(moves, self.dancer.legs, float(self.levels[first]), "")
            if other is not None:
                self._settle(first + span - 1, other)
                self._write_legs(other, first + span - 1, 1, section, 0.0)
        calm = 0.4 if legs and legs.family in ("isolations", "freezes", "waves", "latin") else 1.0
        metre = self.plan.metre
        if self.waves:
            self.score.waves += layer_waves(
                self.plan,
                self.dancer.habit,
                first * metre,
                (first + span) * metre,
                calm * (0.25 + 0.75 * size),
                self.rng,
            )
        at = first
        while at < first + span:
            length = min(first + span - at, int(self.rng.choice([1, 2, 4], p=[0.2, 0.4, 0.4])))
            self._write_arms(legs, at, length, section)
            at += length

    def _legs(self, first: int, section: Section) -> Move | None:
        """The move for a phrase: one that this kind of section had before, or a new one."""
        known = self.known.setdefault(section.kind, [])
        level = float(self.levels[first])
        if known and self.rng.random() < 0.5:
            return self.legs[known[int(self.rng.integers(len(known)))]]
        moves = self.legs
        if section.kind == "break" or level < 0.22:
            moves = {n: m for n, m in moves.items() if m.family in _QUIET} or moves
        last = self.names[first - 1][0] if first else ""
        move = self._choose(moves, self.dancer.legs, level, last)
        if move is not None:
            known.append(move.name)
            del known[:-4]
        return move

    def _choose(
        self, moves: dict[str, Move], likes: dict[str, float], level: float, last: str
    ) -> Move | None:
        """A move by style, energy and taste; None where none is left."""
        names = list(moves)
        odds = np.array(
            [
                moves[n].weight(self.plan.style, self.plan.metre, self.dancer.purism)
                * likes[n]
                * _fit(moves[n].energy, level)
                * (0.25 if n == last else 1.0)
                for n in names
            ]
        )
        if len(names) == 0 or odds.sum() <= 0:
            return None
        return moves[names[int(self.rng.choice(len(names), p=odds / odds.sum()))]]

    def _size(self, bar: int, section: Section) -> float:
        level = float(self.levels[min(bar, len(self.levels) - 1)])
        return (0.22 + 0.88 * level) * self.dancer.vigour * _SIZES.get(section.kind, 1.0)

    def _write_legs(self, move: Move | None, first: int, span: int, section: Section, hold: float) -> float:
        """Writes the bars of a phrase; the mean size."""
        metre, beat_s = self.plan.metre, 60.0 / self.plan.tempo_bpm
        late = self._rate(first + span // 2, section)
        shift = 0.0
        if metre == 4 and self.rng.random() < 0.14:
            shift = float(self.rng.choice([1.0, 0.5, -0.5, 2.0], p=[0.4, 0.3, 0.2, 0.1]))
        hand = self.dancer.hand if self.rng.random() < 0.8 else -self.dancer.hand
        seed = int(self.rng.integers(2**31))
        end = (first + span) * metre
        self.score.frame(first * metre + min(shift, 0.0), end - hold)
        self.score.stride = self.dancer.stride if move and move.family in _TRAVELS else 1.0
        sizes = []
        for number in range(span):
            size = self._size(first + number, section) * float(self.rng.uniform(0.92, 1.08))
            sizes.append(size)
            again = np.random.default_rng(seed)  # every bar of a phrase is danced alike
            start = (first + number) * metre + shift
            bar = Bar(start, metre, number, size, late, beat_s, hand, again)
            if move is not None:
                move.write(bar, self.score)
            self.names[first + number][0] = move.name if move else ""
        return float(np.mean(sizes))

    def _write_arms(self, legs: Move | None, first: int, span: int, section: Section) -> None:
        metre, beat_s = self.plan.metre, 60.0 / self.plan.tempo_bpm
        wanted = legs.arms.split() if legs else []
        suiting = {n: m for n, m in self.arms.items() if n in wanted}
        moves = suiting if suiting and self.rng.random() < 0.65 else self.arms
        last = self.names[first - 1][1] if first else ""
        move = self._choose(moves, self.dancer.arms, float(self.levels[first]), last)
        move = move or self._choose(self.arms, self.dancer.arms, float(self.levels[first]), last)
        if move is None:
            return
        rate = self._rate(first, section)
        seed = int(self.rng.integers(2**31))
        self.score.frame(first * metre, (first + span) * metre)
        for number in range(span):
            size = self._size(first + number, section) * float(self.rng.uniform(0.92, 1.08))
            again = np.random.default_rng(seed)
            start = float((first + number) * metre)
            bar = Bar(start, metre, number, size, rate, beat_s, self.dancer.hand, again)
            before = len(self.score.reaches)
            move.write(bar, self.score)
            if move.family != "arms_clap":
                self.score.soften(before, 0.3 + 0.8 * size)
            self.names[first + number][1] = move.name

    def _rate(self, bar: int, section: Section) -> float:
        """Beats per count: half time for fast music, double for slow; builds go double at last."""
        beat_s, draw = 60.0 / self.plan.tempo_bpm, self.rng.random()
        if self.plan.metre == 3:
            return 1.0
        rising = section.kind == "build" and bar - section.first_bar >= section.bars / 2
        if rising and beat_s > 0.4 and draw < 0.45:
            return 0.5
        if self.levels[bar] < 0.35 and draw < 0.3:
            return 2.0
        if beat_s < 0.45:
            return 2.0 if draw < (0.5 if beat_s < 0.38 else 0.25) else 1.0
        if beat_s > 0.6:
            return 0.5 if draw < 0.15 else 1.0
        return 2.0 if draw < 0.08 else 1.0

    def _settle(self, first: int, legs: Move | None) -> None:
        """Before a phrase: where to face and stand, and back from what the last one left bent."""
        score, at, rng = self.score, float(first * self.plan.metre), self.rng
        score.frame(at, at + 4.0)
        whole = 2 * np.pi * round((score.heading - self.dancer.facing) / (2 * np.pi))
        draw, heading = rng.random(), score.heading
        if first == 0 or draw < 0.3 or abs(heading - whole - self.dancer.facing) > 1.0:
            heading = self.dancer.facing + whole + float(np.clip(rng.normal(0.0, 0.25), -0.7, 0.7))
        elif draw > 0.97:
            heading = self.dancer.facing + whole + float(rng.choice([-1.4, 1.4]))
        score.heading = heading
        if rng.random() < 0.3:
            x, z = np.array(score.origin) + rng.normal(0.0, 0.15, 2)
            score.origin = (
                float(np.clip(x, -_WANDER_M, _WANDER_M)),
                float(np.clip(z, -_WANDER_M, _WANDER_M)),
            )
        score.face(at + 0.3, 0.0, 1.2)
        for rows in (score.hips, score.drops, *score.pokes.values()):
            if rows and any(rows[-1].value):
                rows.append(Shift(at + 0.25, (0.0,) * len(rows[-1].value), 0.9))


def _fit(energy: tuple[float, float], level: float) -> float:
    """1 inside a move's range of energy, little outside."""
    low, high = energy
    return float(np.exp(-((max(low - level, level - high, 0.0) / 0.12) ** 2))) + 0.01
