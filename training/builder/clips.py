"""One clip: sound, poses, gates, rhythm, tokens, training item, and the file that holds them."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from d2m_core.codec import Codec, load_codec
from d2m_core.errors import MediaError, PoseError
from d2m_core.media import fit_length, load_audio, open_clip, resample, to_mono
from d2m_core.motion import extract_motion
from d2m_core.pose import dancer_index, estimate_poses
from d2m_core.rhythm import RhythmNet, load_rhythm, rhythm_from_audio
from d2m_core.types import PoseSequence, Rhythm, Waveform, metre_of_bars
from training.pairs.pair import Facts, Pair
from training.pairs.shards import write_shard
from training.sources import fetch
from training.transformer.encoding import encode_pair
from training.transformer.items import item_bytes

from . import gates
from .cutting import Cut
from .jobs import Job, Seconds, read_poses, takes_given, timed
from .records import Outcome
from .settings import SOUND_RATE, Encoding

_MAX_MISSING_S = 0.5
"""A sound that ends so much before its clip is filled up with silence."""


class _Dropped(Exception):
    """A gate is shut: (reason, detail)."""


def make_clip(job: Job, seconds: Seconds) -> Outcome:
    """Makes a clip and writes its pair into the store, or says why not; times go to `seconds`.

    Raises `ModelError` for weights that are missing and for a MediaPipe that cannot run: that is
    no fault of the clip.
    """
    assert job.piece is not None
    settings = job.context.settings
    try:
        with timed(seconds, "sound"):
            music = _music(job, job.piece)
            _must_pass(gates.heard(music, settings.gates))
        with timed(seconds, "poses"):
            poses, aspect = _poses(job, job.piece)
        with timed(seconds, "motion"):
            motion = extract_motion(poses)
            _must_pass(gates.seen(motion, settings.gates))
    except _Dropped as error:
        return Outcome(*error.args)
    with timed(seconds, "rhythm"):
        rhythm = rhythm_from_audio(music)
    pair = _pair(job, job.piece, music, poses, rhythm, aspect)
    with timed(seconds, "tokens"):
        how = settings.encoding
        net = _net(how.rhythm) if how.rhythm else None
        item = encode_pair(pair, codec_of(how), net, how.straight)
    with timed(seconds, "write"):
        path = job.context.store.pair_path(job.key)
        write_shard(path, [replace(pair, item=item_bytes(item))])
    present = motion.values[:, motion.names.index("present")].mean()
    return Outcome(
        tempo_bpm=rhythm.tempo_bpm,
        confidence=rhythm.confidence,
        present=float(present),
        motion=gates.motion_amount(motion),
        level_db=gates.level_db(music),
        bytes=path.stat().st_size,
    )


def _must_pass(verdict: tuple[str, str]) -> None:
    if verdict[0]:
        raise _Dropped(*verdict)


def _music(job: Job, piece: Cut) -> Waveform:
    """The clip's sound [1, 1 or 2, N] at `SOUND_RATE`, exactly as long as the clip."""
    recording = job.recording
    if recording.music is not None:
        path, start_s = recording.music, recording.music_start_s
    elif recording.video is not None or recording.url:
        path, start_s = fetch(recording, job.context.cache, job.context.options), recording.start_s
        if not open_clip(path).has_audio:
            raise _Dropped(gates.NO_SOUND, "the video has no sound")
    else:
        raise _Dropped(gates.NO_SOUND, "there is no music for these poses")
    try:
        wave = load_audio(path, None, start_s + piece.start_s, piece.seconds)
    except MediaError as error:
        raise _Dropped(gates.NO_SOUND, str(error)) from error
    if wave.duration_s < piece.seconds - _MAX_MISSING_S:
        raise _Dropped(gates.NO_SOUND, f"it ends after {wave.duration_s:.1f} s")
    wave = wave if wave.samples.shape[1] <= 2 else to_mono(wave)
    wave = fit_length(resample(wave, SOUND_RATE), piece.seconds)
    peak = float(wave.samples.abs().max())
    return Waveform(wave.samples / peak, SOUND_RATE) if peak > 1 else wave


def _poses(job: Job, piece: Cut) -> tuple[PoseSequence, float | None]:
    """Everyone in the clip, the lead first, and width over height of the picture if known."""
    recording, how = job.recording, job.context.settings.seeing
    start_s = recording.start_s + piece.start_s
    if takes_given(job):
        found, aspect = _part(read_poses(recording), start_s, piece.seconds), None
    else:
        path = fetch(recording, job.context.cache, job.context.options)
        clip = open_clip(path, start_s, piece.seconds)
        aspect = clip.width / clip.height
        try:
            found = estimate_poses(clip, how.pose_model, how.people, how.fps)
        except PoseError as error:
            raise _Dropped(gates.NOBODY, str(error)) from error
    if not found.present.any():
        raise _Dropped(gates.NOBODY, "the poses are empty")
    return _lead_first(found, how.dancer), aspect


def _part(poses: PoseSequence, start_s: float, seconds: float) -> PoseSequence:
    first, count = round(start_s * poses.fps), max(1, round(seconds * poses.fps))
    if first + count > poses.frames + 1:
        raise _Dropped(gates.NOBODY, f"the poses end after {poses.duration_s:.1f} s")
    return poses.frames_at(slice(first, first + count))


def _lead_first(poses: PoseSequence, dancer: str) -> PoseSequence:
    if poses.people == 1:
        return poses
    lead = dancer_index(poses, dancer)
    return poses.people_at(sorted(range(poses.people), key=lambda p: (p != lead, p)))


def _pair(
    job: Job, piece: Cut, music: Waveform, poses: PoseSequence, rhythm: Rhythm, aspect: float | None
) -> Pair:
    recording = job.recording
    facts = Facts(
        duration_s=piece.seconds,
        style=recording.style,
        tempo_bpm=float(rhythm.tempo_bpm),
        metre=metre_of_bars(rhythm.downbeats),
        beats_s=tuple(rhythm.beats_s.tolist()),
        downbeats=tuple(rhythm.downbeats.tolist()),
        people=int(poses.present.any(axis=0).sum()),
        camera=(recording.camera,) if recording.camera else (),
        aspect=aspect,
        sources=(recording.source,),
        made_by=f"{recording.source}: {recording.name} from {piece.start_s:g} s",
    )
    return Pair(job.key, facts, music=music, seen=poses, curves=rhythm.curves)


@lru_cache(maxsize=1)
def codec_of(how: Encoding) -> Codec:
    """The codec that the settings name."""
    return load_codec(how.codec, bandwidth=how.bandwidth or None)


@lru_cache(maxsize=1)
def _net(path: str) -> RhythmNet:
    return load_rhythm(path)
