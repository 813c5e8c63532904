"""The chain in one function: video -> poses -> motion -> rhythm -> tokens -> audio."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from .band import PLAYERS, BandTake, play_band
from .codec import CODECS, Codec, load_codec
from .errors import SettingError
from .mastering import master_music
from .media import fit_length, open_clip, own_sound, save_audio
from .media.kept import never_lost
from .media.mux import VIDEO_FORMATS, mux
from .media.sound import with_own_sound
from .motion import dance_motion
from .music import (
    LoadedModel,
    SamplingConfig,
    decode_music,
    generate_tokens,
    load_model,
    prepare,
    stream_music,
)
from .music.weights import check_codec
from .music.windows import style_index
from .notices import Notice
from .pose import Dancer, events, find_dancers, followed, kept_poses, pose_model, select_dancer
from .rhythm import RhythmNet, as_asked, find_rhythm, load_rhythm
from .settings import ANY, DanceSettings, PeopleSettings
from .styles import metre_of_style
from .types import MOTION_FPS, MotionFeatures, PoseSequence, Progress, Rhythm, VideoClip, Waveform
from .weights import GONE, default_weights

_SILENCE = Waveform(torch.zeros(1, 1, 1), 48_000)

StageProgress = Callable[[str, int, int], None]
"""`on_progress(stage, done, total)`; it may raise to cancel."""

Listen = Callable[[Iterable[Waveform]], Waveform]
"""Hears pieces of music as they come, and gives the whole."""


@dataclass(frozen=True, eq=False)
class Models:
    """Everything with weights, loaded once and used for many clips.

    Raises `ModelError` where the codec cannot read what the model writes.
    """

    model: LoadedModel
    rhythm: RhythmNet
    codec: Codec

    def __post_init__(self) -> None:
        check_codec(self.model, self.codec.spec)


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

    @property
    def style(self) -> str | None:
        """What is played; None where the model chose, who does not tell."""
        return self.settings.sampling.style if self.take is None else self.take.plan.style

    @property
    def real_time_factor(self) -> float:
        """Seconds of work per second of clip; below 1 is faster than real time."""
        return sum(self.seconds.values()) / self.clip.duration_s


def best_device(name: str = "auto") -> torch.device:
    """The device called `name`; `auto` takes a GPU where there is one.

    Raises `SettingError` for a device that is not here.
    """
    here = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        name = "cuda" if here else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise SettingError(f"Device is {name!r}; choose auto, cpu, cuda or cuda:1.") from None
    if device.type == "cuda" and (device.index or 0) >= here:
        raise SettingError(f"Device is {name!r}, and there are {here} GPUs here; choose auto.")
    return device


def load_models(
    model: Path | str | None = None,
    codec: Path | str | None = None,
    rhythm: Path | str | None = None,
    device: str = "auto",
) -> Models:
    """Loads transformer, codec and rhythm network; None takes the weights of the project.

    Without `codec` it is the one that the transformer writes for. Raises `ModelError`, also where
    the two do not belong together, and `SettingError` where only the user can know the codec.
    """
    where = best_device(device)
    loaded = load_model(model or default_weights("model"), where)
    name = codec or loaded.spec.name
    if codec is None and name not in {*CODECS, *GONE} and not Path(name).is_dir():
        raise SettingError(
            f"The model writes for codec {name!r}, which does not come with this program; give its "
            "folder with --codec."
        )
    return Models(loaded, load_rhythm(rhythm or default_weights("rhythm")), load_codec(name, where))


def dance_to_music(
    clip: VideoClip | Path | str,
    models: Models,
    sampling: SamplingConfig | None = None,
    *,
    settings: DanceSettings | None = None,
    tempo_bpm: float | None = None,
    dancer: Dancer | None = None,
    people: int | None = None,
    pose_model: str | None = None,
    model_folder: Path | None = None,
    keep_poses: bool = False,
    listen: Listen | None = None,
    on_progress: StageProgress | None = None,
) -> DanceMusic:
    """Music in time with the dance in `clip`, exactly as long as the clip.

    `settings` says all that may be asked for; what else is given takes the place of its part there:
    `tempo_bpm` locks the tempo, `dancer` and `people` say who is followed. A style brings its metre: a
    waltz has bars of three, whatever the dance. With `keep_poses` what was seen in the clip is kept for the
    next time; `listen` (as `music.play`) hears the music while it is written. Raises a `D2MError` for
    anything the user can mend.
    """
    asked = _asked(settings or DanceSettings(), sampling, tempo_bpm, dancer, people, pose_model)
    style_index(asked.sampling.style, models.model.model.config.styles)  # refused before any work
    ahead = threading.Thread(target=prepare, daemon=True)  # it is over when music is to be written
    ahead.start()
    dance = _read(clip, models.rhythm, asked, model_folder, keep_poses, on_progress)
    with _timed(dance.seconds, "music"):
        ahead.join()
    write = _write if listen is None else partial(_write_aloud, listen)
    audio = write(dance, models, on_progress)
    return replace(dance, audio=master_music(audio, dance.rhythm, asked.sound))


def _write(dance: DanceMusic, models: Models, on_progress: StageProgress | None) -> Waveform:
    """Music of the model for a dance."""
    sampling, codec = dance.settings.sampling, models.codec
    with _timed(dance.seconds, "music"):
        progress = _stage(on_progress, "music")
        tokens = generate_tokens(
            models.model, dance.motion, dance.rhythm, codec.spec, sampling, progress, codec=codec
        )
    with _timed(dance.seconds, "decode"):
        progress = _stage(on_progress, "decode")
        return decode_music(codec, tokens, dance.clip.duration_s, on_progress=progress)


def _write_aloud(
    listen: Listen, dance: DanceMusic, models: Models, on_progress: StageProgress | None
) -> Waveform:
    """The same, heard as it comes."""
    progress, sampling = _stage(on_progress, "music"), dance.settings.sampling
    with _timed(dance.seconds, "music"):
        return listen(
            stream_music(
                models.model,
                models.codec,
                dance.motion,
                dance.rhythm,
                sampling,
                dance.clip.duration_s,
                progress,
            )
        )


def band_to_dance(
    clip: VideoClip | Path | str,
    net: RhythmNet,
    settings: DanceSettings | None = None,
    *,
    model_folder: Path | None = None,
    keep_poses: bool = False,
    listen: Listen | None = None,
    on_progress: StageProgress | None = None,
) -> DanceMusic:
    """Music that the band plays to the dance in `clip`, stereo, 48 kHz, exactly as long as the clip.

    No transformer writes it: `take` of the result has stems, notes and form too. Raises a `D2MError`.
    """
    asked = settings or DanceSettings()
    band = asked.band
    dance = _read(clip, net, asked, model_folder, keep_poses, on_progress)
    with _timed(dance.seconds, "band"):
        take = play_band(
            dance.rhythm,
            dance.motion,
            asked.sampling.style or ANY,
            asked.sampling.seed,
            key=band.key,
            intensity=band.intensity,
            players=band.players or PLAYERS,
            humanise=band.humanise,
            on_progress=_stage(on_progress, "band"),
        )
        audio = fit_length(take.mix, dance.clip.duration_s)
        audio = master_music(audio, dance.rhythm, asked.sound)
    if listen is not None:
        listen([audio])
    return replace(dance, audio=audio, take=take)


def _read(
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
    with _timed(seconds, "pose"):
        everyone = _find(clip, who, model_folder, keep_poses, _stage(on_progress, "pose"))
    with _timed(seconds, "rhythm"):
        poses = select_dancer(everyone, who.dancer)
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
            on_progress=_stage(on_progress, "rhythm"),
        )
        found = replace(found, rhythm=as_asked(found.rhythm, asked.rhythm))
    notices = (*found.notices, *_happenings(everyone, who.dancer))
    return DanceMusic(clip, poses, motion, found.rhythm, _SILENCE, seconds, everyone, asked, notices=notices)


def _find(
    clip: VideoClip, who: PeopleSettings, model_folder: Path | None, keep: bool, on_progress: Progress | None
) -> PoseSequence:
    """Everybody in the clip; with `keep` as found before, where all is the same."""

    def find() -> PoseSequence:
        return find_dancers(
            clip, who.dancer, who.pose_model, who.people, model_folder=model_folder, on_progress=on_progress
        )

    if not keep:
        return find()
    asked = {"people": who.people, "dancer": repr(who.dancer) if who.people else "", "fps": MOTION_FPS}
    bundle = pose_model(who.pose_model, model_folder)
    return kept_poses(find, clip, bundle, asked)


def _happenings(everyone: PoseSequence, dancer: Dancer) -> list[Notice]:
    """What happens to whom the music follows, but for cuts: films have many."""
    found = events(everyone, followed(everyone, dancer))
    return [Notice(event.start_s, event.text, event.kind) for event in found if event.kind != "cut"]


def _asked(
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


def write_result(
    result: DanceMusic,
    out: Path | str,
    keep_original_audio: float = 0.0,
    metadata: dict[str, str] | None = None,
    recode: str = "auto",
) -> Path:
    """Writes the clip with its music (video suffix) or the music alone (audio suffix) to `out`.

    `keep_original_audio` is the gain of the clip's own sound under the music, 0..1; `recode` is one
    of `RECODE`. Where `out` cannot be written the music is kept, and the `MediaError` says where.
    """
    out = Path(out)
    audio = result.audio
    with never_lost(audio, out):
        if out.suffix.lower() in VIDEO_FORMATS:
            return mux(result.clip, audio, out, keep_original_audio, recode=recode)
        if keep_original_audio:
            mixed = with_own_sound(audio, result.clip, keep_original_audio)
            return save_audio(mixed, out, metadata)
        return save_audio(audio, out, metadata)


def _stage(on_progress: StageProgress | None, stage: str) -> Progress | None:
    if on_progress is None:
        return None
    return lambda done, total: on_progress(stage, done, total)


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[stage] = seconds.get(stage, 0.0) + time.perf_counter() - start
