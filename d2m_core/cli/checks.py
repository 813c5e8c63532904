"""All that can be known to be wrong before any work, told at once."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import Mistakes, require
from ..flags import settings_of
from ..media import open_clip
from ..media.copied import VIDEO_FORMATS
from ..media.plan import Output, check_own_sound, plan_film, plan_output
from ..media.sound_file import AUDIO_FORMATS
from ..pictures.overlay import OVERLAY_FORMATS
from ..pipeline import Models, best_device, load_models
from ..settings import DanceSettings
from ..styles import STYLES
from ..types import VideoClip

PICTURE_FORMATS = (".png",)
"""What `save_png` writes, by the end of the file's name."""


@dataclass(frozen=True)
class Outputs:
    """The files that a run is to write."""

    music: Output
    """The clip with its music, or the music alone, as the name ends."""
    others: dict[str, Output] = field(default_factory=dict)
    """By the flag that asked for them: overlay, picture."""

    @property
    def paths(self) -> dict[str, Path]:
        """All files by what they are."""
        return {"music": self.music.path, **{name: out.path for name, out in self.others.items()}}

    @property
    def notices(self) -> tuple[str, ...]:
        """What the user should know before the work starts, a sentence each."""
        return tuple(notice for out in (self.music, *self.others.values()) for notice in out.notices)


@dataclass(frozen=True, eq=False)
class Job:
    """A run that nothing known beforehand speaks against."""

    clip: VideoClip
    settings: DanceSettings
    files: Outputs
    models: Models


def check(args: argparse.Namespace) -> Job:
    """What parsed flags come to. Raises one `D2MError` with a line for everything that is wrong."""
    tell = Mistakes()
    settings = tell.of(settings_of, args)
    clip = tell.of(open_clip, args.clip, args.start, args.duration, max(0, args.sound_track))
    files = tell.of(plan_outputs, args, clip)
    tell.of(best_device, args.device)
    if args.model is None:
        tell.of(_check_style, args.style, STYLES)
    tell.end()  # models take a while to load
    models = load_models(args.model, args.codec, args.rhythm, args.device)
    _check_style(args.style, models.model.model.config.styles)
    assert settings is not None
    assert clip is not None
    assert files is not None
    return Job(clip, settings, files, models)


def plan_outputs(args: argparse.Namespace, clip: VideoClip | None) -> Outputs:
    """What is to be written where; all that its writers would refuse is refused before any work.

    Raises one `MediaError` for all names and places that will not do, and where there is no own sound to
    be kept or heard.
    """
    tell = Mistakes()
    if clip is not None and (args.keep_original_audio or (args.overlay and args.overlay_sound == "own")):
        tell.of(check_own_sound, clip)
    music = tell.of(_plan_music, args, clip)
    taken, others = [args.out], {}
    for name, path, endings in (
        ("overlay", args.overlay, OVERLAY_FORMATS),
        ("picture", args.picture, PICTURE_FORMATS),
    ):
        if path is None:
            continue
        planned = tell.of(plan_output, path, endings, source=args.clip, taken=taken)
        taken.append(path)
        if planned:
            others[name] = planned
    tell.end()
    assert music is not None
    return Outputs(music, others)


def _plan_music(args: argparse.Namespace, clip: VideoClip | None) -> Output:
    planned = plan_output(args.out, (*VIDEO_FORMATS, *AUDIO_FORMATS), source=args.clip)
    film = planned.path.suffix.lower() in VIDEO_FORMATS
    return plan_film(clip, args.out, args.recode) if clip is not None and film else planned


def _check_style(style: str | None, known: tuple[str, ...]) -> None:
    require(style is None or style in known, f"Style is {style!r}; this model knows {', '.join(known)}.")
