"""The chain in one function: video -> poses -> motion -> rhythm -> tokens -> audio."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

from ..band import PLAYERS, Materials, play_band
from ..heap import give_back
from ..mastering import master_music
from ..media import fit_length, load_audio
from ..music import (
    Edited,
    SamplingConfig,
    decode_music,
    extend_left,
    extend_right,
    generate_tokens,
    music_from_sound,
    prepare,
    repaint,
    stream_music,
)
from ..music.windows import style_index
from ..pose import Dancer
from ..rhythm import RhythmNet
from ..settings import ANY, EDIT_CANDIDATES, DanceSettings
from ..spans import in_seconds
from ..types import AudioTokens, VideoClip, Waveform
from .models import Models
from .reading import DanceMusic, StageProgress, asked_of, read_dance, stage, timed

Listen = Callable[[Iterable[Waveform]], Waveform]
"""Hears pieces of music as they come, and gives the whole."""


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
    """Music in time with the dance in `clip`, exactly as long as the clip, and any bars that are to be added.

    `settings` says all that may be asked for; what else is given takes the place of its part there:
    `tempo_bpm` locks the tempo, `dancer` and `people` say who is followed. A style brings its metre: a
    waltz has bars of three, whatever the dance. With `keep_poses` what was seen in the clip is kept for the
    next time; `listen` (as `music.play`) hears the music while it is written. Raises a `D2MError` for
    anything the user can mend.
    """
    asked = asked_of(settings or DanceSettings(), sampling, tempo_bpm, dancer, people, pose_model)
    style_index(asked.sampling.style, models.model.model.config.styles)  # refused before any work
    ahead = threading.Thread(target=prepare, daemon=True)  # it is over when music is to be written
    ahead.start()
    dance = read_dance(clip, models.rhythm, asked, model_folder, keep_poses, on_progress)
    with timed(dance.seconds, "music"):
        ahead.join()
    write = _write if listen is None else partial(_write_aloud, listen)
    made = write(dance, models, on_progress)
    mastered = replace(made, audio=master_music(made.audio, made.rhythm, asked.sound))
    give_back()  # before the next dance is looked at
    return mastered


def _write(dance: DanceMusic, models: Models, on_progress: StageProgress | None) -> DanceMusic:
    """The dance with the model's music."""
    sampling, codec = dance.settings.sampling, models.codec
    with timed(dance.seconds, "music"):
        piece = _longer(_tokens(dance, models, sampling, on_progress), dance, models, on_progress)
    with timed(dance.seconds, "decode"):
        progress = stage(on_progress, "decode")
        finish = dance.settings.sound.finish
        audio = decode_music(codec, piece.tokens, piece.duration_s, progress, finish=finish)
    return replace(dance, audio=audio, rhythm=piece.rhythm, added_s=piece.added_s)


def _tokens(
    dance: DanceMusic, models: Models, sampling: SamplingConfig, on_progress: StageProgress | None
) -> AudioTokens:
    """What the model writes, with what was asked to be edited."""
    edits, codec, duration_s = dance.settings.edits, models.codec, dance.clip.duration_s
    progress = stage(on_progress, "music")
    if edits.start is None:
        tokens = generate_tokens(
            models.model, dance.motion, dance.rhythm, codec.spec, sampling, progress, codec=codec
        )
    else:
        sound, use = load_audio(edits.start), edits.start_use
        tokens = music_from_sound(
            models.model, codec, sound, dance.motion, dance.rhythm, sampling, progress, use=use
        )
    progress = stage(on_progress, "repaint")
    for number, asked in enumerate(edits.repaints, 1):
        seed = sampling.seed + number if asked.seed is None else asked.seed
        config = replace(sampling, seed=seed % 2**64, candidates=max(EDIT_CANDIDATES, sampling.candidates))
        span = in_seconds(asked.span, duration_s, dance.rhythm)
        tokens = repaint(
            models.model,
            tokens,
            [span],
            dance.rhythm,
            config,
            progress,
            motion=dance.motion,
            duration_s=duration_s,
            likeness=edits.likeness,
            codec=codec,
        ).tokens
    return tokens


def _longer(
    tokens: AudioTokens, dance: DanceMusic, models: Models, on_progress: StageProgress | None
) -> Edited:
    """The music with the bars that were asked for behind it, and then in front."""
    edits, sampling = dance.settings.edits, dance.settings.sampling
    piece = Edited(tokens, dance.rhythm, dance.clip.duration_s, (), ())
    for extend, bars in ((extend_right, edits.bars_after), (extend_left, edits.bars_before)):
        if bars:
            piece = extend(
                models.model,
                piece.tokens,
                bars,
                piece.rhythm,
                replace(sampling, candidates=max(EDIT_CANDIDATES, sampling.candidates)),
                stage(on_progress, "extend"),
                motion=dance.motion,
                duration_s=piece.duration_s,
                likeness=edits.likeness,
            )
    return piece


def _write_aloud(
    listen: Listen, dance: DanceMusic, models: Models, on_progress: StageProgress | None
) -> DanceMusic:
    """The same, heard as it comes."""
    progress, sampling = stage(on_progress, "music"), dance.settings.sampling
    with timed(dance.seconds, "music"):
        heard = listen(
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
    return replace(dance, audio=heard)


def band_to_dance(
    clip: VideoClip | Path | str,
    net: RhythmNet,
    settings: DanceSettings | None = None,
    *,
    instruments: Materials | None = None,
    stems: bool = True,
    model_folder: Path | None = None,
    keep_poses: bool = False,
    listen: Listen | None = None,
    on_progress: StageProgress | None = None,
) -> DanceMusic:
    """Music that the band plays to the dance in `clip`, stereo, 48 kHz, exactly as long as the clip.

    No transformer writes it: `take` of the result has stems, notes and form too. `instruments` None plays
    what is installed. Without `stems` there are none, and a sixth of the memory is needed for music. Raises
    a `D2MError`.
    """
    asked = settings or DanceSettings()
    band = asked.band
    dance = read_dance(clip, net, asked, model_folder, keep_poses, on_progress)
    with timed(dance.seconds, "band"):
        take = play_band(
            dance.rhythm,
            dance.motion,
            asked.sampling.style or ANY,
            asked.sampling.seed,
            key=band.key,
            intensity=band.intensity,
            players=band.players or PLAYERS,
            humanise=band.humanise,
            instruments=instruments,
            on_progress=stage(on_progress, "band"),
            stems=stems,
        )
        audio = fit_length(take.mix, dance.clip.duration_s)  # an ending and levels of its own
    if listen is not None:
        listen([audio])
    return replace(dance, audio=audio, take=replace(take, mix=audio))
