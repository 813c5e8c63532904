"""Raw materials: real drummers' MIDI, one-shots, what is held out, and whose they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from d2m_core.band import Materials, find_materials, licences_of, make_plan, play
from d2m_core.band.drummer import play_drums
from d2m_core.band.kit import make_kit
from d2m_core.band.materials import allowed, reserved
from d2m_core.band.notes import bars_of
from d2m_core.band.real_drummer import choose_performance, read_performance
from d2m_core.errors import SettingError
from d2m_core.media import save_audio
from d2m_core.types import Waveform
from training.codec.band_music import make_song

RATE = 24_000
TICKS = 480
LAG = 0.03
"""Beats by which the drummer of the tests is late."""


def write_drummer(path: Path, swing: float = 0.0, bars: int = 8) -> None:
    """Kick on one and three, snare on two and four, hats in sixteenths, all a little late."""
    strokes = []
    for beat in np.arange(0, 4 * bars, 0.25):
        late = LAG + (0.25 * swing if round(beat * 4) % 2 else 0.0)
        notes = [42] + ([36] if beat % 2 == 0 else [38] if beat % 2 == 1 else [])
        strokes += [(round((beat + late) * TICKS), note) for note in notes]
    mido = pytest.importorskip("mido")
    track, at = mido.MidiTrack(), 0
    for tick, note in strokes:
        track.append(mido.Message("note_on", note=note, velocity=100, time=tick - at))
        at = tick
    path.parent.mkdir(parents=True, exist_ok=True)
    mido.MidiFile(ticks_per_beat=TICKS, tracks=[track]).save(path)


@pytest.fixture
def groove(tmp_path: Path) -> Path:
    """A data set of thirty funk performances and some fills."""
    folder = tmp_path / "groove"
    rows = ["drummer,session,id,style,bpm,beat_type,time_signature,midi_filename,duration"]
    for k in range(30):
        name = f"d1/{k}"
        rows.append(f"d1,d1,{name},funk,100,beat,4-4,d1/{k}.mid,19.2")
        write_drummer(folder / f"d1/{k}.mid", swing=0.2)
    for k in range(30, 36):
        rows.append(f"d1,d1,d1/{k},funk,100,fill,4-4,d1/{k}.mid,2.4")
        write_drummer(folder / f"d1/{k}.mid", bars=1)
    (folder / "info.csv").write_text("\n".join(rows))
    return folder


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    folder = tmp_path / "samples"
    folder.mkdir()
    t = torch.arange(RATE // 4) / RATE
    for k, name in enumerate(("bd_haus", "bd_tek", "sn_dub", "hat_zap", "sn_generic", "hat_raw")):
        sound = torch.sin(2 * torch.pi * (60 + 400 * k) * t) * torch.exp(-20 * t)
        save_audio(Waveform(sound[None, None], RATE), folder / f"{name}.wav")
    return folder


def test_a_drummer_loses_lag_and_swing(tmp_path: Path) -> None:
    write_drummer(tmp_path / "x.mid", swing=0.3)
    found = read_performance(tmp_path / "x.mid", "x", 0.25)
    away = np.abs(found.beats * 4 - np.round(found.beats * 4)) / 4
    assert found.bars == 8
    assert away.max() < 0.02
    assert found.clarity > 2.5


def test_real_drummers_play_on_the_plan_with_its_swing(groove: Path) -> None:
    given = Materials(groove=groove)
    played = [
        (plan, drums)
        for seed in range(12)
        if (drums := play_drums(plan := make_plan(seed, 8.0, "funk"), bars_of(plan), given)).sources
    ]
    assert len(played) >= 3
    for plan, drums in played:
        assert all(source.startswith("groove/d1/") for source in drums.sources)
        kicks = np.array([n.beat for n in drums.notes if n.part == "kick"])
        steps = np.arange(-8, plan.bars * 4 + 8, 0.25)
        gaps = [np.abs(plan.swung(steps) - beat).min() for beat in kicks]
        assert np.mean(np.array(gaps) < 0.03) > 0.9


def test_held_out_grooves_and_samples_are_never_heard_otherwise(groove: Path, samples: Path) -> None:
    names = tuple(f"d1/{k}" for k in range(30))
    kept = {name for name in names if reserved(name)}
    assert 0 < len(kept) < 10
    for held_out in (False, True):
        given = Materials(groove=groove, samples=samples, held_out=held_out)
        for seed in range(20):
            rng = np.random.default_rng(seed)
            found = choose_performance(given, ("funk",), 100.0, 0.25, rng)
            assert found is not None
            assert (found.name in kept) == held_out


def test_all_are_played_where_nothing_is_reserved() -> None:
    names = tuple(n for n in (f"bd_{k}" for k in range(20)) if not reserved(n))
    assert allowed(names, held_out=True) == names
    assert allowed(names, held_out=False) == names
    assert len([n for n in (f"x{k}" for k in range(1000)) if reserved(n)]) in range(60, 140)


def test_one_shots_come_in_at_their_onset(samples: Path) -> None:
    given = Materials(samples=samples)
    used = set()
    for seed in range(20):
        kit = make_kit(("kick", "snare", "hat"), "electronic", given, np.random.default_rng(seed))
        used |= set(kit.sources.values())
        for piece in kit.pieces:
            sound = np.abs(kit.sound(piece, 1.0))
            assert sound[:240].max() > 0.1 * sound.max()
            assert kit.sound(piece, 0.3).max() < 0.5 * kit.sound(piece, 1.0).max()
    assert {s.split("/")[0] for s in used} >= {"samples"}


def test_every_source_has_a_licence(groove: Path, samples: Path) -> None:
    given = Materials(groove=groove, samples=samples)
    sources: set[str] = set()
    for seed in range(6):
        sources |= set(play(make_plan(seed, 3.0, ("funk", "house")[seed % 2]), given).sources)
    licences = licences_of(tuple(sorted(sources)))
    assert set(licences) == sources
    assert set(licences.values()) == {"CC BY 4.0", "CC0", "MIT"}
    assert licences_of(("mine.sf2",)) == {"mine.sf2": "unknown: given by path"}


def test_what_ran_before_changes_nothing(groove: Path, samples: Path) -> None:
    given = Materials(groove=groove, samples=samples)
    plan = make_plan(3, 3.0, "funk")
    first = play(plan, given)
    for seed in range(3):
        play(make_plan(seed, 2.0), replace(given, held_out=True))
    np.testing.assert_array_equal(play(plan, given).samples, first.samples)


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="nowhere"):
        find_materials(groove=tmp_path / "nowhere")


def test_the_codec_hears_all_styles_as_16_bit_mono() -> None:
    first = make_song(0, 2.0, Materials())
    assert first.dtype == np.int16
    assert first.shape == (48_000,)
    assert 2_000 < np.abs(first.astype(int)).max() < 32_700
    assert not np.array_equal(first, make_song(14, 2.0, Materials()))
