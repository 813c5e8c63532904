"""Score Dance Music: how well any music keeps time with a dance."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io, ui

from ..d2m_core.media import to_stereo
from ..d2m_core.motion import dance_accents
from ..d2m_core.pictures import rhythm_picture
from ..d2m_core.scores import describe_score, score_music
from ..d2m_core.types import Waveform
from . import host
from .sockets import CATEGORY, ClipPoses, ClipRhythm, Poses, RhythmSocket, to_image
from .sound_socket import each, from_audio
from .worker import in_worker


class ScoreMusic(io.ComfyNode):
    """Figures and a picture of music against a dance."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="D2M_ScoreMusic",
            display_name="Score Dance Music",
            category=CATEGORY,
            **host.found_by("beat sync", "evaluate", "metrics", "score"),
            description="Measures how well any music meets a dance, each figure with what chance "
            "would reach.",
            inputs=[
                io.Audio.Input("audio", tooltip="Any music, from the clip's start."),
                RhythmSocket.Input("rhythm", tooltip="The dance's rhythm."),
                Poses.Input(
                    "poses", optional=True, tooltip="The dancer: adds accents as seen, and beat alignment."
                ),
            ],
            outputs=[
                io.String.Output("report", display_name="report", tooltip="All figures, one a line."),
                io.Image.Output(
                    "picture",
                    display_name="picture",
                    tooltip="The dance's beats over the music, the music's beats above.",
                ),
                io.Float.Output(
                    "beat_f",
                    display_name="beat F",
                    tooltip="Beats of the dance and the music that meet, 0 to 1; the first sound's.",
                ),
            ],
            is_output_node=True,
        )

    @classmethod
    def execute(cls, audio: Any, rhythm: ClipRhythm, poses: ClipPoses | None = None) -> io.NodeOutput:
        waves = each(to_stereo(from_audio(audio)))
        scored = [in_worker(lambda _tick, wave=wave: _score(wave, rhythm, poses)) for wave in waves]
        report = "\n\n".join(text for text, _picture, _f in scored)
        pictures = torch.cat([picture for _text, picture, _f in scored])
        shown = ui.PreviewImage(pictures, cls=cls).as_dict() | ui.PreviewText(report).as_dict()
        return io.NodeOutput(report, pictures, scored[0][2], ui=shown)


def _score(wave: Waveform, rhythm: ClipRhythm, poses: ClipPoses | None) -> tuple[str, torch.Tensor, float]:
    seen = None if poses is None else poses.poses
    score = score_music(wave, rhythm.rhythm, seen, rhythm.duration_s)
    first = score.scores[0]
    title = f"Music against the dance: {score.meeting} (other phases {first.chance:.2f})"
    picture = rhythm_picture(
        rhythm.rhythm,
        wave,
        score.music.beats_s,
        title,
        None if seen is None else dance_accents(seen),
        truth_label="music's beats",
    )
    return describe_score(score), to_image(picture), score.beat_f
