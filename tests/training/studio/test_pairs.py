"""Pairs of dance and music from seeds: what belongs to one, and that its seed decides all of it."""

from __future__ import annotations

import io
from dataclasses import replace

import av
import numpy as np
import pytest

from d2m_core.band.answers import STRONG
from d2m_core.band.follow import peaks_of
from d2m_core.errors import SettingError
from d2m_core.motion import extract_motion
from d2m_core.styles import STYLES
from d2m_core.types import RHYTHM_CURVES
from training.pairs.pair import to_members
from training.seeds import PAIRS_SEED
from training.studio.pairs import PIXELS, make_pair, plan_of
from training.studio.settings import ANY_TEMPO_BPM, PairSettings

SHORT = PairSettings(seconds=4.0, people=0.0)


def test_a_pair_is_one_plan_danced_and_played() -> None:
    pair = make_pair(PAIRS_SEED, SHORT)
    facts, plan = pair.facts, plan_of(PAIRS_SEED, SHORT)
    assert (pair.name, facts.seed) == (f"{PAIRS_SEED:07d}", PAIRS_SEED)
    assert (facts.style, facts.tempo_bpm, facts.metre) == (plan.style, plan.tempo_bpm, plan.metre)
    np.testing.assert_array_equal(facts.beats_s, plan.beats_s)
    assert pair.music is not None
    assert pair.music.samples.shape == (1, 2, 4 * pair.music.sample_rate)
    assert 0.02 < pair.music.samples.square().mean().sqrt() < 0.7
    assert pair.curves is not None
    assert pair.curves.shape == (100, len(RHYTHM_CURVES))
    assert set(facts.notes) == set(pair.onsets)
    assert len(facts.notes) > 1
    assert facts.chords
    assert facts.sources
    assert pair.seen is not None
    assert pair.truth is not None
    assert pair.joints is not None
    assert pair.seen.world.shape == pair.truth.world.shape == pair.joints.shape == (100, 1, 33, 3)
    error = np.linalg.norm((pair.seen.world - pair.truth.world)[pair.seen.present], axis=-1)
    assert 0.002 < np.median(error) < 0.2  # seen as an estimator would, and the same dance
    assert pair.energy is not None
    assert pair.energy.shape == (100, 1)
    ((first_s, _), *_) = facts.moves[0]
    assert -60 / plan.tempo_bpm * plan.metre <= first_s <= 0
    assert pair.film is None


def test_a_seed_gives_the_same_bytes_whatever_was_made_before() -> None:
    crowd = replace(SHORT, people=1.0)
    first = to_members(make_pair(PAIRS_SEED + 1, SHORT))
    other = make_pair(PAIRS_SEED + 2, crowd)
    assert other.facts.people > 1
    assert to_members(make_pair(PAIRS_SEED + 1, SHORT)) == first
    assert other.facts.beats_s != make_pair(PAIRS_SEED + 3, SHORT).facts.beats_s


def test_styles_take_turns_and_can_be_chosen() -> None:
    seeds = range(PAIRS_SEED, PAIRS_SEED + 2 * len(STYLES))
    styles = [plan_of(seed, SHORT).style for seed in seeds]
    assert all(styles.count(style) == 2 for style in STYLES)
    two = replace(SHORT, styles=("funk", "waltz"))
    assert {plan_of(seed, two).style for seed in seeds} == {"funk", "waltz"}


def test_either_half_can_be_left_out() -> None:
    music = make_pair(PAIRS_SEED, replace(SHORT, dance=False, mono=True))
    assert music.seen is None
    assert music.music is not None
    assert music.music.samples.shape[1] == 1
    dance = make_pair(PAIRS_SEED, replace(SHORT, music=False))
    assert dance.music is None
    assert dance.seen is not None
    np.testing.assert_array_equal(dance.facts.beats_s, music.facts.beats_s)


def test_a_drawn_pair_is_a_film_with_its_music() -> None:
    pair = make_pair(PAIRS_SEED + 4, replace(SHORT, seconds=1.0, pixels=1.0))
    assert pair.film is not None
    assert pair.music is not None
    assert pair.facts.aspect is not None
    with av.open(io.BytesIO(pair.film), "r") as file:
        pictures = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
        assert len(pictures) == 25
        tall, wide = pictures[0].shape[:2]
        assert min(tall, wide) == PIXELS
        assert wide / tall == pytest.approx(pair.facts.aspect, abs=0.02)
        assert np.std(pictures[0].astype(float)) > 10
        assert file.streams.audio[0].rate == pair.music.sample_rate


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"seconds": 0.0}, "use 1 to 600"),
        ({"looseness": 1.5}, "looseness is 1.5; use 0 to 1"),
        ({"styles": ("polka",)}, "'polka'; choose of house"),
        ({"styles": ()}, "No style"),
        ({"music": False, "dance": False}, "nothing is left"),
        ({"dance": False, "pixels": 0.5}, "need a dance"),
        ({"dance": False, "answered": True}, "leave --no-dance out"),
    ],
)
def test_wrong_settings_are_refused(wrong: dict, sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        replace(SHORT, **wrong)


def test_a_band_plays_many_pieces_and_some_are_at_any_tempo() -> None:
    usual = replace(SHORT, bands=2)
    turns = [PAIRS_SEED + k * len(STYLES) for k in range(4)]
    plans = [plan_of(seed, usual) for seed in turns]
    assert [plan.band for plan in plans] == [(seed // len(STYLES)) % 2 for seed in turns]
    assert plans[0].band_seed == plans[2].band_seed != plans[1].band_seed
    assert plan_of(PAIRS_SEED, SHORT).band_seed == PAIRS_SEED  # nobody's usual band
    seeds = range(PAIRS_SEED, PAIRS_SEED + 40)
    free = replace(SHORT, any_tempo=1.0)
    tempi = [plan_of(seed, free).tempo_bpm for seed in seeds]
    low, high = ANY_TEMPO_BPM
    assert low <= min(tempi) < 90
    assert 150 < max(tempi) <= high
    some = [plan_of(seed, replace(SHORT, any_tempo=0.5)) for seed in seeds]
    changed = [a.tempo_bpm != plan_of(s, SHORT).tempo_bpm for s, a in zip(seeds, some, strict=True)]
    assert 10 <= sum(changed) <= 30
    with pytest.raises(SettingError, match="bands is -1"):
        PairSettings(bands=-1)


@pytest.mark.parametrize("style", ["waltz", "latin"])
def test_an_answered_pair_hits_what_one_sees(style: str) -> None:
    """More of the dance's accents meet a note than where both only share a plan; straight notes stay so."""
    made = replace(SHORT, seconds=8.0, styles=(style,), straight=True, bands=1)
    pairs = [make_pair(PAIRS_SEED, replace(made, answered=answered)) for answered in (False, True)]
    assert pairs[0].facts.beats_s == pairs[1].facts.beats_s
    np.testing.assert_array_equal(pairs[0].seen.world, pairs[1].seen.world)
    motion = extract_motion(pairs[0].seen)
    accents_s, strengths = peaks_of(motion.values[:, motion.names.index("accent")])
    strong_s = accents_s[strengths >= STRONG]
    loud = [np.concatenate([rows[rows[:, 1] > 0.6, 0] for rows in pair.onsets.values()]) for pair in pairs]
    met = [(np.abs(strong_s[:, None] - times[None]).min(1) < 0.05).mean() for times in loud]
    assert len(strong_s) > 4
    assert met[1] > met[0] + 0.1
    assert met[1] > 0.9
    for times in (rows[:, 0] for rows in pairs[1].onsets.values()):
        np.testing.assert_allclose(50 * times, np.round(50 * times), atol=1e-6)


def test_an_answered_dance_has_a_band_that_plays_until_the_end() -> None:
    pair = make_pair(PAIRS_SEED, replace(SHORT, styles=("house",), answered=True))
    last_s = max(rows[-1, 0] for rows in pair.onsets.values())
    assert last_s > 4.0 - 60 / pair.facts.tempo_bpm
