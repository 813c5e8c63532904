"""The first half of the chain: who dances, and the rhythm of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from ..band import BandTake
from ..heap import give_back
from ..media import open_clip, own_sound
from ..motion import dance_motion
from ..notices import Notice
from ..pose import Dancer, events, find_dancers, followed, kept_poses, pose_model, repair_poses, select_dancer
from ..rhythm import RhythmNet, as_asked, find_rhythm
from ..settings import DanceSettings, PeopleSettings, PoseRepair, SamplingConfig
from ..styles import metre_of_style
from ..types import MOTION_FPS, MotionFeatures, PoseSequence, Progress, Rhythm, VideoClip, Waveform

_SILENCE = Waveform(torch.zeros(1, 1, 1), 48_000)

StageProgress = Callable[[str, int, int], None]
"""`on_progress(stage, done, total)`; it may raise to cancel."""


@dataclass(frozen=True, eq=False)
class DanceMusic:
    """What `dance_to_music` found and made, stage by stage."""

    clip: VideoClip
    poses: PoseSequence
    """The chosen dancer alone (P = 1), or all whose dance is blended."""
    motion: MotionFeatures
    rhythm: Rhythm
    audio: Waveform
    seconds: dict[str, float] = field(default_factory=dict)
    """Wall-clock seconds per stage."""
    everyone: PoseSequence | None = None
    """All who were looked for and found; None where nobody else was."""
    settings: DanceSettings = field(default_factory=DanceSettings)
    """What was asked for."""
    take: BandTake | None = None
    """What the band played, where it did."""
    notices: tuple[Notice, ...] = ()
    """What is doubtful about it, and what to do."""
    added_s: float = 0.0
    """How much later in the music, and in `rhythm`, the clip begins: bars were added in front."""

    @property
    def style(self) -> str | None:
        """What is played; None where the model chose, who does not tell."""
        return self.settings.sampling.style if self.take is None else self.take.plan.style

    @property
    def real_time_factor(self) -> float:
        """Seconds of work per second of clip; below 1 is faster than real time."""
        return sum(self.seconds.values()) / self.clip.duration_s


def read_dance(
    clip: VideoClip | Path | str,
    net: RhythmNet,
    asked: DanceSettings,
    model_folder: Path | None,
    keep_poses: bool,
    on_progress: StageProgress | None,
) -> DanceMusic:
    """The dance of a clip and its rhythm, without music as yet."""
    if not isinstance(clip, VideoClip):
        clip = open_clip(clip)
    seconds: dict[str, float] = {}
    who, style = asked.people, asked.sampling.style
    with timed(seconds, "pose"):
        everyone = _find(clip, who, model_folder, keep_poses, stage(on_progress, "pose"))
        give_back()  # of the pose models, before music needs memory
    with timed(seconds, "rhythm"):
        poses = _repaired(select_dancer(everyone, who.dancer), asked.edits.repairs)
        motion = dance_motion(poses)
        metre = asked.rhythm.metre or metre_of_style(style)
        beats_from = asked.rhythm.beats_from
        found = find_rhythm(
            motion,
            net,
            None if beats_from == "dance" else own_sound(clip),
            beats_from,
            asked.rhythm.tempo_bpm,
            metre,
            poses=poses,
            on_progress=stage(on_progress, "rhythm"),
        )
        found = replace(found, rhythm=as_asked(found.rhythm, asked.rhythm))
    notices = (*found.notices, *_happenings(everyone, who.dancer))
    return DanceMusic(clip, poses, motion, found.rhythm, _SILENCE, seconds, everyone, asked, notices=notices)


def _find(
    clip: VideoClip, who: PeopleSettings, model_folder: Path | None, keep: bool, on_progress: Progress | None
) -> PoseSequence:
    """Everybody in the clip; with `keep` as found before, where all is the same.

    Only who is followed is read in every frame.
    """

    def find() -> PoseSequence:
        return find_dancers(
            clip,
            who.dancer,
            who.pose_model,
            who.people,
            model_folder=model_folder,
            only_followed=True,
            on_progress=on_progress,
        )

    if not keep:
        return find()
    asked = {"people": who.people, "dancer": repr(who.dancer), "fps": MOTION_FPS}
    bundle = pose_model(who.pose_model, model_folder)
    return kept_poses(find, clip, bundle, asked)


def _repaired(poses: PoseSequence, repairs: Iterable[PoseRepair]) -> PoseSequence:
    for each in repairs:
        poses = repair_poses(poses, [each.span], each.method, each.part)
    return poses


def _happenings(everyone: PoseSequence, dancer: Dancer) -> list[Notice]:
    """What happens to whom the music follows, but for cuts: films have many."""
    found = events(everyone, followed(everyone, dancer))
    return [Notice(event.start_s, event.text, event.kind) for event in found if event.kind != "cut"]


def asked_of(
    settings: DanceSettings,
    sampling: SamplingConfig | None,
    tempo_bpm: float | None,
    dancer: Dancer | None,
    people: int | None,
    pose_model: str | None,
) -> DanceSettings:
    """The settings, with what was given beside them in its place."""

    def given(**values: Any) -> dict[str, Any]:
        return {name: value for name, value in values.items() if value is not None}

    return replace(
        settings,
        people=replace(settings.people, **given(dancer=dancer, people=people, pose_model=pose_model)),
        rhythm=replace(settings.rhythm, **given(tempo_bpm=tempo_bpm)),
        sampling=sampling or settings.sampling,
    )


def stage(on_progress: StageProgress | None, stage: str) -> Progress | None:
    if on_progress is None:
        return None
    return lambda done, total: on_progress(stage, done, total)


@contextmanager
def timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[stage] = seconds.get(stage, 0.0) + time.perf_counter() - start
