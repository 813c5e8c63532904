"""What is doubtful about a rhythm, in sentences that say what to do: one list for everybody who tells."""

from __future__ import annotations

from ..notices import Notice
from ..types import PoseSequence, Rhythm, TempoGuess
from .decoding import STEADY_BELOW

UNSURE_BELOW = 0.4
"""Beats of a lower confidence are told of."""
FOUND_BELOW = 0.6
"""So is a dancer who is found in a lower share of the frames."""
LIKELY_TOO = 0.2
"""A tempo that is at least so likely is named beside the likeliest."""


def rhythm_notices(rhythm: Rhythm, poses: PoseSequence | None = None) -> list[Notice]:
    """Everything that is doubtful about a rhythm, and about the dancer it was read from.

    `poses`: whom the music follows, one dancer or several as one. Kinds are "nobody", "few-frames",
    "default-beats", "steady-beats" and "unsure-beats"; an empty list means that all is well.
    """
    return [*_of_dancer(poses), *_of_beats(rhythm)]


def likely_tempi(rhythm: Rhythm) -> tuple[TempoGuess, ...]:
    """The tempo taken, and those that are likely as well; just the one taken where nobody weighed them."""
    others = rhythm.tempi[1:] if rhythm.tempi else ()
    first = rhythm.tempi[:1] or (TempoGuess(rhythm.tempo_bpm, rhythm.confidence),)
    return first + tuple(guess for guess in others if guess.probability >= LIKELY_TOO)


def tempo_words(rhythm: Rhythm) -> str:
    """The tempo in words: "86 BPM", or "86 or 172 BPM" where both are likely."""
    found = [f"{rhythm.tempo_bpm:.0f}", *(f"{guess.bpm:.0f}" for guess in likely_tempi(rhythm)[1:])]
    return " or ".join(found) + " BPM"


def _of_dancer(poses: PoseSequence | None) -> list[Notice]:
    if poses is None:
        return []
    share = float(poses.present.any(1).mean())
    if share == 0:
        text = (
            "Nobody was found in this clip, so the music follows no movement; use a clip that shows a "
            "whole person in good light."
        )
        return [Notice(None, text, "nobody")]
    if share >= FOUND_BELOW:
        return []
    text = (
        f"The dancer was found in {100 * share:.0f} % of the frames, and elsewhere the music follows no "
        "movement; use a part of the clip in which the whole dancer is seen, or choose another dancer."
    )
    return [Notice(None, text, "few-frames")]


def _of_beats(rhythm: Rhythm) -> list[Notice]:
    if rhythm.confidence >= UNSURE_BELOW:
        return []
    bpm, sure = f"{rhythm.tempo_bpm:.0f} BPM", f"confidence {rhythm.confidence:.2f}"
    if _is_set(rhythm):
        text = (
            f"Where the beats of {bpm} fall in this dance is unsure ({sure}); compare them with the clip, "
            "and shift them if they come early or late."
        )
        return [Notice(None, text, "unsure-beats")]
    if rhythm.confidence == 0:
        text = (
            f"No beats could be told from this dance: {bpm} was taken; set the tempo to choose another, or "
            "use a clip in which somebody moves."
        )
        return [Notice(None, text, "default-beats")]
    if rhythm.confidence < STEADY_BELOW:
        text = (
            f"The beats of this dance could hardly be told ({sure}): a steady pulse of {bpm} meets its "
            "strongest accents; set the tempo to choose another, or take the beats from the clip's sound."
        )
        return [Notice(None, text, "steady-beats")]
    others = [f"{guess.bpm:.0f}" for guess in likely_tempi(rhythm)[1:]]
    also = f", {' or '.join(others)} would be possible too" if others else ""
    text = (
        f"The beats are unsure ({sure}): {bpm} was taken{also}; compare them with the clip, and set, halve "
        "or double the tempo, or take the beats from the clip's sound."
    )
    return [Notice(None, text, "unsure-beats")]


def _is_set(rhythm: Rhythm) -> bool:
    """Whether somebody asked for the tempo."""
    return len(rhythm.tempi) == 1 and rhythm.tempi[0].probability == 1.0
