"""Align Audio to Dance: any music, bent so that its beats meet the dancer's."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io, ui

from ..d2m_core.align import AlignSettings, align_audio, describe
from ..d2m_core.align.align import STARTS
from ..d2m_core.types import Waveform
from . import host
from .checks import answer, said_by
from .sockets import CATEGORY, ClipRhythm, RhythmSocket
from .sound_socket import each, from_audio, to_audio
from .worker import in_worker

DEFAULTS = AlignSettings()


def _bend_inputs() -> list[Any]:
    """How far the music may be bent."""
    return [
        io.Float.Input(
            "strength",
            default=DEFAULTS.strength,
            min=0.0,
            max=1.0,
            step=0.05,
            tooltip="0 sets only the start and one tempo for all of it; 1 meets every "
            "beat, as far as most_bend allows.",
        ),
        io.Float.Input(
            "most_bend",
            **host.advanced(io.Float),
            default=DEFAULTS.most_bend,
            min=0.0,
            max=50.0,
            step=0.5,
            tooltip="How far one beat may play faster or slower than the rest, in percent.",
        ),
        io.Float.Input(
            "most_tempo_change",
            **host.advanced(io.Float),
            default=DEFAULTS.most_tempo_change,
            min=0.0,
            max=50.0,
            step=1.0,
            tooltip="How far the tempo of the whole song may change, in percent. A song "
            "at half or double the dance's tempo counts as equal.",
        ),
    ]


class AlignAudio(io.ComfyNode):
    """Warps music to a dance: start, tempo, then beat by beat."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="D2M_AlignAudio",
            display_name="Align Audio to Dance",
            category=CATEGORY,
            **host.found_by(
                "beat sync", "time stretch", "warp", "beat match", "own song", "sync music to video"
            ),
            **host.keeps_preview(),
            description="Bends any music, pitch kept, so that its beats meet the dancer's. The "
            "result lasts exactly as long as the clip.",
            inputs=[
                io.Audio.Input("audio", tooltip="A song, or music from any other node."),
                RhythmSocket.Input("rhythm", tooltip="When the dancer's beats fall."),
                *_bend_inputs(),
                io.Combo.Input(
                    "start",
                    options=list(STARTS),
                    default=DEFAULTS.start,
                    tooltip="best looks for the part of the song that fits the dance; beginning "
                    "starts as early as possible.",
                ),
                io.Boolean.Input(
                    "loop",
                    default=DEFAULTS.loop,
                    tooltip="Repeats whole bars where the song is shorter than the dance; else "
                    "silence follows.",
                ),
            ],
            outputs=[
                io.Audio.Output("aligned", display_name="audio", tooltip="The music, as long as the clip."),
                io.String.Output(
                    "info", display_name="info", tooltip="How many beats meet, how far it bent."
                ),
            ],
        )

    @classmethod
    def execute(
        cls,
        audio: Any,
        rhythm: ClipRhythm,
        strength: float,
        most_bend: float,
        most_tempo_change: float,
        start: str,
        loop: bool,
    ) -> io.NodeOutput:
        settings = AlignSettings(strength, most_bend, most_tempo_change, start, loop)
        waves, infos = [], []
        for one in each(from_audio(audio)):
            wave, alignment = in_worker(
                lambda tick, one=one: align_audio(
                    one, rhythm.rhythm, settings, duration_s=rhythm.duration_s, on_progress=tick
                )
            )
            waves.append(wave.samples)
            infos.append(describe(alignment))
        info = "\n".join(infos)
        aligned = to_audio(Waveform(torch.cat(waves), wave.sample_rate))
        return io.NodeOutput(aligned, info, ui=ui.PreviewText(info))

    @classmethod
    def validate_inputs(cls, start: str | None = None) -> bool | str:
        return answer(said_by(lambda chosen: AlignSettings(start=chosen), start))
