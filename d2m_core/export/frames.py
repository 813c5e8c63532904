"""Frames per second as editors mean them: exact fractions, and timecodes with and without drop frames.

Drop frame timecode (SMPTE ST 12-1) leaves out numbers, not frames: the first 2 of 30 (4 of 60) in
every minute but each tenth, so that 29.97 and 59.94 frames a second keep to the clock.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from ..errors import SettingError
from ..types import VideoClip

_NTSC = 1001
_CODE = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})([:;.])(\d{2})")
_NEAR = 0.015
"""Clips whose average rate is this close, as a share, are shown at the rate by name."""


@dataclass(frozen=True)
class FrameRate:
    """How many frames a second has, and how they are numbered."""

    rate: Fraction
    drop: bool = False

    def __post_init__(self) -> None:
        if self.rate <= 0:
            raise SettingError(f"Frame rate is {self.rate}; use one above 0.")
        if self.drop and (self.rate.denominator != _NTSC or self.nominal % 30):
            raise SettingError(f"{float(self.rate):g} frames a second has no drop frame; use 29.97 or 59.94.")

    @property
    def nominal(self) -> int:
        """Frames that a second of timecode counts."""
        return -(-self.rate.numerator // self.rate.denominator)

    @property
    def name(self) -> str:
        """As in `FRAME_RATES`, or a number."""
        known = next((name for name, rate in FRAME_RATES.items() if rate == self), None)
        return known or f"{float(self.rate):.6g}"

    def frame_at(self, time_s: float) -> int:
        """The frame whose start is nearest."""
        return round(Fraction(time_s) * self.rate)

    def seconds(self, frame: int) -> Fraction:
        """When a frame starts, exactly."""
        return frame / self.rate

    def timecode(self, frame: int) -> str:
        """`01:00:00:00`, with a semicolon where frames are dropped; wraps around after 24 hours."""
        second, rest = divmod(self._numbered(frame), self.nominal)
        minute, second = divmod(second, 60)
        hour, minute = divmod(minute, 60)
        return f"{hour % 24:02}:{minute:02}:{second:02}{';' if self.drop else ':'}{rest:02}"

    def frame_of(self, timecode: str) -> int:
        """The inverse of `timecode`. Raises `SettingError` for what is none at this rate."""
        found = _CODE.fullmatch(timecode.strip())
        parts = [int(part) for part in found.group(1, 2, 3, 5)] if found else []
        if not parts or parts[0] > 23 or parts[1] > 59 or parts[2] > 59 or parts[3] >= self.nominal:
            raise SettingError(
                f"{timecode!r} is no timecode at {self.name} frames a second; write one such as 01:00:00:00."
            )
        hour, minute, second, rest = parts
        minutes = 60 * hour + minute
        number = (60 * minutes + second) * self.nominal + rest
        if not self.drop:
            return number
        if rest < self._dropped and second == 0 and minute % 10:
            raise SettingError(
                f"{timecode!r} is one of the numbers that drop frame leaves out; use the next."
            )
        return number - self._dropped * (minutes - minutes // 10)

    @property
    def _dropped(self) -> int:
        """Numbers left out in a minute."""
        return self.nominal // 15 if self.drop else 0

    def _numbered(self, frame: int) -> int:
        """The frame's number with those that are left out."""
        if not self.drop:
            return frame
        minute = 60 * self.nominal - self._dropped
        tens, rest = divmod(frame, 10 * minute + self._dropped)
        # The first minute of ten is whole.
        minutes = max(0, (rest - self._dropped) // minute)
        return frame + self._dropped * (9 * tens + minutes)


FRAME_RATES = {
    "23.976": FrameRate(Fraction(24000, _NTSC)),
    "24": FrameRate(Fraction(24)),
    "25": FrameRate(Fraction(25)),
    "29.97": FrameRate(Fraction(30000, _NTSC)),
    "29.97 drop": FrameRate(Fraction(30000, _NTSC), drop=True),
    "30": FrameRate(Fraction(30)),
    "50": FrameRate(Fraction(50)),
    "59.94": FrameRate(Fraction(60000, _NTSC)),
    "59.94 drop": FrameRate(Fraction(60000, _NTSC), drop=True),
    "60": FrameRate(Fraction(60)),
}
"""What editors offer, by the names that they use."""


def frame_rate(name: str) -> FrameRate:
    """A rate by its name in `FRAME_RATES`, or any other number. Raises `SettingError`."""
    if name in FRAME_RATES:
        return FRAME_RATES[name]
    try:
        return FrameRate(Fraction(name))
    except (ValueError, ZeroDivisionError):
        raise SettingError(f"Frame rate is {name!r}; choose {', '.join(FRAME_RATES)}.") from None


def named_rate(rate: Fraction) -> FrameRate:
    """The nearest in `FRAME_RATES` without drop frames, as phones miss it; itself where none is near."""
    known = (each for each in FRAME_RATES.values() if not each.drop)
    nearest = min(known, key=lambda each: abs(rate / each.rate - 1))
    if abs(rate / nearest.rate - 1) < _NEAR:
        return nearest
    return FrameRate(rate.limit_denominator(_NTSC))


def rate_of_clip(clip: VideoClip) -> FrameRate:
    """The clip's own rate; pictures that come unevenly count as their average."""
    return named_rate(clip.rate)
