"""The data that flows from stage to stage: frozen, checked, and each with its own rate.

Shape alphabet, used in every docstring and trailing comment:
`B` batch, `F` motion frames, `P` people, `J` 33 landmarks, `D` motion features, `R` rhythm curves,
`M` beats, `K` codebooks, `T` token steps, `V` cardinality, `C` audio channels, `N` audio samples.

Frame `f` of anything with a rate `fps` stands for the instant `f / fps` seconds after the clip's
start.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

LANDMARKS = 33
"""MediaPipe Pose landmarks per person, in MediaPipe's order."""

MOTION_FPS = 25.0
"""Rate of poses, motion and rhythm curves; 50 and 75 Hz codecs are whole multiples of it."""

RHYTHM_CURVES = ("accent", "energy")
"""Names of `Rhythm.curves`: accents that want a sound (0..1), and how much is going on (0..1)."""

PART_CURVES = ("kick", "snare", "hat")
"""Names of `Rhythm.parts`: how well a stroke of each would answer the movement (0..1)."""

METRE = 4
"""Beats in a bar where nothing tells."""

Progress = Callable[[int, int], None]
"""`on_progress(done, total)`; it may raise to cancel. `total` is 0 when unknown."""


def _check(condition: bool, what: str) -> None:
    if not condition:
        raise ValueError(what)


def _check_array(name: str, value: np.ndarray, dtype: type, shape: tuple[int | None, ...]) -> None:
    fits = value.ndim == len(shape) and all(
        want is None or want == got for want, got in zip(shape, value.shape, strict=True)
    )
    _check(
        fits and value.dtype == np.dtype(dtype),
        f"{name} must be {np.dtype(dtype).name} {shape}, got {value.dtype} {value.shape}",
    )


@dataclass(frozen=True)
class Colours:
    """What a video's numbers mean, by the code points of ITU-T H.273 that all its formats share."""

    matrix: int = 2
    """1 BT.709, 5 and 6 BT.601, 9 BT.2020; 2 where nothing tells."""
    range: int = 0
    """1 limited, 2 full; 0 where nothing tells: limited then."""
    transfer: int = 2
    """1 BT.709, 16 PQ (HDR10), 18 HLG; 2 where nothing tells."""
    primaries: int = 2
    """1 BT.709, 9 BT.2020; 2 where nothing tells."""
    bits: int = 8
    """Bits of each component."""
    rgb: bool = False
    """Stored as red, green and blue, or as a palette of them."""


@dataclass(frozen=True)
class VideoClip:
    """A window of a video file. Only facts: frames are streamed by `video.iter_frames`."""

    path: Path
    duration_s: float
    """Length of the window in seconds."""
    width: int
    """Width in pixels as seen, rotation applied."""
    height: int
    """Height in pixels as seen, rotation applied."""
    file_s: float
    """Length of the whole file's pictures in seconds."""
    codec: str
    """FFmpeg's name for what decodes the pictures."""
    rate: Fraction
    """Pictures per second on average, as the file states them."""
    first_s: float | None
    """The file's own time of its first picture, in seconds; None where its pictures have no times."""
    start_s: float = 0.0
    """Where the window starts, in seconds after the file's first video frame."""
    has_audio: bool = False
    shifts_s: tuple[float, ...] = (0.0,)
    """What makes the file's own times one straight clock: a shift for each time that it started."""
    sound_track: int = 0
    """Which of the file's sound tracks is its own sound, counted from 1; 0 is the default one."""
    colours: Colours = Colours()

    def __post_init__(self) -> None:
        _check(self.duration_s > 0, f"duration_s must be positive, got {self.duration_s}")
        _check(self.width > 0 and self.height > 0, f"empty picture {self.width}x{self.height}")

    @property
    def is_whole(self) -> bool:
        """Whether the window is the file, but for less than a motion frame."""
        return self.start_s <= 0 and self.file_s - self.duration_s < 1 / MOTION_FPS

    @property
    def restarts(self) -> bool:
        """Whether the file's clock starts again on the way, as where recordings were joined."""
        return len(self.shifts_s) > 1


@dataclass(frozen=True, eq=False)
class PoseSequence:
    """Landmarks of everyone in a clip, per motion frame. Absent people are masked, not dropped."""

    world: np.ndarray
    """float32 [F, P, J, 3]: metres around the hips' middle; x right, y down, z away from us."""
    image: np.ndarray
    """float32 [F, P, J, 2]: frame heights from the top left corner; x may reach width / height."""
    visibility: np.ndarray
    """float32 [F, P, J]: 0..1 per landmark; 0 marks a joint the source did not give."""
    present: np.ndarray
    """bool [F, P]: False where the person was not found and nothing was interpolated."""
    fps: float = MOTION_FPS
    cuts_s: tuple[float, ...] = ()
    """When the picture changes at once to another shot, as far as anybody looked."""
    aspect: float | None = None
    """Width over height of the picture; None where nobody knows."""
    changes: tuple[tuple[int, float], ...] = ()
    """(person, seconds) from when on a place holds somebody else, as after a cut."""
    seldom: tuple[int, ...] = ()
    """People who were read in few pictures, and in between are where smooth curves have them."""

    def __post_init__(self) -> None:
        frames, people = self.present.shape
        _check_array("present", self.present, np.bool_, (None, None))
        _check_array("world", self.world, np.float32, (frames, people, LANDMARKS, 3))
        _check_array("image", self.image, np.float32, (frames, people, LANDMARKS, 2))
        _check_array("visibility", self.visibility, np.float32, (frames, people, LANDMARKS))
        _check(self.fps > 0, f"fps must be positive, got {self.fps}")
        _check(frames > 0 and people > 0, f"poses must not be empty, got {frames} frames, {people} people")

    @property
    def frames(self) -> int:
        return self.present.shape[0]

    @property
    def people(self) -> int:
        return self.present.shape[1]

    @property
    def duration_s(self) -> float:
        return self.frames / self.fps

    def frames_at(self, pick: slice) -> PoseSequence:
        """Some of the frames."""
        return self._picked(pick, slice(None))

    def people_at(self, pick: slice | list[int]) -> PoseSequence:
        """Some of the people, in the order given."""
        return self._picked(slice(None), pick)

    def _picked(self, frames: slice, people: slice | list[int]) -> PoseSequence:
        return PoseSequence(
            self.world[frames, people],
            self.image[frames, people],
            self.visibility[frames, people],
            self.present[frames, people],
            self.fps,
            self._cuts_in(frames),
            self.aspect,
            self._changes_of(frames, people),
            tuple(place for place, person in enumerate(self._kept(people)) if person in self.seldom),
        )

    def _kept(self, people: slice | list[int]) -> list[int]:
        return list(range(self.people))[people] if isinstance(people, slice) else list(people)

    def _cuts_in(self, frames: slice) -> tuple[float, ...]:
        """The cuts within some of the frames, counted from the first of these."""
        return tuple(moved for time_s in self.cuts_s if (moved := self._moved(time_s, frames)) > 0)

    def _changes_of(self, frames: slice, people: slice | list[int]) -> tuple[tuple[int, float], ...]:
        """The changes of some of the people, by their new numbers, within some of the frames."""
        return tuple(
            (place, moved)
            for place, person in enumerate(self._kept(people))
            for changed, time_s in self.changes
            if changed == person and (moved := self._moved(time_s, frames)) > 0
        )

    def _moved(self, time_s: float, frames: slice) -> float:
        """A time counted from the first of some frames; -1 where it is not within them."""
        first, end, step = frames.indices(self.frames)
        inside = step == 1 and first < time_s * self.fps < end
        return time_s - first / self.fps if inside else -1.0


@dataclass(frozen=True, eq=False)
class MotionFeatures:
    """What one dancer does, in numbers that do not depend on the size of picture or body."""

    values: np.ndarray
    """float32 [F, D], one column per name; finite."""
    names: tuple[str, ...]
    fps: float = MOTION_FPS

    def __post_init__(self) -> None:
        _check_array("values", self.values, np.float32, (None, len(self.names)))
        _check(bool(np.isfinite(self.values).all()), "motion features must be finite")

    @property
    def duration_s(self) -> float:
        return self.values.shape[0] / self.fps

    def only(self, names: tuple[str, ...]) -> MotionFeatures:
        """The columns of these names, in their order. Raises `ValueError` where one is missing."""
        if names == self.names:
            return self
        missing = [name for name in names if name not in self.names]
        _check(not missing, f"motion features lack {', '.join(missing[:5])}")
        columns = [self.names.index(name) for name in names]
        return MotionFeatures(self.values[:, columns], names, self.fps)


def metre_of_bars(downbeats: np.ndarray) -> int | None:
    """Beats from bar line to bar line; None where fewer than two bar lines are known.

    `downbeats`: which beats start a bar, bool [M]. Where bars differ, their median.
    """
    starts = np.flatnonzero(downbeats)
    return int(np.median(np.diff(starts))) if len(starts) > 1 else None


@dataclass(frozen=True)
class TempoGuess:
    """A tempo that a dance or a piece of music may have."""

    bpm: float
    probability: float
    """0..1; of one rhythm's guesses together at most 1."""


@dataclass(frozen=True, eq=False)
class Rhythm:
    """When the beats fall and how strong things are: the bridge between dance and music."""

    beats_s: np.ndarray
    """float64 [M], rising, seconds from the clip's start."""
    downbeats: np.ndarray
    """bool [M]: which beats start a bar."""
    curves: np.ndarray
    """float32 [F, R] in 0..1, columns `RHYTHM_CURVES`."""
    tempo_bpm: float
    confidence: float = 1.0
    """0..1: how sure the beats are; 1 where a person or a program set them."""
    names: tuple[str, ...] = RHYTHM_CURVES
    fps: float = MOTION_FPS
    parts: np.ndarray | None = None
    """float32 [F, 3] in 0..1, columns `PART_CURVES`; None where nobody knows."""
    tempi: tuple[TempoGuess, ...] = ()
    """Tempi that it may have, likeliest first; empty where it changes or nobody weighed them."""

    def __post_init__(self) -> None:
        _check_array("beats_s", self.beats_s, np.float64, (None,))
        _check_array("downbeats", self.downbeats, np.bool_, (len(self.beats_s),))
        _check_array("curves", self.curves, np.float32, (None, len(self.names)))
        if self.parts is not None:
            shape = (len(self.curves), len(PART_CURVES))
            _check_array("parts", self.parts, np.float32, shape)
        _check(bool((np.diff(self.beats_s) > 0).all()), "beats_s must rise")
        _check(self.tempo_bpm > 0, f"tempo_bpm must be positive, got {self.tempo_bpm}")
        _check(0 <= self.confidence <= 1, f"confidence must be in 0..1, got {self.confidence}")

    @property
    def duration_s(self) -> float:
        return self.curves.shape[0] / self.fps

    @property
    def metre(self) -> int:
        """Beats in a bar; `METRE` where fewer than two bar lines are known."""
        return metre_of_bars(self.downbeats) or METRE

    @property
    def accent(self) -> np.ndarray:
        """How much each frame wants a sound, float32 [F]."""
        return self.curves[:, self.names.index(RHYTHM_CURVES[0])]

    @property
    def energy(self) -> np.ndarray:
        """How much is going on in each frame, float32 [F]."""
        return self.curves[:, self.names.index(RHYTHM_CURVES[1])]


@dataclass(frozen=True)
class CodecSpec:
    """All that the transformer knows about a codec; equal specs are interchangeable."""

    name: str
    sample_rate: int
    token_rate: float
    """Token steps per second."""
    codebooks: int
    cardinality: int
    """Entries per codebook; ids 0 .. cardinality - 1."""

    def __post_init__(self) -> None:
        sizes = (self.sample_rate, self.token_rate, self.codebooks, self.cardinality)
        _check(min(sizes) > 0, f"codec sizes must be positive, got {sizes}")

    def reads(self, other: CodecSpec) -> bool:
        """Whether it decodes tokens of `other`: its own, or only the first of its codebooks."""
        return other.codebooks <= self.codebooks and self == replace(other, codebooks=self.codebooks)

    def steps(self, duration_s: float) -> int:
        """Token steps that cover `duration_s` seconds."""
        return max(1, int(np.ceil(duration_s * self.token_rate - 1e-6)))


@dataclass(frozen=True, eq=False)
class AudioTokens:
    """Codec tokens, time-aligned (not delayed)."""

    codes: torch.Tensor
    """int64 [B, K, T]."""
    codec: CodecSpec
    bend: np.ndarray | None = None
    """float64 [A >= 2, 2]: rows (seconds of these tokens, seconds of the dance) where the music is written
    in straight time, straight between; None where both are one."""

    def __post_init__(self) -> None:
        if self.bend is not None:
            _check_array("bend", self.bend, np.float64, (None, 2))
            rising = len(self.bend) > 1 and bool((np.diff(self.bend, axis=0) > 0).all())
            _check(rising, "bend must have two rows or more, and rise")
        import torch  # here, so that a program's flags are read before seconds of it

        shape = tuple(self.codes.shape)
        _check(
            self.codes.dtype == torch.int64 and len(shape) == 3 and shape[1] == self.codec.codebooks,
            f"codes must be int64 [B, {self.codec.codebooks}, T], got {self.codes.dtype} {shape}",
        )

    @property
    def duration_s(self) -> float:
        return self.codes.shape[-1] / self.codec.token_rate


@dataclass(frozen=True, eq=False)
class Waveform:
    """Sound in ComfyUI's AUDIO layout."""

    samples: torch.Tensor
    """float32 [B, C, N] in -1..1."""
    sample_rate: int

    def __post_init__(self) -> None:
        import torch

        shape = tuple(self.samples.shape)
        _check(
            self.samples.dtype == torch.float32 and len(shape) == 3,
            f"samples must be float32 [B, C, N], got {self.samples.dtype} {shape}",
        )
        _check(self.sample_rate > 0, f"sample_rate must be positive, got {self.sample_rate}")

    @property
    def duration_s(self) -> float:
        return self.samples.shape[-1] / self.sample_rate
