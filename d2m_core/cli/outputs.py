"""What a run writes: planned before any work, written at its end."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import MediaError, Mistakes
from ..export import BeatSheet, check_beats_file, export_beats
from ..files import check_place
from ..media import fit_length, save_audio
from ..media.blocks import Blocks
from ..media.copied import VIDEO_FORMATS
from ..media.plan import Output, check_own_sound, plan_film, plan_output
from ..media.sound import in_blocks, own_blocks, with_own_sound
from ..media.sound_file import AUDIO_FORMATS
from ..midi import Named, make_midi, save_midi
from ..motion import Accents, dance_accents
from ..pictures import dancer_picture, overlay_video, rhythm_picture, save_png
from ..pictures.overlay import OVERLAY_FORMATS
from ..pipeline import DanceMusic, StageProgress, write_result
from ..pose import followed
from ..types import VideoClip, Waveform

_FORMATS = {
    "overlay": OVERLAY_FORMATS,
    "picture": (".png",),
    "people_picture": (".png",),
    "midi": (".mid", ".midi"),
}
"""Files that a flag of the same name asks for, and how their names may end."""


@dataclass(frozen=True)
class Outputs:
    """The files that a run is to write."""

    music: Output
    """The clip with its music, or the music alone, as the name ends."""
    others: dict[str, Path] = field(default_factory=dict)
    """By the flag that asked for them: those of `_FORMATS`."""
    beats: tuple[Path, ...] = ()
    stems: Path | None = None
    """A folder."""


def plan_outputs(args: argparse.Namespace, clip: VideoClip | None) -> Outputs:
    """What is to be written where; all that its writers would refuse is refused before any work.

    Raises one `MediaError` for all names and places that will not do, and where there is no own sound to
    be kept or heard.
    """
    tell = Mistakes()
    if clip is not None and (args.keep_original_audio or (args.overlay and args.overlay_sound == "own")):
        tell.of(check_own_sound, clip)
    music = tell.of(_plan_music, args, clip)
    tell.of(_check_longer, args)
    taken, others = [args.out], {}
    for name, endings in _FORMATS.items():
        path = getattr(args, name)
        if path is not None:
            tell.of(plan_output, path, endings, source=args.clip, taken=taken)
            taken.append(path)
            others[name] = path
    for path in args.beats:
        tell.of(check_beats_file, path)
        tell.of(plan_output, path, (path.suffix.lower(),), source=args.clip, taken=taken)
        taken.append(path)
    if args.stems is not None:
        tell.of(_check_folder, args.stems)
    tell.end()
    assert music is not None
    return Outputs(music, others, tuple(args.beats), args.stems)


def _plan_music(args: argparse.Namespace, clip: VideoClip | None) -> Output:
    planned = plan_output(args.out, (*VIDEO_FORMATS, *AUDIO_FORMATS), source=args.clip)
    film = planned.path.suffix.lower() in VIDEO_FORMATS
    return plan_film(clip, args.out, args.recode) if clip is not None and film else planned


def _check_longer(args: argparse.Namespace) -> None:
    """Music with more bars than the clip fits no picture of the clip, and none of its times."""
    if not (args.extend_left or args.extend_right):
        return
    if args.out.suffix.lower() in VIDEO_FORMATS:
        raise MediaError(
            f"Music with more bars is longer than the clip, and {args.out.name} is a film; give -o a name "
            f"that ends in {', '.join(AUDIO_FORMATS)}."
        )
    given = {"--overlay": args.overlay, "--picture": args.picture, "--beats": args.beats}
    given["--keep-original-audio"] = args.keep_original_audio
    if of_the_clip := [flag for flag, value in given.items() if value]:
        raise MediaError(
            f"Music with more bars is longer than the clip; leave out {', '.join(of_the_clip)}, or the bars."
        )


def _check_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise MediaError(f"{folder.name} is a file; give a folder for the stems.")
    check_place(folder / "stem.wav")


def write_outputs(
    files: Outputs, args: argparse.Namespace, result: DanceMusic, on_progress: StageProgress
) -> dict[str, Any]:
    """Writes all that was planned. Gives the paths by what they are: `beats` a list, `stems` by name."""
    gain, others = args.keep_original_audio, files.others
    tags = {"comment": f"seed {result.settings.sampling.seed}"}
    write_result(result, files.music.path, gain, tags, files.music.recode)
    written: dict[str, Any] = {"music": files.music.path, **others}
    accents = dance_accents(result.poses)
    if path := others.get("overlay"):
        overlay_video(
            result.clip,
            result.poses,
            path,
            rhythm=result.rhythm,
            accents=accents,
            on_progress=lambda done, total: on_progress("overlay", done, total),
            sound=_overlay_sound(args.overlay_sound, result, gain),
        )
    if path := others.get("picture"):
        save_png(rhythm_picture(result.rhythm, result.audio, accents=accents), path)
    if path := others.get("people_picture"):
        save_png(_people_picture(result), path)
    if path := others.get("midi"):
        save_midi(_midi(result, accents), path)
    for path in files.beats:
        export_beats(_sheet(result, accents), path)
    if files.beats:
        written["beats"] = list(files.beats)
    if files.stems is not None:
        written["stems"] = _write_stems(result, files.stems, files.music.path.stem)
    return written


def _overlay_sound(kind: str, result: DanceMusic, gain: float) -> Blocks | None:
    sounds: dict[str, Callable[[], Blocks | None]] = {
        "none": lambda: None,
        "own": lambda: own_blocks(result.clip),
        "music": lambda: with_own_sound(result.audio, result.clip, gain) if gain else in_blocks(result.audio),
    }
    return sounds[kind]()


def _people_picture(result: DanceMusic) -> Any:
    everyone = result.poses if result.everyone is None else result.everyone
    chosen = followed(everyone, result.settings.people.dancer)
    return dancer_picture(everyone, chosen, (result.clip.width, result.clip.height), result.clip)


def _marks(accents: Accents) -> tuple[tuple[float, float], ...]:
    pairs = zip(accents.times_s, accents.strengths, strict=True)
    return tuple((float(time_s), float(strength)) for time_s, strength in pairs)


def _midi(result: DanceMusic, accents: Accents) -> Any:
    take = result.take
    assert take is not None
    return make_midi(
        result.rhythm,
        result.clip.duration_s,
        notes=take.notes,
        sections=take.sections,
        chords=take.chords,
        accents=_marks(accents),
    )


def _sheet(result: DanceMusic, accents: Accents) -> BeatSheet:
    sections = () if result.take is None else result.take.sections
    return BeatSheet(
        result.rhythm,
        result.clip.duration_s,
        accents=_marks(accents),
        sections=tuple(Named(start_s, name) for start_s, name in sections),
        clip=result.clip,
    )


def _write_stems(result: DanceMusic, folder: Path, stem: str) -> dict[str, Path]:
    """All lowered alike where one has no room, so that they still add up; one after the other."""
    assert result.take is not None
    folder.mkdir(parents=True, exist_ok=True)
    loudest = max(1.0, *map(_peak, result.take.stems.values()))
    written = {}
    for name, wave in result.take.stems.items():
        wave = fit_length(wave, result.clip.duration_s)
        if loudest > 1:
            wave = replace(wave, samples=wave.samples / loudest)
        written[name] = save_audio(wave, folder / f"{stem}_{name}.wav")
    return written


def _peak(wave: Waveform) -> float:
    """How far a sound goes, found without a copy of it."""
    return max(float(wave.samples.max()), -float(wave.samples.min()))
