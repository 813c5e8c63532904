"""The band plays a dance: what comes back is in time, in key, whole, and follows what one sees."""

from __future__ import annotations

import dataclasses
from functools import lru_cache

import numpy as np
import pytest

from d2m_core.band import PLAYERS, STEMS, BandTake, Materials, Plan, master, plan_for_dance, play_band
from d2m_core.band.answers import answer
from d2m_core.band.arrange import arrange
from d2m_core.band.breaths import breaths_of
from d2m_core.band.dance_plan import suiting_style
from d2m_core.band.follow import changes_of, peaks_of, see_dance
from d2m_core.band.harmony import KEYS, SCALES, read_key
from d2m_core.errors import SettingError
from d2m_core.mastering import loudness_of, true_peak_db
from d2m_core.motion import MOTION_NAMES, Accents
from d2m_core.motion.accents import accent_curve
from d2m_core.types import MOTION_FPS, MotionFeatures, Rhythm

SECONDS = 8.0
OWN = Materials()
ACCENTS_S = (1.02, 2.27, 3.03, 5.51, 6.26)


def drifting(metre: int = 4, seconds: float = SECONDS) -> Rhythm:
    """Beats that get slower, from 126 to 112 BPM."""
    beats = [0.21]
    while beats[-1] < seconds - 0.7:
        beats.append(beats[-1] + 0.476 + 0.06 * beats[-1] / seconds)
    curves = np.tile(np.array([0.1, 0.5], np.float32), (round(seconds * MOTION_FPS), 1))
    return Rhythm(np.array(beats), np.arange(len(beats)) % metre == 1, curves, 118.0)


def moved(
    still: tuple[float, float] | None = None,
    seconds: float = SECONDS,
    accents_s: tuple[float, ...] = ACCENTS_S,
) -> MotionFeatures:
    """A dance with accents, livelier in its second half, and still between two times."""
    frames = round(seconds * MOTION_FPS)
    values = np.zeros((frames, len(MOTION_NAMES)), np.float32)
    at = {name: k for k, name in enumerate(MOTION_NAMES)}
    strengths = np.full(len(accents_s), 0.7, np.float32)
    accents = Accents(np.array(accents_s), strengths, ("brake",) * len(accents_s))
    values[:, at["accent"]] = accent_curve(accents, frames)
    values[:, at["present"]] = 1.0
    values[:, at["total_speed"]] = np.where(np.arange(frames) < frames / 2, 0.5, 1.2)
    if still is not None:
        times = np.arange(frames) / MOTION_FPS
        values[(times >= still[0]) & (times < still[1]), at["total_speed"]] = 0.0
    return MotionFeatures(values, MOTION_NAMES)


@lru_cache(maxsize=4)
def take(seed: int = 0, style: str = "pop") -> BandTake:
    return play_band(drifting(), moved(), style, seed, key="D minor", instruments=OWN)


def onsets_of(made: BandTake, players: tuple[str, ...] = PLAYERS) -> np.ndarray:
    return np.array([note.start_s for note in made.notes if note.player in players])


def test_the_grid_is_the_rhythms_with_its_drift() -> None:
    rhythm = drifting()
    plan = plan_for_dance(rhythm, moved(), "funk")
    assert np.allclose(plan.beats_s, rhythm.beats_s)
    assert (plan.downbeats == rhythm.downbeats).all()


@pytest.mark.parametrize("metre", [2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize("style", ["house", "waltz"])
def test_every_style_has_something_to_play_in_every_metre(metre: int, style: str) -> None:
    made = play_band(drifting(metre), None, style, instruments=OWN, sample_rate=24000, stems=False)
    assert made.plan.metre == metre
    bars = np.floor(made.plan.beat(onsets_of(made)) / metre)
    assert len(np.unique(bars)) >= made.plan.beat(SECONDS) // metre


def test_accents_are_found_between_frames_and_hit_early_rather_than_late() -> None:
    curve = moved().values[:, MOTION_NAMES.index("accent")]
    times, heights = peaks_of(curve)
    assert np.allclose(times, ACCENTS_S, atol=1e-3)
    assert np.allclose(heights, 0.7, atol=5e-3)
    plan = plan_for_dance(drifting(), moved(), "house")
    hits = plan.seconds(plan.swung(np.array([hit.beat for hit in plan.hits])))
    away = np.array([hits[np.abs(hits - t).argmin()] - t for t in ACCENTS_S])
    assert (away > -0.05).all()
    assert (away < 0.03).all()


def test_every_hit_is_played() -> None:
    made = take()
    plan = made.plan
    for hit in plan.hits:
        time_s = float(plan.seconds(plan.swung(hit.beat)))
        assert np.abs(onsets_of(made, ("drums",)) - time_s).min() < 0.002


def test_stillness_is_a_stop_that_starts_with_a_last_stroke() -> None:
    made = play_band(drifting(), moved((3.6, 5.2)), "pop", instruments=OWN, stems=False)
    (stop,) = made.plan.stops
    low, high = made.plan.seconds(np.array([stop.beat, stop.beat + stop.beats]))
    assert 3.3 < low < 4.2
    assert 4.8 < high < 5.6
    inside = onsets_of(made)
    assert not ((inside > low + 0.03) & (inside < high - 0.05)).any()
    assert len(plan_for_dance(drifting(), moved(), "pop").stops) == 0


def test_sections_change_where_the_dance_does() -> None:
    looks = np.repeat(np.array([[0.0, 1.0], [2.0, -1.0], [0.0, 1.0]]), [4, 8, 4], axis=0)
    looks = looks + np.random.default_rng(0).normal(0, 0.1, looks.shape)
    assert changes_of(looks) == [0, 4, 12]
    assert changes_of(np.zeros((12, 3))) == [0]


def test_intensity_lifts_the_energy_and_fills_the_bars() -> None:
    calm, wild = (plan_for_dance(drifting(), moved(), "house", intensity=x) for x in (0.0, 1.0))
    assert calm.energy.mean() + 0.3 < wild.energy.mean()
    few, many = (
        play_band(drifting(), moved(), "house", intensity=x, instruments=OWN, sample_rate=24000, stems=False)
        for x in (0.0, 1.0)
    )
    assert len(few.notes) < len(many.notes)


def test_notes_are_in_key_and_inside_the_piece() -> None:
    made = take()
    assert made.key == "D minor"
    allowed = {(2 + step) % 12 for step in SCALES["minor"]}
    pitched = [note.pitch % 12 for note in made.notes if note.player == "bass"]
    assert np.mean([pitch in allowed for pitch in pitched]) > 0.8
    assert all(0 <= note.start_s < note.end_s <= SECONDS for note in made.notes)
    assert all(1 <= note.velocity <= 127 and 0 <= note.program <= 127 for note in made.notes)


def test_the_last_hit_is_the_tonic_and_rings_to_the_end() -> None:
    made = take()
    last = max(note.start_s for note in made.notes)
    assert 0.24 < SECONDS - last < 0.9
    struck = [note for note in made.notes if note.start_s == last]
    assert any(note.part == "crash" for note in struck)
    assert min(note.pitch for note in struck if note.player == "bass") % 12 == 2
    assert float(made.mix.samples[..., -48:].abs().max()) < 0.01


def test_a_dancers_last_pose_is_the_last_hit() -> None:
    """Here between two beats: without it the piece ends on the beat before."""
    times = []
    for accents_s in (ACCENTS_S, (*ACCENTS_S, 7.65)):
        made = play_band(
            drifting(), moved(accents_s=accents_s), "pop", instruments=OWN, sample_rate=24000, stems=False
        )
        times.append(max(note.start_s for note in made.notes))
    assert times[0] < 7.6
    assert -0.05 < times[1] - 7.65 < 0.03


def test_everything_sinks_before_a_strong_hit(monkeypatch: pytest.MonkeyPatch) -> None:
    def stems() -> np.ndarray:
        made = play_band(drifting(), moved(), "pop", instruments=OWN, sample_rate=24000)
        hits.extend(float(made.plan.seconds(made.plan.swung(hit.beat))) for hit in made.plan.hits)
        return np.sum([made.stems[name].samples[0].numpy() for name in STEMS], axis=0)

    hits: list[float] = []
    breathing = stems()
    monkeypatch.setattr("d2m_core.band.breaths._BREATH_DB", 0.0)
    flat = stems()
    changed = np.flatnonzero(np.abs(breathing - flat).max(0) > 0) / 24000
    away = np.array(hits)[:, None] - changed
    assert len(changed) > 0.2 * 24000
    assert ((away > 0) & (away <= 0.091)).any(axis=0).all()
    before = [slice(round(24000 * (t - 0.02)), round(24000 * t) - 24) for t in hits]
    fell = [np.abs(breathing[:, at]).max() / np.abs(flat[:, at]).max() for at in before]
    assert np.allclose(fell, 10 ** (-6 / 20), atol=0.02)


def test_nothing_sinks_before_a_hit_that_nobody_plays() -> None:
    plan = plan_for_dance(drifting(), moved(), "pop")
    score = arrange(plan, OWN)
    assert len(breaths_of(plan, dataclasses.replace(score, notes=answer(plan, score)), 24000)) == len(
        plan.hits
    )
    assert not len(breaths_of(plan, dataclasses.replace(score, notes=()), 24000))


def test_humanise_zero_is_on_the_grid() -> None:
    exact, loose = (
        play_band(drifting(), None, "rock", humanise=x, instruments=OWN, sample_rate=24000, stems=False)
        for x in (0.0, 1.0)
    )
    for made, least, most in ((exact, 0.0, 1e-6), (loose, 0.01, 0.2)):
        beats = 12 * made.plan.beat(onsets_of(made, ("drums",)))
        away = np.abs(beats - np.round(beats)) / 12
        assert least <= np.quantile(away, 0.9) <= most


def test_players_who_are_not_asked_are_silent() -> None:
    made = play_band(drifting(), moved(), "funk", players=("bass",), instruments=OWN, sample_rate=24000)
    assert {note.player for note in made.notes} == {"bass"}
    assert all(not made.stems[name].samples.any() for name in ("drums", "harmony", "melody"))
    assert made.stems["bass"].samples.any()


def test_stems_in_sum_are_the_mix_before_mastering() -> None:
    made = take()
    assert tuple(made.stems) == STEMS
    total = np.sum([made.stems[name].samples[0].numpy() for name in STEMS], axis=0)
    master(total, 48_000)
    away = total - made.mix.samples[0].numpy()
    assert 20 * np.log10(np.abs(away).max() + 1e-12) < -60


def test_loudness_peak_width_and_air() -> None:
    made = take()
    mix = made.mix.samples[0].numpy()
    assert mix.shape == (2, round(SECONDS * 48_000))
    assert abs(loudness_of(mix, 48_000) + 14) < 1
    assert true_peak_db(mix, 8) < -1
    assert np.abs(mix.mean(1)).max() < 1e-3
    assert 0.3 < np.corrcoef(mix)[0, 1] < 0.999
    power = np.abs(np.fft.rfft(mix.mean(0))) ** 2
    assert power[np.fft.rfftfreq(mix.shape[1], 1 / 48_000) > 12_000].sum() > 1e-5 * power.sum()


def test_equal_arguments_give_equal_music_and_seeds_differ() -> None:
    again = play_band(drifting(), moved(), "pop", 0, key="D minor", instruments=OWN)
    assert (again.mix.samples == take().mix.samples).all()
    assert again.notes == take().notes
    other = take(1)
    alike = np.corrcoef(other.mix.samples[0, 0].numpy(), take().mix.samples[0, 0].numpy())[0, 1]
    assert abs(alike) < 0.8
    assert other.notes != take().notes


def test_a_dance_in_three_is_a_waltz_and_any_draws_by_tempo() -> None:
    rhythm = drifting(3)
    assert plan_for_dance(rhythm, moved()).style == "waltz"
    fast = dataclasses.replace(drifting(), tempo_bpm=174.0)
    assert {suiting_style(fast, see_dance(fast, None), seed) for seed in range(20)} & {"dnb", "swing"}


def test_progress_ends_whole_and_may_cancel() -> None:
    seen: list[tuple[int, int]] = []
    play_band(
        drifting(),
        None,
        "pop",
        instruments=OWN,
        sample_rate=24000,
        stems=False,
        on_progress=lambda done, total: seen.append((done, total)),
    )
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == seen[-1][1]

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        play_band(drifting(), None, "pop", instruments=OWN, sample_rate=24000, on_progress=stop)


def test_keys_are_read_as_musicians_write_them() -> None:
    assert [read_key(name).name for name in KEYS] == list(KEYS)
    assert read_key("f#m").name == "F# minor"
    assert read_key("A#").name == "Bb major"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"key": "H minor"}, "Key is 'H minor'"),
        ({"style": "polka"}, "Style is 'polka'"),
        ({"players": ("drums", "tuba")}, "called tuba"),
        ({"players": ()}, "no players"),
        ({"humanise": 2.0}, "humanise is 2"),
        ({"intensity": -1.0}, "intensity is -1"),
        ({"sample_rate": 100}, "sample rate is 100"),
    ],
)
def test_what_the_band_cannot_do_it_says(arguments: dict[str, object], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        play_band(drifting(), **arguments)  # type: ignore[arg-type]


def test_a_rhythm_of_one_beat_or_none_is_steady() -> None:
    curves = np.full((100, 2), 0.5, np.float32)
    for beats in (np.zeros(0), np.array([0.3])):
        rhythm = Rhythm(beats, np.zeros(len(beats), bool), curves, 100.0)
        plan: Plan = plan_for_dance(rhythm)
        assert np.allclose(np.diff(plan.grid_s), 0.6)


def test_hits_beside_beats_leave_the_beats_where_they_are() -> None:
    rhythm = drifting()
    beats_s = rhythm.beats_s[2:-3]
    calm, hit = (
        play_band(rhythm, moved(accents_s=times), "house", 0, instruments=OWN, sample_rate=24000, stems=False)
        for times in ((), tuple(beats_s - 0.065))
    )
    assert len(hit.plan.hits) >= len(beats_s) // 2
    for part in ("snare", "clap", "kick"):
        before, after = (np.array([n.start_s for n in t.notes if n.part == part]) for t in (calm, hit))
        for time_s in (t for t in before if np.abs(beats_s - t).min() < 0.02):
            assert np.abs(after - time_s).min() < 0.002


def test_at_slow_tempi_every_beat_is_struck() -> None:
    beats = np.arange(0.2, 9.0, 60 / 78)
    curves = np.tile(np.array([0.1, 0.5], np.float32), (round(9 * MOTION_FPS), 1))
    slow = Rhythm(beats, np.arange(len(beats)) % 4 == 0, curves, 78.0)
    made = play_band(slow, None, "hiphop", instruments=OWN, sample_rate=24000, stems=False)
    strokes = np.array(
        [
            n.start_s
            for n in made.notes
            if n.velocity > 50 and n.part in ("kick", "snare", "clap", "snap", "rim")
        ]
    )
    assert all(np.abs(strokes - t).min() < 0.06 for t in beats[beats < 8.0])


def test_a_stop_rings() -> None:
    made = play_band(drifting(), moved((3.6, 5.2)), "pop", instruments=OWN, stems=False)
    (stop,) = made.plan.stops
    low, high = made.plan.seconds(np.array([stop.beat, stop.beat + stop.beats]))
    held = [n for n in made.notes if n.part == "chords" and abs(n.start_s - low) < 0.03]
    assert held
    assert max(n.end_s for n in held) > high - 0.1
