"""What may be asked of the chain: settings in frozen dataclasses that refuse nonsense.

Nodes and command lines take names and defaults from their fields, so a setting is one thing everywhere.
Nothing here needs PyTorch: flags are read, and help is given, before seconds of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from .errors import SettingError, require_all
from .grid import TEMPO_RANGE_BPM
from .spans import BarSpan, Span

POSE_MODELS = ("lite", "full", "heavy")
"""Variants of the pose model, from fast to exact."""

ANY = "any"
"""Leaves a choice to who plays."""

RECODE = ("auto", "copy", "always")
"""May a film's pictures be coded again? Where they cannot be copied; never; each time."""

BEATS_FROM = ("dance", "sound", "both")
"""Where beats may come from."""

GRIDS = ("as found", "half", "double")
"""How many of the beats that were found are taken."""

ENDINGS = ("hit", "fade", "cut")
"""How music ends: a last hit that rings out, a fade, or as it goes on (for clips that loop)."""

MOST_CANDIDATES = 64
"""Pieces of music that may be written at once for one to be chosen."""

POSE_REPAIRS = ("interpolate", "hold", "mirror", "forget")
"""How wrong poses are mended: smoothly from the pose before to the pose after; with the pose before; as the
other arm or leg moves, seen in a mirror; not at all, as if nothing was seen."""

START_USES = ("before it", "as its beginning")
"""What a sound is to music that begins from it: heard before it and cut off, or its beginning."""

EDIT_CANDIDATES = 4
"""So many are written for a span of music where nothing else is asked: a choice, and soon done."""

MOST_BARS = 64
"""Bars that may be added to music at once."""

MOST_SHIFT_MS = 2000.0
"""So far may beats be moved."""

MOST_DYNAMICS = 2.0
"""So far may the level follow the dance, as a multiple of what it does by itself."""

STRAIGHT = 50.0
"""Swing, in percent, of beats that lie evenly."""

MOST_SWING = 75.0
"""Swing of dotted notes."""

MOST_ENERGY = 4.0
"""So many times may the energy of a rhythm be taken."""

MOST_METRE = 12
"""Beats that a bar may have."""


@dataclass(frozen=True)
class SamplingConfig:
    """How tokens are drawn."""

    seed: int = 0
    temperature: float = 1.0
    """0 takes the likeliest token at every step."""
    top_k: int = 0
    """Keep the k likeliest tokens; 0 keeps all."""
    top_p: float = 1.0
    """Keep the likeliest tokens that together reach this probability; 1 keeps all."""
    guidance: float = 2.5
    """Classifier-free guidance: 1 follows the dance as trained, more follows it harder."""
    style: str | None = None
    """One of the checkpoint's styles; None lets the model choose."""
    style_guidance: float = 2.0
    """How much further from music in any style, where a style is asked for; 0 is none."""
    overlap_s: float = 3.0
    """Seconds of known music each further window of a long clip starts from."""
    candidates: int = 1
    """So many are written at once, and the one whose hits agree best with the rhythm is taken."""

    def __post_init__(self) -> None:
        require_all(
            (
                1 <= self.candidates <= MOST_CANDIDATES,
                f"candidates is {self.candidates}; use 1 to {MOST_CANDIDATES}.",
            ),
            (self.temperature >= 0, f"temperature is {self.temperature}; use 0 or more."),
            (self.top_k >= 0, f"top_k is {self.top_k}; use 0 (all) or more."),
            (0 < self.top_p <= 1, f"top_p is {self.top_p}; use more than 0 and at most 1."),
            (self.guidance >= 0, f"guidance is {self.guidance}; use 0 or more."),
            (self.style_guidance >= 0, f"style_guidance is {self.style_guidance}; use 0 or more."),
            (self.overlap_s > 0, f"overlap_s is {self.overlap_s}; use more than 0."),
            (0 <= self.seed < 2**64, f"seed is {self.seed}; use 0 to 2**64 - 1."),
        )

    @property
    def guides_style(self) -> bool:
        """Whether the style is guided by itself."""
        return self.style is not None and self.style_guidance > 0

    @property
    def sides(self) -> int:
        """How many windows are written side by side for one."""
        return 1 + (self.guidance != 1) + self.guides_style


DANCERS = ("largest", "most_active", "centre", "blend")
"""Ways to choose whom to follow, other than by number, point or region; `blend` follows all."""
MAX_PEOPLE = 16
"""No more people are looked for in a clip, and numbers of dancers stay below."""


@dataclass(frozen=True)
class At:
    """Whoever is nearest to a point of the picture."""

    x: float
    """From the left edge, 0..1 of the width."""
    y: float
    """From the upper edge, 0..1 of the height."""
    time_s: float | None = None
    """At this moment; where it is None, when people are first seen."""

    def __post_init__(self) -> None:
        _check_share("The point", (self.x, self.y))


@dataclass(frozen=True)
class Region:
    """Whoever is most in a part of the picture, all in 0..1 of its width and height."""

    x: float
    y: float
    width: float
    height: float

    def __post_init__(self) -> None:
        _check_share("The region", (self.x, self.y))
        if self.width <= 0 or self.height <= 0:
            raise SettingError(
                f"The region is {self.width:g} x {self.height:g}; give it a width and height above 0."
            )


def _check_share(what: str, values: tuple[float, float]) -> None:
    if not all(0 <= value <= 1 for value in values):
        place = ", ".join(f"{value:g}" for value in values)
        raise SettingError(f"{what} lies at {place}; give shares of the picture's width and height, 0 to 1.")


Dancer = str | int | At | Region
"""How to choose: one of `DANCERS`, a number from 0, a point or a region."""


@dataclass(frozen=True)
class PeopleSettings:
    """Who is looked for in the clip, and who is followed."""

    dancer: Dancer = DANCERS[0]
    people: int = 0
    """At most so many are kept, those first whom `dancer` follows; 0 keeps everybody."""
    pose_model: str = "full"

    def __post_init__(self) -> None:
        dancer, last = self.dancer, (self.people or MAX_PEOPLE) - 1
        known = dancer in DANCERS if isinstance(dancer, str) else True
        known = 0 <= dancer <= last if isinstance(dancer, int) else known
        require_all(
            (known, f"Dancer is {dancer!r}; choose {', '.join(DANCERS)}, or a number, 0 to {last}."),
            (
                0 <= self.people <= MAX_PEOPLE,
                f"People to find is {self.people}; choose 1 to {MAX_PEOPLE}, or 0 for everybody.",
            ),
            (
                self.pose_model in POSE_MODELS,
                f"Pose model is {self.pose_model!r}; choose {', '.join(POSE_MODELS)}.",
            ),
        )


@dataclass(frozen=True)
class RhythmSettings:
    """How the beats are found, and what a musician would change about them then."""

    tempo_bpm: float | None = None
    """Keeps this tempo; None finds it."""
    metre: int | None = None
    """Beats in a bar; None takes the style's, else what fits best."""
    grid: str = "as found"
    """One of `GRIDS`."""
    steady: bool = False
    """Beats laid evenly, at their own mean tempo."""
    shift_ms: float = 0.0
    """All beats so much later, in milliseconds; earlier below zero."""
    swing: float = STRAIGHT
    """Where every second beat falls between its neighbours, in percent."""
    energy: float = 1.0
    """How much is going on, as a multiple of what was found."""
    beats_from: str = BEATS_FROM[0]
    """One of `BEATS_FROM`: read from the dance, heard in the clip's own sound, or both."""

    def __post_init__(self) -> None:
        low, high = TEMPO_RANGE_BPM
        tempo, metre = self.tempo_bpm, self.metre
        require_all(
            (
                tempo is None or low <= tempo <= high,
                f"Tempo is {tempo or 0:g} BPM; choose {low:g} to {high:g}.",
            ),
            (metre is None or 1 <= metre <= MOST_METRE, f"Metre is {metre}; use 1 to {MOST_METRE}."),
            (
                self.beats_from in BEATS_FROM,
                f"Beats are from {self.beats_from!r}; choose {', '.join(BEATS_FROM)}.",
            ),
            (self.grid in GRIDS, f"Grid is {self.grid!r}; choose {', '.join(GRIDS)}."),
            (
                abs(self.shift_ms) <= MOST_SHIFT_MS,
                f"Shift is {self.shift_ms:g} ms; use {-MOST_SHIFT_MS:g} to {MOST_SHIFT_MS:g}.",
            ),
            (
                STRAIGHT <= self.swing <= MOST_SWING,
                f"Swing is {self.swing:g} %; use {STRAIGHT:g} (straight) to {MOST_SWING:g}.",
            ),
            (0 <= self.energy <= MOST_ENERGY, f"Energy factor is {self.energy:g}; use 0 to {MOST_ENERGY:g}."),
        )


@dataclass(frozen=True)
class SoundSettings:
    """What is done to music once it sounds."""

    ending: str = ENDINGS[0]
    """One of `ENDINGS`."""
    dynamics: float = 1.0
    """How far the level follows the dance's energy; 0 leaves it as it is."""
    finish: bool = True
    """Stereo and clear tones, where the codec has a finisher; else its own mono sound."""

    def __post_init__(self) -> None:
        require_all(
            (self.ending in ENDINGS, f"Ending is {self.ending!r}; choose {', '.join(ENDINGS)}."),
            (
                0 <= self.dynamics <= MOST_DYNAMICS,
                f"Dynamics are {self.dynamics:g}; use 0 (level as it is) to {MOST_DYNAMICS:g}.",
            ),
        )


@dataclass(frozen=True)
class BandSettings:
    """How the band plays; its style and seed are those of `SamplingConfig`."""

    key: str = ANY
    """`any`, or a key as in `A minor`, `F#m`."""
    intensity: float = 0.5
    """0 calm, 1 wild."""
    humanise: float = 0.5
    """0 exactly on the grid, 1 loose."""
    players: tuple[str, ...] = ()
    """Who plays, of `band.PLAYERS`; empty for all."""

    def __post_init__(self) -> None:
        require_all(
            (0 <= self.intensity <= 1, f"Intensity is {self.intensity:g}; use 0 to 1."),
            (0 <= self.humanise <= 1, f"Humanise is {self.humanise:g}; use 0 to 1."),
        )


@dataclass(frozen=True)
class PoseRepair:
    """A stretch of poses that is wrong, and what is put there."""

    span: Span
    method: str = POSE_REPAIRS[0]
    """One of `POSE_REPAIRS`."""
    part: str = "whole body"
    """One of `pose.PARTS`."""

    def __post_init__(self) -> None:
        require_all(
            (self.method in POSE_REPAIRS, f"A repair is {self.method!r}; choose {', '.join(POSE_REPAIRS)}.")
        )


@dataclass(frozen=True)
class Repaint:
    """A stretch of music that is written anew."""

    span: Span | BarSpan
    seed: int | None = None
    """Other than the music's; None takes the next one."""


@dataclass(frozen=True)
class EditSettings:
    """What is mended before music is written, what it begins from, and what of it is written anew."""

    repairs: tuple[PoseRepair, ...] = ()
    repaints: tuple[Repaint, ...] = ()
    """One after the other."""
    likeness: float = 0.0
    """Of what is repainted with what was there: 0 free, 1 a copy."""
    start: Path | None = None
    """A sound that the music begins from."""
    start_use: str = START_USES[0]
    """One of `START_USES`."""
    bars_before: int = 0
    """Bars that are written in front of the music."""
    bars_after: int = 0
    """Bars that are written behind it."""

    def __post_init__(self) -> None:
        require_all(
            *(
                (0 <= bars <= MOST_BARS, f"{bars} bars are to be added; use 0 to {MOST_BARS}.")
                for bars in (self.bars_before, self.bars_after)
            ),
            (0 <= self.likeness <= 1, f"likeness is {self.likeness:g}; use 0 (free) to 1 (a copy)."),
            (
                self.start_use in START_USES,
                f"Use of the sound is {self.start_use!r}; choose {', '.join(START_USES)}.",
            ),
        )


@dataclass(frozen=True)
class DanceSettings:
    """All that `dance_to_music` may be asked for, stage by stage."""

    people: PeopleSettings = field(default_factory=PeopleSettings)
    rhythm: RhythmSettings = field(default_factory=RhythmSettings)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    sound: SoundSettings = field(default_factory=SoundSettings)
    band: BandSettings = field(default_factory=BandSettings)
    edits: EditSettings = field(default_factory=EditSettings)
