"""The chain in one function: video -> poses -> motion -> rhythm -> tokens -> audio."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import torch

from .codec import CODECS, Codec, load_codec
from .errors import SettingError
from .grid import check_tempo
from .media import open_clip, save_audio
from .media.kept import never_lost
from .media.mux import VIDEO_FORMATS, mux
from .media.plan import Output, check_own_sound, plan_film, plan_output
from .media.sound import with_own_sound
from .media.sound_file import AUDIO_FORMATS
from .motion import extract_motion
from .music import LoadedModel, SamplingConfig, decode_music, generate_tokens, load_model
from .music.weights import check_codec
from .music.windows import style_index
from .pictures.overlay import OVERLAY_FORMATS
from .pose import estimate_poses, select_dancer
from .rhythm import RhythmNet, load_rhythm, rhythm_from_motion
from .styles import metre_of_style
from .types import MotionFeatures, PoseSequence, Progress, Rhythm, VideoClip, Waveform
from .weights import GONE, default_weights

PICTURE_FORMATS = (".png",)
"""What `save_png` writes, by the end of the file's name."""

StageProgress = Callable[[str, int, int], None]
"""`on_progress(stage, done, total)`; it may raise to cancel."""


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
    """The chosen dancer alone (P = 1)."""
    motion: MotionFeatures
    rhythm: Rhythm
    audio: Waveform
    seconds: dict[str, float] = field(default_factory=dict)
    """Wall-clock seconds per stage."""

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
    tempo_bpm: float | None = None,
    dancer: str | int = "largest",
    people: int = 1,
    pose_model: str = "full",
    model_folder: Path | None = None,
    on_progress: StageProgress | None = None,
) -> DanceMusic:
    """Music in time with the dance in `clip`, exactly as long as the clip.

    `tempo_bpm` locks the tempo; else it is found. A style brings its metre: a waltz has bars of
    three, whatever the dance. `dancer` is `largest`, `most_active` or an index
    among `people`. Raises a `D2MError` for anything the user can mend.
    """
    if tempo_bpm is not None:
        check_tempo(tempo_bpm)
    sampling = sampling or SamplingConfig()
    style_index(sampling.style, models.model.model.config.styles)  # refused before any work
    if not isinstance(clip, VideoClip):
        clip = open_clip(clip)
    seconds: dict[str, float] = {}
    with _timed(seconds, "pose"):
        everyone = estimate_poses(
            clip, pose_model, people, model_folder=model_folder, on_progress=_stage(on_progress, "pose")
        )
    with _timed(seconds, "rhythm"):
        poses = select_dancer(everyone, dancer)
        motion = extract_motion(poses)
        metre = metre_of_style(sampling.style)
        rhythm = rhythm_from_motion(motion, models.rhythm, tempo_bpm, metre)
    loaded = models.model
    with _timed(seconds, "music"):
        tokens = generate_tokens(
            loaded,
            motion,
            rhythm,
            models.codec.spec,
            sampling,
            on_progress=_stage(on_progress, "music"),
            codec=models.codec,
        )
    with _timed(seconds, "decode"):
        progress = _stage(on_progress, "decode")
        audio = decode_music(models.codec, tokens, clip.duration_s, on_progress=progress)
    return DanceMusic(clip, poses, motion, rhythm, audio, seconds)


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


@dataclass(frozen=True)
class Outputs:
    """The files that a run is to write."""

    music: Output
    """The clip with its music, or the music alone, as the name ends."""
    overlay: Output | None = None
    """The clip with the skeletons."""
    picture: Output | None = None
    """Rhythm and music as a picture."""


def plan_outputs(
    clip: VideoClip,
    out: Path | str,
    overlay: Path | str | None = None,
    picture: Path | str | None = None,
    keep_original_audio: float = 0.0,
    recode: str = "auto",
) -> Outputs:
    """What is to be written where; all that its writers would refuse is refused before any work.

    Raises `MediaError` as `plan_output` does, and where there is no own sound to be kept.
    """
    if keep_original_audio:
        check_own_sound(clip)
    music = plan_output(out, (*VIDEO_FORMATS, *AUDIO_FORMATS), source=clip.path)
    if music.path.suffix.lower() in VIDEO_FORMATS:
        music = plan_film(clip, out, recode)
    taken = [music.path]
    wanted = ((overlay, OVERLAY_FORMATS), (picture, PICTURE_FORMATS))
    others: list[Output | None] = []
    for name, endings in wanted:
        others.append(None if name is None else plan_output(name, endings, source=clip.path, taken=taken))
        taken += [] if name is None else [Path(name)]
    return Outputs(music, *others)


def _stage(on_progress: StageProgress | None, stage: str) -> Progress | None:
    if on_progress is None:
        return None
    return lambda done, total: on_progress(stage, done, total)


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[stage] = time.perf_counter() - start
