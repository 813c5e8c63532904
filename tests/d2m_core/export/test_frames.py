"""Frame rates and timecodes, held against OpenTimelineIO's over hours."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2m_core.errors import SettingError
from d2m_core.export import FRAME_RATES, FrameRate, frame_rate
from d2m_core.export.frames import named_rate

EVERY = pytest.mark.parametrize("name", FRAME_RATES)


@EVERY
def test_timecodes_are_those_of_opentimelineio(name: str) -> None:
    time = pytest.importorskip("opentimelineio").opentime
    rate = FRAME_RATES[name]
    fps = float(rate.rate)
    hours = range(0, 23 * 3600 * rate.nominal, 997)
    minutes = (m * 60 * rate.nominal + k for m in (1, 2, 9, 10, 11, 59, 60, 61) for k in range(-70, 70))
    for frame in [*range(3 * rate.nominal), *minutes, *hours]:
        code = rate.timecode(frame)
        assert code == time.to_timecode(time.RationalTime(frame, fps), fps, rate.drop)
        assert rate.frame_of(code) == frame


@EVERY
@given(time_s=st.floats(0, 4 * 3600))
def test_the_frame_is_the_nearest(name: str, time_s: float) -> None:
    rate = FRAME_RATES[name]
    distance = abs(rate.seconds(rate.frame_at(time_s)) - Fraction(time_s))
    assert distance <= 1 / rate.rate / 2


def test_drop_frame_keeps_to_the_clock() -> None:
    """After an hour the timecode says an hour, within two frames; without drop it is 3.6 s behind."""
    for name in ("29.97", "59.94"):
        frame = FRAME_RATES[name].frame_at(3600.0)
        assert FRAME_RATES[f"{name} drop"].timecode(frame) == "01:00:00;00"
        assert FRAME_RATES[name].timecode(frame).startswith("00:59:56:")


def test_numbers_that_drop_frame_leaves_out() -> None:
    rate = FRAME_RATES["29.97 drop"]
    assert [rate.timecode(frame) for frame in (1799, 1800)] == ["00:00:59;29", "00:01:00;02"]
    assert rate.timecode(17982) == "00:10:00;00"
    assert rate.frame_of("00:10:00;00") == 17982
    with pytest.raises(SettingError, match="leaves out"):
        rate.frame_of("00:01:00;01")
    assert FRAME_RATES["59.94 drop"].timecode(3600) == "00:01:00;04"


@pytest.mark.parametrize("text", ["", "1:2", "25:00:00:00", "00:61:00:00", "00:00:00:25", "01:00:00", "now"])
def test_what_is_no_timecode_is_a_sentence(text: str) -> None:
    with pytest.raises(SettingError, match="write one such as"):
        FRAME_RATES["25"].frame_of(text)


@pytest.mark.parametrize(
    ("measured", "name"),
    [
        ("2997/100", "29.97"),
        ("23.98", "23.976"),
        ("24", "24"),
        ("29.93", "29.97"),
        ("30", "30"),
        ("59.9", "59.94"),
    ],
)
def test_a_clips_rate_is_what_it_means(measured: str, name: str) -> None:
    assert named_rate(Fraction(measured)).name == name


def test_other_rates_stay_what_they_are() -> None:
    assert named_rate(Fraction(12)).rate == 12
    assert named_rate(Fraction(12)).timecode(13) == "00:00:01:01"
    assert frame_rate("48").rate == 48
    assert frame_rate("29.97 drop").drop
    for bad in ("fast", "0", "-3", "1/0"):
        with pytest.raises(SettingError, match="Frame rate is"):
            frame_rate(bad)
    with pytest.raises(SettingError, match="no drop frame"):
        FrameRate(Fraction(25), drop=True)
