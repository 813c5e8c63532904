"""What decides the clips of a data set: how to cut, what to keep, how to encode."""

from __future__ import annotations

from dataclasses import dataclass

from d2m_core.errors import require
from d2m_core.pose import DANCERS, MAX_PEOPLE, POSE_MODELS
from d2m_core.types import MOTION_FPS

SHOTS = ("split", "drop", "ignore")
POSES_FROM = ("given", "video")
SOUND_RATE = 24_000
"""Rate of the music in the shards, Hz, as in the studio's."""


@dataclass(frozen=True)
class Cutting:
    """How recordings become clips."""

    seconds: float = 30.0
    """Length of a clip."""
    overlap: float = 0.0
    """Seconds that a clip shares with the one before."""
    shortest: float = 0.0
    """What is left at the end of a shot is a clip too if it lasts so many seconds; 0: five, or 0.8
    of `seconds` where that is less."""
    shots: str = "split"
    """At a change of shot: split there, drop the clip, or ignore it."""

    def __post_init__(self) -> None:
        require(1.0 <= self.seconds <= 600.0, f"seconds is {self.seconds:g}; use 1 to 600 for a clip.")
        require(
            0.0 <= self.overlap < self.seconds,
            f"overlap is {self.overlap:g}; use 0 to less than the clip's {self.seconds:g} s.",
        )
        require(
            self.shortest == 0 or 1.0 <= self.shortest <= self.seconds,
            f"shortest is {self.shortest:g}; use 1 s to the clip's {self.seconds:g}.",
        )
        require(self.shots in SHOTS, f"shots is {self.shots!r}; choose {', '.join(SHOTS)}.")

    @property
    def least_s(self) -> float:
        """The shortest clip that is kept."""
        return self.shortest or max(1.0, min(5.0, 0.8 * self.seconds))


@dataclass(frozen=True)
class Seeing:
    """How the dancers are found."""

    fps: float = MOTION_FPS
    """Poses per second; motion features are always made at 25."""
    pose_model: str = "full"
    """lite, full or heavy."""
    people: int = 1
    """Most dancers to look for."""
    dancer: str = "largest"
    """Who leads: largest or most_active."""
    poses: str = "given"
    """given: take the poses that a source brings, where it does; video: always look ourselves."""

    def __post_init__(self) -> None:
        require(12.5 <= self.fps <= 120.0, f"fps is {self.fps:g}; use 12.5 to 120.")
        for name, value, choices in (
            ("pose-model", self.pose_model, POSE_MODELS),
            ("dancer", self.dancer, DANCERS),
            ("poses", self.poses, POSES_FROM),
        ):
            require(value in choices, f"{name} is {value!r}; choose {', '.join(choices)}.")
        require(1 <= self.people <= MAX_PEOPLE, f"people is {self.people}; use 1 to {MAX_PEOPLE}.")


@dataclass(frozen=True)
class Gates:
    """What a clip must have to be kept; 0 opens a gate."""

    min_present: float = 0.8
    """Share of the frames that show the leading dancer."""
    min_motion: float = 0.05
    """Median speed of the body, body heights per second."""
    min_level: float = -45.0
    """Loudness of the sound as RMS, dBFS."""
    max_silence: float = 0.4
    """Largest share of the sound that is silent (40 dB below its loudest, or under -60 dBFS)."""
    min_onsets: float = 0.5
    """Hits per second in the sound that stand out: music has them, hum and hiss do not."""

    def __post_init__(self) -> None:
        for name in ("min_present", "max_silence"):
            value = getattr(self, name)
            require(0 <= value <= 1, f"{name.replace('_', '-')} is {value:g}; use 0 to 1.")
        require(self.min_level <= 0, f"min-level is {self.min_level:g}; use 0 dBFS or less.")


@dataclass(frozen=True)
class Encoding:
    """What the music is encoded with."""

    codec: str = "weights/codec_3"
    """Codec: a name or a folder."""
    bandwidth: float = 0.0
    """kbit/s where the codec offers several; 0 takes its highest."""
    rhythm: str = ""
    """Rhythm network whose curves, read from the dance, half of the items get, as in use."""
    straight: bool | None = None
    """Lay music and dance of a training item on the straight grid of their tempo; unless said, where the
    codec is made for that, as d2m-3 is."""


@dataclass(frozen=True)
class ClipSettings:
    """All of them; equal settings and recordings make equal clips."""

    cutting: Cutting = Cutting()
    seeing: Seeing = Seeing()
    gates: Gates = Gates()
    encoding: Encoding = Encoding()
