"""The music that the ear learns from, and what becomes of it: its truth stays true."""

from __future__ import annotations

import numpy as np
import pytest

from d2m_core.band import Materials, make_plan
from d2m_core.ear import EAR_RATE
from d2m_core.grid import tempo_of
from d2m_core.rhythm import EARS
from d2m_core.scores import beat_f
from training.ear.clicks import click_piece
from training.ear.music import TEMPO_BPM, _wandering, studio_piece
from training.ear.piece import Piece
from training.ear.pool import joined, packed
from training.ear.voice import sing
from training.ear.worn import WAYS, worn

SECONDS = 6.0


def played(seed: int = 3, plain: bool = False) -> Piece:
    return studio_piece(seed, Materials(), SECONDS, plain)


@pytest.mark.parametrize("seed", [3, 11, 13])
def test_a_seed_is_a_piece_with_its_truth(seed: int) -> None:
    piece = played(seed)
    assert piece.samples.shape == (round(SECONDS * EAR_RATE),)
    np.testing.assert_array_equal(piece.samples, played(seed).samples)
    assert len(piece.beats_s) == len(piece.downbeats) > 3
    assert (np.diff(piece.beats_s) > 0).all()
    assert (np.diff(piece.onsets[:, 0]) >= 0).all()
    assert ((piece.onsets[:, 1] >= 0) & (piece.onsets[:, 1] <= 1)).all()
    assert TEMPO_BPM[0] * 0.8 < tempo_of(piece.beats_s) < TEMPO_BPM[1] * 1.2


def test_plain_pieces_are_heard_on_their_beats_by_an_ear_that_learnt_nothing() -> None:
    """House from seed 0 on, every 14th: kicks on every beat."""
    f = [
        beat_f(piece.beats_s, EARS["rises"].hear(piece.wave, None).beats_s)
        for piece in (played(seed, plain=True) for seed in (0, 14))
    ]
    assert max(f) > 0.9


def test_time_that_wanders_keeps_rising_and_covers_the_piece() -> None:
    for seed in range(40):
        plan = make_plan(seed, SECONDS, "rock")
        bent = _wandering(plan, np.random.default_rng(seed))
        assert (np.diff(bent.grid_s) > 0.1).all()
        assert bent.grid_s[0] <= 0
        assert bent.grid_s[-1] >= SECONDS


def test_a_singer_sounds_and_is_not_in_strict_time() -> None:
    plan = make_plan(1, SECONDS, "pop")
    voice, starts = sing(plan, np.random.default_rng(4))
    assert len(voice) == round(SECONDS * EAR_RATE)
    assert np.isfinite(voice).all()
    assert np.abs(voice).max() > 0.01
    assert ((starts[:, 0] >= 0) & (starts[:, 0] < SECONDS)).all()


def test_clicks_lie_on_their_beats() -> None:
    for seed in range(5):
        piece = click_piece(8.0, np.random.default_rng(seed))
        for beat in piece.beats_s[:4]:
            first = round(beat * EAR_RATE)
            assert np.abs(piece.samples[first : first + 100]).max() > 0.05
            assert np.abs(piece.samples[max(0, first - 50) : first]).max(initial=0) < 0.7


# --- worn ---


@pytest.mark.parametrize("way", [name for name in WAYS if name != "bent"])
def test_worn_music_lies_where_it_lay(way: str) -> None:
    piece = played()
    made = WAYS[way][1](piece, np.random.default_rng(1))
    assert made.samples.shape == piece.samples.shape
    assert np.abs(made.samples).max() <= 1.0
    assert not np.array_equal(made.samples, piece.samples)
    np.testing.assert_array_equal(made.beats_s, piece.beats_s)
    # Loudness over 10 ms correlates most where nothing is moved.
    before, after = (np.abs(x).reshape(-1, EAR_RATE // 100).mean(1) for x in (piece.samples, made.samples))
    match = [np.corrcoef(before, np.roll(after, -k))[0, 1] for k in range(-20, 21)]
    assert abs(int(np.argmax(match)) - 20) <= 1


def test_bent_music_takes_its_truth_along() -> None:
    """A metronome, bent, still clicks on its beats."""
    piece = click_piece(8.0, np.random.default_rng(0))
    made = WAYS["bent"][1](piece, np.random.default_rng(2))
    assert tempo_of(made.beats_s) != pytest.approx(tempo_of(piece.beats_s), rel=0.01)
    assert beat_f(made.beats_s, EARS["rises"].hear(made.wave, None).beats_s) > 0.9


def test_wear_is_drawn_from_a_seed() -> None:
    first, again = (worn(played(), np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first.samples, again.samples)
    assert first.name.endswith("worn")


# --- many ---


def test_a_pool_gives_back_its_pieces() -> None:
    pieces = [click_piece(4.0, np.random.default_rng(seed)) for seed in range(3)]
    pool = joined([packed(pieces[:2]), packed(pieces[2:])])
    assert len(pool) == 3
    for index, piece in enumerate(pieces):
        found = pool.piece(index)
        np.testing.assert_allclose(found.samples, piece.samples, atol=1e-4)
        np.testing.assert_array_equal(found.beats_s, piece.beats_s)
        np.testing.assert_array_equal(found.downbeats, piece.downbeats)
        np.testing.assert_array_equal(found.onsets, piece.onsets)
