"""All that can be known to be wrong before any work, told at once."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from ..band import PLAYERS
from ..band.harmony import read_key
from ..errors import Mistakes, require, require_all
from ..flags import settings_of
from ..media import open_clip
from ..pipeline import Models, best_device, load_models
from ..pose import PARTS
from ..rhythm import RhythmNet, load_rhythm
from ..settings import ANY, DanceSettings, EditSettings
from ..styles import STYLES
from ..types import VideoClip
from ..weights import default_weights
from .outputs import Outputs, plan_outputs


@dataclass(frozen=True, eq=False)
class Job:
    """A run that nothing known beforehand speaks against."""

    clip: VideoClip
    settings: DanceSettings
    files: Outputs
    net: RhythmNet
    models: Models | None
    """None where the band plays."""


def check(args: argparse.Namespace) -> Job:
    """What parsed flags come to. Raises one `D2MError` with a line for everything that is wrong."""
    tell = Mistakes()
    settings = tell.of(settings_of, args)
    clip = tell.of(open_clip, args.clip, args.start, args.duration, args.sound_track)
    files = tell.of(plan_outputs, args, clip)
    tell.of(best_device, args.device)
    if settings is not None:
        tell.of(_check_edits, settings.edits)
    if args.model is None or args.band:
        tell.of(_check_style, args.style, STYLES)
    if args.band:
        tell.of(_check_band, args)
    tell.end()  # models take a while to load
    models = None if args.band else load_models(args.model, args.codec, args.rhythm, args.device)
    if models is None:
        net = load_rhythm(args.rhythm or default_weights("rhythm"))
    else:
        net = models.rhythm
        _check_style(args.style, models.model.model.config.styles)
    assert settings is not None
    assert clip is not None
    assert files is not None
    return Job(clip, settings, files, net, models)


def _check_style(style: str | None, known: tuple[str, ...]) -> None:
    require(style is None or style in known, f"Style is {style!r}; this model knows {', '.join(known)}.")


def _check_edits(edits: EditSettings) -> None:
    parts = [each.part for each in edits.repairs if each.part not in PARTS]
    sound = edits.start
    require_all(
        (not parts, f"A repair is of the {', '.join(parts)}; choose {', '.join(PARTS)}."),
        (sound is None or sound.is_file(), f"There is no file {sound} to begin from; check its name."),
    )


def _check_band(args: argparse.Namespace) -> None:
    strangers = [name for name in args.players if name not in PLAYERS]
    tell = Mistakes()
    tell.of(
        require,
        not strangers,
        f"Nobody in the band is called {', '.join(strangers)}; choose of {', '.join(PLAYERS)}.",
    )
    if args.key != ANY:
        tell.of(read_key, args.key)
    tell.end()
