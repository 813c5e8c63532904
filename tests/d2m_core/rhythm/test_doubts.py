"""Every sentence about a doubtful rhythm, and when it is said."""

from __future__ import annotations

import numpy as np
import pytest

from d2m_core.rhythm import double, likely_tempi, rhythm_notices, tempo_words, with_tempo
from d2m_core.types import LANDMARKS, PoseSequence, Rhythm, TempoGuess

BOTH = (TempoGuess(86.0, 0.5), TempoGuess(172.0, 0.3), TempoGuess(115.0, 0.1))


def rhythm(confidence: float, tempi: tuple[TempoGuess, ...] = ()) -> Rhythm:
    beats = np.arange(0.2, 10, 60 / 86)
    curves = np.zeros((250, 2), np.float32)
    return Rhythm(beats, np.arange(len(beats)) % 4 == 0, curves, 86.0, confidence, tempi=tempi)


def poses(found: float, people: int = 1) -> PoseSequence:
    shape = (100, people, LANDMARKS)
    present = np.zeros((100, people), bool)
    present[: round(100 * found)] = True
    return PoseSequence(
        np.zeros((*shape, 3), np.float32),
        np.zeros((*shape, 2), np.float32),
        np.ones(shape, np.float32),
        present,
    )


def said(rhythm: Rhythm, poses: PoseSequence | None = None) -> list[tuple[str, str]]:
    return [(notice.kind, notice.text) for notice in rhythm_notices(rhythm, poses)]


def test_nothing_is_said_where_all_is_well() -> None:
    assert said(rhythm(0.4, BOTH), poses(0.6)) == []


def test_a_default_tempo_is_said_at_no_confidence_at_all() -> None:
    assert said(rhythm(0.0)) == [
        (
            "default-beats",
            "No beats could be told from this dance: 86 BPM was taken; set the tempo to choose another, or "
            "use a clip in which somebody moves.",
        )
    ]


def test_a_pulse_that_only_meets_accents_is_said() -> None:
    assert said(rhythm(0.05, BOTH)) == [
        (
            "steady-beats",
            "The beats of this dance could hardly be told (confidence 0.05): a steady pulse of 86 BPM meets "
            "its strongest accents; set the tempo to choose another, or take the beats from the clip's "
            "sound.",
        )
    ]


def test_unsure_beats_are_said_with_the_tempi_that_are_possible_too() -> None:
    assert said(rhythm(0.23, BOTH)) == [
        (
            "unsure-beats",
            "The beats are unsure (confidence 0.23): 86 BPM was taken, 172 would be possible too; compare "
            "them with the clip, and set, halve or double the tempo, or take the beats from the clip's "
            "sound.",
        )
    ]
    ((_, text),) = said(rhythm(0.39))
    assert "86 BPM was taken; compare" in text


def test_of_a_tempo_that_was_set_only_the_place_is_unsure() -> None:
    set_by_hand = (TempoGuess(86.0, 1.0),)
    for confidence in (0.0, 0.05, 0.3):
        assert said(rhythm(confidence, set_by_hand)) == [
            (
                "unsure-beats",
                f"Where the beats of 86 BPM fall in this dance is unsure (confidence {confidence:.2f}); "
                "compare them with the clip, and shift them if they come early or late.",
            )
        ]


@pytest.mark.parametrize("confidence", np.linspace(0, 0.399, 12))
def test_no_low_confidence_is_silent(confidence: float) -> None:
    for tempi in ((), BOTH, BOTH[:1], (TempoGuess(86.0, 1.0),)):
        assert len(said(rhythm(float(confidence), tempi))) == 1


def test_a_dancer_who_is_seldom_found_is_said() -> None:
    assert said(rhythm(0.9), poses(0.28)) == [
        (
            "few-frames",
            "The dancer was found in 28 % of the frames, and elsewhere the music follows no movement; use a "
            "part of the clip in which the whole dancer is seen, or choose another dancer.",
        )
    ]
    assert said(rhythm(0.9), poses(0.59, people=2))[0][0] == "few-frames"


def test_nobody_is_said() -> None:
    first, second = said(rhythm(0.0), poses(0.0))
    assert first == (
        "nobody",
        "Nobody was found in this clip, so the music follows no movement; use a clip that shows a whole "
        "person in good light.",
    )
    assert second[0] == "default-beats"


def test_the_tempo_in_words() -> None:
    assert tempo_words(rhythm(0.5, BOTH)) == "86 or 172 BPM"
    assert tempo_words(rhythm(0.5)) == "86 BPM"
    assert [guess.bpm for guess in likely_tempi(rhythm(0.5, BOTH))] == [86.0, 172.0]


def test_who_chooses_a_tempo_hears_no_more_of_others() -> None:
    slow = rhythm(0.3, BOTH)
    assert tempo_words(double(slow)) == "172 BPM"
    assert with_tempo(slow, 90.0).tempi == (TempoGuess(90.0, 1.0),)
    assert said(with_tempo(slow, 90.0)) == []
