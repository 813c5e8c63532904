"""From flags to settings."""

from __future__ import annotations

import argparse

from ..errors import Mistakes, require_all
from ..settings import (
    START_USES,
    At,
    BandSettings,
    Dancer,
    DanceSettings,
    EditSettings,
    PeopleSettings,
    Region,
    RhythmSettings,
    SamplingConfig,
    SoundSettings,
)


def settings_of(args: argparse.Namespace) -> DanceSettings:
    """What the flags ask of the chain. Raises one `SettingError` with a line for each that cannot be."""
    tell = Mistakes()
    people = tell.of(_people, args)
    rhythm = tell.of(_rhythm, args)
    sampling = tell.of(_sampling, args)
    sound = tell.of(SoundSettings, args.ending, args.dynamics, not args.no_finish)
    band = tell.of(BandSettings, args.key, args.intensity, args.humanise, args.players)
    edits = tell.of(_edits, args)
    tell.of(_check_rest, args)
    tell.end()
    assert people is not None
    assert rhythm is not None
    assert sampling is not None
    assert sound is not None
    assert band is not None
    assert edits is not None
    return DanceSettings(people, rhythm, sampling, sound, band, edits)


def _people(args: argparse.Namespace) -> PeopleSettings:
    dancer: Dancer = args.dancer
    if args.at is not None:
        dancer = At(*args.at)
    elif args.region is not None:
        dancer = Region(*args.region)
    elif args.dancer.lstrip("-").isdigit():
        dancer = int(args.dancer)
    return PeopleSettings(dancer, args.people, args.pose_model)


def _rhythm(args: argparse.Namespace) -> RhythmSettings:
    return RhythmSettings(
        args.tempo,
        args.metre,
        args.grid,
        steady=args.steady,
        shift_ms=args.shift,
        swing=args.swing,
        energy=args.energy,
        beats_from=args.beats_from,
    )


def _sampling(args: argparse.Namespace) -> SamplingConfig:
    return SamplingConfig(
        seed=args.seed,
        guidance=args.guidance,
        temperature=args.temperature,
        style=args.style,
        style_guidance=args.style_guidance,
        candidates=args.candidates,
    )


def _edits(args: argparse.Namespace) -> EditSettings:
    repaints = tuple(one for given in args.repaint for one in given)
    use = START_USES[1 if args.keep_sound else 0]
    repairs, bars = tuple(args.repair), (args.extend_left, args.extend_right)
    return EditSettings(repairs, repaints, args.likeness, args.from_sound, use, *bars)


def _check_rest(args: argparse.Namespace) -> None:
    gain = args.keep_original_audio
    edits = {
        "--repaint": args.repaint,
        "--from-sound": args.from_sound,
        "--extend-left": args.extend_left,
        "--extend-right": args.extend_right,
    }
    without = "writes what the band plays; add --band, or use --beats FILE.mid for the beats alone."
    require_all(
        (0 <= gain <= 1, f"The gain of the clip's own sound is {gain:g}; use 0 to 1."),
        (
            not args.play or args.band or args.candidates == 1,
            f"--play hears music while it is written, and candidates is {args.candidates}; use 1.",
        ),
        *(
            (not (args.band and given), f"{flag} is of music that the model writes; leave out --band or it.")
            for flag, given in edits.items()
        ),
        (
            not (args.play and any(edits.values())),
            "--play hears music while it is written, and edits come after that; leave out one of them.",
        ),
        (args.from_sound is not None or not args.keep_sound, "--keep-sound needs a --from-sound FILE."),
        (args.band or args.midi is None, f"--midi {without}"),
        (args.band or args.stems is None, f"--stems {without}"),
    )
