"""Continue / Extend Music: goes on from music that is there, over a longer rhythm."""

from __future__ import annotations

from dataclasses import replace

from comfy_api.latest import io

from ..d2m_core.music import LoadedModel, beginning, generate_tokens
from ..d2m_core.rhythm import lengthened
from . import host
from .checks import answer, refuse, too_small
from .preview import heard_on_page
from .sampler import DEFAULTS, motion_of, sampling_inputs, sampling_of, style_input, together, wrong_style
from .sockets import CATEGORY, ClipPoses, ClipRhythm, ClipTokens, Model, RhythmSocket, Tokens
from .worker import part_progress

_LONGEST_S = 86400.0


class ContinueMusic(io.ComfyNode):
    """Keeps the start of some music and writes the rest."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="D2M_Continue",
            display_name="Continue / Extend Music",
            category=CATEGORY,
            **host.found_by("extend", "longer", "outpaint", "loop", "music"),
            description="Goes on from given music, or writes its end anew, over a rhythm that it "
            "makes longer where you ask for more.",
            inputs=[
                Model.Input("model", tooltip="From Load Dance2Music Model."),
                Tokens.Input("tokens", tooltip="Music to go on from: of a sampler, or of EnCodec Encode."),
                RhythmSocket.Input("rhythm", tooltip="The beats to play on, from the start."),
                io.Float.Input(
                    "keep_s",
                    default=0.0,
                    min=0.0,
                    max=_LONGEST_S,
                    step=0.01,
                    tooltip="Seconds of the music to keep; what follows is written. 0 keeps all.",
                ),
                io.Float.Input(
                    "length_s",
                    default=0.0,
                    min=0.0,
                    max=_LONGEST_S,
                    step=0.01,
                    tooltip="Length of the result in seconds; 0 is as long as the rhythm. Past its "
                    "end the rhythm goes on at the tempo it has there.",
                ),
                *sampling_inputs(),
                style_input(),
            ],
            outputs=[
                Tokens.Output("continued", display_name="tokens", tooltip="The whole piece, start included."),
                RhythmSocket.Output(
                    "longer_rhythm", display_name="rhythm", tooltip="The rhythm as long as it."
                ),
            ],
        )

    @classmethod
    def execute(
        cls,
        model: host.Held[LoadedModel],
        tokens: ClipTokens,
        rhythm: ClipRhythm,
        keep_s: float,
        length_s: float,
        style: str,
        seed: int,
        temperature: float,
        top_k: int,
        top_p: float,
        guidance: float,
        poses: ClipPoses | None = None,
        style_guidance: float = DEFAULTS.style_guidance,
    ) -> io.NodeOutput:
        refuse(answer(wrong_style(style), too_small("keep_s", keep_s, 0)))
        duration_s = length_s or rhythm.duration_s
        longer = lengthened(rhythm.rhythm, duration_s) if length_s else rhythm.rhythm
        start = beginning(tokens.tokens, min(keep_s, tokens.duration_s) if keep_s else tokens.duration_s)
        motion = motion_of(poses)
        loaded, report = model.ready(), host.progress()
        takes, count = [], len(tokens.tokens.codes)
        with heard_on_page(loaded.spec.name, duration_s) as heard:
            for take in range(count):
                config = sampling_of(seed + take, temperature, top_k, top_p, guidance, style, style_guidance)
                known = replace(start, codes=start.codes[take : take + 1])
                takes.append(
                    generate_tokens(
                        loaded,
                        motion,
                        longer,
                        loaded.spec,
                        config,
                        part_progress(report, take, count),
                        duration_s=duration_s,
                        known=known,
                        on_tokens=None if take else heard,
                    )
                )
        return io.NodeOutput(ClipTokens(together(takes), duration_s, longer), ClipRhythm(longer, duration_s))

    @classmethod
    def validate_inputs(cls, style: str | None = None) -> bool | str:
        return answer(wrong_style(style))
