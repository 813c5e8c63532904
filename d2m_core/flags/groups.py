"""The flags, group by group; their defaults are those of the settings."""

from __future__ import annotations

from argparse import ArgumentTypeError, _ArgumentGroup
from pathlib import Path

from ..errors import SettingError
from ..grid import TEMPO_RANGE_BPM
from ..settings import (
    BEATS_FROM,
    DANCERS,
    EDIT_CANDIDATES,
    ENDINGS,
    MOST_DYNAMICS,
    MOST_METRE,
    MOST_SWING,
    POSE_MODELS,
    POSE_REPAIRS,
    RECODE,
    STRAIGHT,
    DanceSettings,
    PoseRepair,
    Repaint,
)
from ..spans import BarSpan, Span, parse_spans

OVERLAY_SOUNDS = ("music", "own", "none")
"""What is heard in the film of the skeletons."""

_DEFAULT = DanceSettings()


def point(text: str) -> tuple[float, float, float | None]:
    """A place as `0.3,0.5`, or `0.3,0.5@2` at 2 seconds."""
    place, _, time = text.partition("@")
    x, y = _numbers(place, 2, "0.3,0.5, or 0.3,0.5@2 at 2 seconds")
    return x, y, _numbers(time, 1, "0.3,0.5@2")[0] if time else None


def box(text: str) -> tuple[float, ...]:
    """A part of the picture: left, top, width and height."""
    return _numbers(text, 4, "0.5,0,0.5,1 (left, top, width, height)")


def _numbers(text: str, count: int, example: str) -> tuple[float, ...]:
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = ()
    if len(found) != count:
        raise ArgumentTypeError(f"{text!r} is not understood; write it as {example}")
    return found


def repair(text: str) -> PoseRepair:
    """A wrong stretch of poses as `2-2.6`, `2-2.6 hold` or `2-2.6 mirror left arm`."""
    span, *words = text.split()
    method, part = (words[0] if words else POSE_REPAIRS[0]), " ".join(words[1:]) or "whole body"
    found = _spans(span)[0]
    if not isinstance(found, Span):
        raise ArgumentTypeError(f"{text!r} names bars; give seconds, as in 2-2.6")
    try:
        return PoseRepair(found, method, part)
    except SettingError as error:
        raise ArgumentTypeError(str(error)) from error


def repainted(text: str) -> tuple[Repaint, ...]:
    """Stretches of music as `4-8`, `bars 3-4` or `4-8@7`: by seed 7."""
    spans, _, seed = text.partition("@")
    if seed and not seed.isdigit():
        raise ArgumentTypeError(f"{text!r} is not understood; write a seed as in 4-8@7")
    return tuple(Repaint(span, int(seed) if seed else None) for span in _spans(spans))


def _spans(text: str) -> tuple[Span | BarSpan, ...]:
    try:
        return parse_spans(text)
    except SettingError as error:
        raise ArgumentTypeError(str(error)) from error


def add_dance(group: _ArgumentGroup) -> None:
    """Which part of the clip, and who in it."""
    add, people = group.add_argument, _DEFAULT.people
    add("--start", type=float, default=0.0, metavar="S", help="skip this many seconds [%(default)s]")
    add("--duration", type=float, metavar="S", help="use only this many seconds")
    who = group.add_mutually_exclusive_group()
    who.add_argument(
        "--dancer",
        default=people.dancer,
        metavar="WHO",
        help=f"whom to follow: {', '.join(DANCERS)} (all as one), or a number, 0 on the left [%(default)s]",
    )
    who.add_argument(
        "--at",
        type=point,
        metavar="X,Y[@S]",
        help="follow whoever is nearest to this place, in shares of width and height, at S seconds",
    )
    who.add_argument(
        "--region", type=box, metavar="X,Y,W,H", help="follow whoever is most in this part of the picture"
    )
    add(
        "--people",
        type=int,
        default=people.people,
        metavar="N",
        help="keep at most so many people; 0 keeps everybody [%(default)s]",
    )
    add(
        "--repair",
        type=repair,
        action="append",
        default=[],
        metavar="SPAN",
        help="mend poses that are wrong for a while, as in 2-2.6, '2-2.6 hold', '2-2.6 mirror left arm': "
        f"{', '.join(POSE_REPAIRS)} [{POSE_REPAIRS[0]}]; may be given several times",
    )
    add("--no-pose-cache", action="store_true", help="look at the clip again, and keep nothing of it")
    add(
        "--pose-model",
        choices=POSE_MODELS,
        default=people.pose_model,
        help="size of the pose model [%(default)s]",
    )


def add_rhythm(group: _ArgumentGroup) -> None:
    """When the beats fall."""
    add, rhythm = group.add_argument, _DEFAULT.rhythm
    low, high = TEMPO_RANGE_BPM
    add(
        "--tempo",
        type=float,
        metavar="BPM",
        help=f"lock the tempo, {low:g} to {high:g}; by default it is found",
    )
    add(
        "--metre",
        type=int,
        metavar="N",
        help=f"beats in a bar, 1 to {MOST_METRE}; by default the style's, else what fits best",
    )
    add(
        "--beats-from",
        choices=BEATS_FROM,
        default=rhythm.beats_from,
        help="read the beats from the dance, hear them in the clip's own sound, or both: heard, in the "
        "octave and bars of the dance [%(default)s]",
    )
    grid = group.add_mutually_exclusive_group()
    grid.add_argument(
        "--half", dest="grid", action="store_const", const="half", default=rhythm.grid, help="half the beats"
    )
    grid.add_argument(
        "--double", dest="grid", action="store_const", const="double", help="twice as many beats"
    )
    add("--steady", action="store_true", help="beats laid evenly, at their own mean tempo")
    add(
        "--shift",
        "--nudge",
        type=float,
        default=rhythm.shift_ms,
        metavar="MS",
        help="move every beat, in milliseconds: above zero the music comes later [%(default)s]",
    )
    add(
        "--swing",
        type=float,
        default=rhythm.swing,
        metavar="PERCENT",
        help=f"where every second beat falls, {STRAIGHT:g} to {MOST_SWING:g}: 67 are triplets [%(default)s]",
    )
    add(
        "--energy",
        type=float,
        default=rhythm.energy,
        metavar="X",
        help="how much is going on: below 1 calmer, above 1 busier [%(default)s]",
    )


def add_music(group: _ArgumentGroup) -> None:
    """What is played, and how freely."""
    add, default = group.add_argument, _DEFAULT.sampling
    add("--style", help="style of the music, see below; by default the model chooses from the dance")
    add("--seed", type=int, default=default.seed, help="another seed, other music [%(default)s]")
    add(
        "--guidance",
        type=float,
        default=default.guidance,
        help="how hard the music follows the dance; 1 is as trained [%(default)s]",
    )
    add(
        "--style-guidance",
        type=float,
        default=default.style_guidance,
        help="how far the music leans into its style; 0 plays it as trained [%(default)s]",
    )
    add(
        "--temperature",
        type=float,
        default=default.temperature,
        help="how freely tokens are drawn; 0 takes the likeliest [%(default)s]",
    )
    add(
        "--candidates",
        type=int,
        default=default.candidates,
        help="write so many and take the one that meets the rhythm best [%(default)s]",
    )


def add_edits(group: _ArgumentGroup) -> None:
    """What the music begins from, and what of it is written anew."""
    add, edits = group.add_argument, _DEFAULT.edits
    add("--from-sound", type=Path, metavar="FILE", help="music to begin from, bent to the dance's beats")
    add(
        "--keep-sound",
        action="store_true",
        help="it stays as the beginning; by default the music is written as if it had just been heard",
    )
    add(
        "--repaint",
        type=repainted,
        action="append",
        default=[],
        metavar="SPAN[@SEED]",
        help="write a span anew and keep the rest, as in 4-8, 'bars 3-4', 4-8@7 (by seed 7, else the next "
        f"one); of {EDIT_CANDIDATES} the one is taken that leads on best. May be given several times",
    )
    add(
        "--extend-left",
        type=int,
        default=edits.bars_before,
        metavar="BARS",
        help="write so many bars in front of the music, which then is longer than the clip [%(default)s]",
    )
    add(
        "--extend-right",
        type=int,
        default=edits.bars_after,
        metavar="BARS",
        help="write so many bars behind it [%(default)s]",
    )
    add(
        "--likeness",
        type=float,
        default=edits.likeness,
        metavar="X",
        help="how near to what was there a repainted span is, and bars that are added to those beside them: "
        "0 free, 1 a copy [%(default)s]",
    )


def add_band(group: _ArgumentGroup) -> None:
    """Who plays instead of the model, and how."""
    add, band = group.add_argument, _DEFAULT.band
    add("--band", action="store_true", help="a band plays, stereo, 48 kHz, instead of the model")
    add("--key", default=band.key, help='of its music: any, or as in "A minor", F#m [%(default)s]')
    add("--intensity", type=float, default=band.intensity, metavar="X", help="0 calm to 1 wild [%(default)s]")
    add(
        "--humanise",
        type=float,
        default=band.humanise,
        metavar="X",
        help="0 exactly on the grid to 1 loose [%(default)s]",
    )
    add(
        "--players",
        type=lambda text: tuple(text.split(",")),
        default=band.players,
        metavar="A,B",
        help="who plays: of drums, bass, chords, lead, percussion; by default all",
    )
    add(
        "--download-instruments",
        action="store_true",
        help="where no soundfont is on this machine, fetch one (38 MB, once)",
    )
    add("--stems", type=Path, metavar="FOLDER", help="also write what each part of the band plays (.wav)")
    add("--midi", type=Path, help="also write its notes, with tempo map, chords and form (.mid)")


def add_sound(group: _ArgumentGroup) -> None:
    """How it sounds in the end."""
    add, sound = group.add_argument, _DEFAULT.sound
    add(
        "--ending",
        choices=ENDINGS,
        default=sound.ending,
        help="the transformer's music ends with a last hit that rings out, a fade, or cut: as it goes on, "
        "for clips that loop; the band has an ending of its own [%(default)s]",
    )
    add(
        "--dynamics",
        type=float,
        default=sound.dynamics,
        metavar="X",
        help=f"how far its level follows the dance, 0 (not at all) to {MOST_DYNAMICS:g} [%(default)s]",
    )
    add("--no-finish", action="store_true", help="the codec's own mono sound, where it has a finisher")
    add(
        "--keep-original-audio",
        type=float,
        default=0.0,
        metavar="GAIN",
        help="mix the clip's own sound under the music, 0 to 1 [%(default)s]",
    )
    add(
        "--sound-track",
        type=int,
        default=0,
        metavar="N",
        help="which of the clip's sound tracks that is, from 1; 0 takes the default one [%(default)s]",
    )


def add_files(group: _ArgumentGroup) -> None:
    """What runs, and on what."""
    add = group.add_argument
    add("--model", type=Path, help="transformer checkpoint (.safetensors)")
    add("--rhythm", type=Path, help="rhythm network (.safetensors)")
    add("--codec", help="codec folder, or facebook/encodec_24khz, facebook/encodec_32khz")
    add("--device", default="auto", help="auto, cpu, cuda, cuda:1, ... [%(default)s]")


def add_extras(group: _ArgumentGroup) -> None:
    """Further files."""
    add = group.add_argument
    add("--play", action="store_true", help="hear the music while it is written")
    add("--overlay", type=Path, help="the clip with skeleton, beats and accents drawn in (.mp4, .mov, .mkv)")
    add(
        "--overlay-sound",
        choices=OVERLAY_SOUNDS,
        default=OVERLAY_SOUNDS[0],
        help="what is heard in it: the music, the clip's own sound, nothing [%(default)s]",
    )
    add("--picture", type=Path, help="a picture of rhythm and music (.png)")
    add("--people-picture", type=Path, help="a picture of everybody found, with their numbers (.png)")
    add(
        "--beats",
        type=Path,
        action="append",
        default=[],
        help="beats, bars and accents: table (.csv), labels (.txt), tempo map (.mid), clicks (.wav, "
        ".flac), markers for editors (.otio, .fcpxml, .edl); may be given several times",
    )
    add(
        "--recode",
        choices=RECODE,
        default=RECODE[0],
        help="code the pictures again: where they cannot be copied, never (copy), always [%(default)s]",
    )
