"""Dance Rhythm and Rhythm from Audio: when beats fall, to be seen before any music is made."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from comfy_api.latest import io, ui

from ..d2m_core.errors import D2MError
from ..d2m_core.grid import TEMPO_RANGE_BPM, check_tempo
from ..d2m_core.media import own_sound, to_mono, to_stereo
from ..d2m_core.motion import dance_accents, dance_motion
from ..d2m_core.rhythm import (
    BEATS_FROM,
    EARS,
    OURS,
    double,
    ear_of,
    find_rhythm,
    halve,
    load_rhythm,
    rhythm_from_audio,
    scale_energy,
    shift,
)
from ..d2m_core.types import Progress, Rhythm, Waveform
from ..d2m_core.weights import default_weights
from . import host
from .checks import answer, not_offered, refuse, said_by
from .rhythm_inputs import energy_input, shift_input
from .rhythm_outputs import how_sure, rhythm_facts, rhythm_outputs, rhythm_texts, rhythm_words, text_outputs
from .sockets import CATEGORY, ClipPoses, ClipRhythm, Poses
from .sound_socket import each, from_audio, sound_in
from .worker import in_worker, part_progress

GRIDS = {"as found": None, "half": halve, "double": double}
"""Edits of the beat grid."""


def tempo_input() -> io.Float.Input:
    """A tempo to keep to, or 0."""
    return io.Float.Input(
        "tempo_bpm",
        default=0.0,
        min=0.0,
        max=TEMPO_RANGE_BPM[1],
        step=0.1,
        tooltip=f"A fixed tempo, {TEMPO_RANGE_BPM[0]:g} to {TEMPO_RANGE_BPM[1]:g}; 0 finds it.",
    )


def wrong_tempo(tempo_bpm: float | None) -> str | None:
    """What is wrong with the input of `tempo_input`."""
    return said_by(check_tempo, TEMPO_RANGE_BPM[0] if tempo_bpm == 0 else tempo_bpm)


class DanceRhythm(io.ComfyNode):
    """Reads beats and accents from poses, with the edits a musician would want."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="D2M_DanceRhythm",
            display_name="Dance Rhythm",
            category=CATEGORY,
            **host.found_by("beat", "bpm", "tempo", "metronome", "dance", "choreography", "beat tracking"),
            **host.keeps_preview(),
            description="Finds when the dancer's beats fall and how strong the movement is.",
            inputs=[
                Poses.Input("poses", tooltip="The dancer to read the rhythm from."),
                tempo_input(),
                io.Combo.Input(
                    "grid",
                    options=list(GRIDS),
                    default="as found",
                    tooltip="Half or double the number of beats.",
                ),
                shift_input("nudge_ms"),
                energy_input(),
                *_beats_inputs(),
            ],
            outputs=[*rhythm_outputs(), *text_outputs()],
        )

    @classmethod
    def execute(
        cls,
        poses: ClipPoses,
        tempo_bpm: float,
        grid: str,
        nudge_ms: float,
        energy: float,
        audio: Any = None,
        beats_from: str = BEATS_FROM[0],
    ) -> io.NodeOutput:
        refuse(cls.validate_inputs(tempo_bpm, grid, beats_from))

        def read(on_progress: Progress) -> tuple:
            net = load_rhythm(default_weights("rhythm"))
            found = find_rhythm(
                dance_motion(poses.poses),
                net,
                None if beats_from == BEATS_FROM[0] else _sound_of(poses, audio),
                beats_from,
                tempo_bpm or None,
                poses=poses.poses,
                on_progress=on_progress,
            )
            found = replace(found, rhythm=_edited(found.rhythm, grid, nudge_ms, energy))
            clip = ClipRhythm(found.rhythm, poses.duration_s)
            facts = rhythm_facts(clip, "Dance rhythm", dance_accents(poses.poses))
            return (*facts, *rhythm_texts(found.rhythm)), rhythm_words(found.rhythm, found.notices)

        facts, words = in_worker(read)
        shown = ui.PreviewImage(facts[1], cls=cls).as_dict() | ui.PreviewText(words).as_dict()
        return io.NodeOutput(*facts, ui=shown)

    @classmethod
    def validate_inputs(
        cls, tempo_bpm: float | None = None, grid: str | None = None, beats_from: str | None = None
    ) -> bool | str:
        return answer(
            not_offered("Grid", grid, GRIDS),
            wrong_tempo(tempo_bpm),
            not_offered("Beats from", beats_from, BEATS_FROM),
        )

    @classmethod
    def fingerprint_inputs(cls, **_inputs: Any) -> str:
        try:
            return host.file_stamp(default_weights("rhythm"))
        except D2MError:
            return "missing"  # the run says so


def _beats_inputs() -> list[Any]:
    """Whose beats they are; they came later, so they stand at the node's end and may be missing."""
    return [
        io.Audio.Input(
            "audio",
            optional=True,
            tooltip="The clip's own sound, where beats come from it; else it is taken from the video.",
        ),
        io.Combo.Input(
            "beats_from",
            options=list(BEATS_FROM),
            default=BEATS_FROM[0],
            optional=True,
            display_name="beats from",
            tooltip="dance: read from the movement. sound: heard in the clip's own sound. both: heard, but "
            "the dance chooses half or double tempo and the bars, and steps in where the sound is unsure.",
        ),
    ]


def _sound_of(poses: ClipPoses, audio: Any) -> Waveform | None:
    """The sound that was connected, or the video's own; None where there is neither."""
    wave = sound_in(audio)
    if wave is not None:
        return to_mono(each(wave)[0])
    return None if poses.clip is None else own_sound(poses.clip)


def _edited(rhythm: Rhythm, grid: str, nudge_ms: float, energy: float) -> Rhythm:
    edit = GRIDS[grid]
    if edit is not None:
        rhythm = edit(rhythm)
    if nudge_ms:
        rhythm = shift(rhythm, nudge_ms / 1000.0)
    return rhythm if energy == 1.0 else scale_energy(rhythm, energy)


class RhythmFromAudio(io.ComfyNode):
    """Reads beats and loudness from music, as the same object that a dance gives."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="D2M_RhythmFromAudio",
            display_name="Rhythm from Audio",
            category=CATEGORY,
            **host.found_by("beat", "bpm", "tempo", "beat tracking", "beat detection", "music"),
            **host.keeps_preview(),
            description="Finds the beats, bars and tempo of any music.",
            inputs=[
                io.Audio.Input("audio", tooltip="Any music; each sound of a batch gets a rhythm."),
                tempo_input(),
                io.Combo.Input(
                    "ear",
                    options=list(EARS),
                    default=OURS,
                    optional=True,
                    tooltip="Who counts the beats: "
                    + "; ".join(f"{n}: {e.about}" for n, e in EARS.items())
                    + ".",
                ),
            ],
            outputs=[*rhythm_outputs(as_list=True), *text_outputs(as_list=True)],
        )

    @classmethod
    def execute(cls, audio: Any, tempo_bpm: float, ear: str = OURS) -> io.NodeOutput:
        refuse(cls.validate_inputs(tempo_bpm, ear))

        def read(on_progress) -> list[tuple]:
            found, waves = [], each(to_stereo(from_audio(audio)))
            for index, wave in enumerate(waves):
                tick = part_progress(on_progress, index, len(waves))
                rhythm = rhythm_from_audio(wave, tempo_bpm or None, tick, ear=ear)
                clip = ClipRhythm(rhythm, wave.duration_s)
                facts = rhythm_facts(clip, "Rhythm of the music", wave=wave)
                found.append((*facts, *rhythm_texts(rhythm)))
            return found

        columns = [list(column) for column in zip(*in_worker(read), strict=True)]
        said = "\n".join(how_sure(clip.rhythm) for clip in columns[0])
        pictures = ui.PreviewImage(torch.cat(columns[1]), cls=cls)
        return io.NodeOutput(*columns, ui=pictures.as_dict() | ui.PreviewText(said).as_dict())

    @classmethod
    def validate_inputs(cls, tempo_bpm: float | None = None, ear: str | None = None) -> bool | str:
        return answer(wrong_tempo(tempo_bpm), said_by(ear_of, ear))
