"""What the chain is asked for: settings, and the keywords of before."""

from __future__ import annotations

import inspect
from dataclasses import replace

import pytest

from d2m_core.errors import SettingError
from d2m_core.pipeline import dance_to_music
from d2m_core.pipeline.reading import asked_of
from d2m_core.settings import DanceSettings, PeopleSettings, RhythmSettings, SamplingConfig


def test_what_is_given_beside_the_settings_takes_its_place_there() -> None:
    settings = DanceSettings(rhythm=RhythmSettings(swing=60))
    asked = asked_of(settings, SamplingConfig(seed=3), 120.0, 1, 2, "lite")
    assert asked.sampling.seed == 3
    assert asked.people == PeopleSettings(1, 2, "lite")
    assert asked.rhythm == RhythmSettings(120.0, swing=60)
    assert asked_of(settings, None, None, None, None, None) == settings


def test_old_keywords_are_there_and_checked() -> None:
    names = inspect.signature(dance_to_music).parameters
    old = "clip models sampling tempo_bpm dancer people pose_model model_folder on_progress"
    assert [name for name in old.split() if name not in names] == []
    with pytest.raises(SettingError, match="400 BPM; choose 60 to 180"):
        asked_of(DanceSettings(), None, 400.0, None, None, None)


def test_every_setting_says_all_that_is_wrong() -> None:
    with pytest.raises(SettingError) as caught:
        RhythmSettings(
            tempo_bpm=10, metre=0, grid="third", shift_ms=9999, swing=10, energy=-1, beats_from="sky"
        )
    assert len(str(caught.value).split("\n")) == 7
    assert replace(RhythmSettings(), tempo_bpm=60) == RhythmSettings(60)
