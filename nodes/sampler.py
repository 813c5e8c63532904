"""Load Dance2Music Model and Dance2Music Sampler: music tokens for a dance's rhythm."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from comfy_api.latest import io

from ..d2m_core.codec import Codec
from ..d2m_core.errors import SettingError
from ..d2m_core.motion import dance_motion
from ..d2m_core.music import (
    START_USES,
    LoadedModel,
    OnTokens,
    SamplingConfig,
    generate_tokens,
    load_model,
    music_from_sound,
    prepare,
)
from ..d2m_core.styles import STYLES
from ..d2m_core.types import AudioTokens, MotionFeatures, Progress, Waveform
from ..d2m_core.weights import default_weights
from . import host
from .checks import answer, never_the_same, not_offered, refuse, said_by, too_small
from .encodec import codec_for
from .preview import heard_on_page
from .sockets import (
    CATEGORY,
    ClipPoses,
    ClipRhythm,
    ClipTokens,
    CodecSocket,
    Model,
    Poses,
    RhythmSocket,
    Tokens,
)
from .sound_socket import each, sound_in
from .worker import in_worker, part_progress

EMBEDDED = "embedded"
"""The model that comes with the pack."""

ANY_STYLE = "any"
"""Lets the model choose."""


class LoadModel(io.ComfyNode):
    """Loads a transformer that writes music."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="D2M_LoadModel",
            display_name="Load Dance2Music Model",
            category=CATEGORY,
            **host.found_by("music model", "checkpoint", "transformer", "dance to music"),
            description="Loads the model that writes the music: the embedded one, or a "
            ".safetensors file of models/dance2music.",
            inputs=[
                io.Combo.Input(
                    "model_name",
                    options=[EMBEDDED, *host.model_files()],
                    default=EMBEDDED,
                    tooltip=f"{EMBEDDED} comes with the pack; others lie in models/dance2music.",
                )
            ],
            outputs=[Model.Output("model", display_name="model", tooltip="For Dance2Music Sampler.")],
        )

    @classmethod
    def execute(cls, model_name: str) -> io.NodeOutput:
        path = cls._path(model_name)
        in_worker(lambda _tick: prepare())
        loaded = in_worker(lambda _tick: load_model(path))
        return io.NodeOutput(host.hold(loaded, loaded.model))

    @classmethod
    def fingerprint_inputs(cls, model_name: str | None = None) -> str:
        return never_the_same() if model_name is None else host.file_stamp(cls._path(model_name))

    @classmethod
    def validate_inputs(cls, model_name: str | None = None) -> bool | str:
        return answer(said_by(cls._path, model_name))

    @classmethod
    def _path(cls, model_name: str) -> Path:
        return default_weights("model") if model_name == EMBEDDED else host.model_path(model_name)


DEFAULTS = SamplingConfig()
"""What the sampling inputs begin with."""

MOST_TAKES = 16
"""Pieces of music that one run may write, and choose from."""


def known_styles() -> list[str]:
    """What a style may be called: `ANY_STYLE`, the embedded model's, those of the user's own."""
    return [ANY_STYLE, *STYLES, *host.own_styles()]


def seed_input() -> io.Int.Input:
    """Which music of all that is possible."""
    return io.Int.Input(
        "seed",
        default=0,
        min=0,
        max=2**64 - 1,
        control_after_generate=True,
        tooltip="The only source of chance: the same seed gives the same music.",
    )


def sampling_inputs() -> list[Any]:
    """How tokens are drawn: the same for every node that draws some."""
    return [
        io.Combo.Input(
            "style",
            options=known_styles(),
            default=ANY_STYLE,
            tooltip="any lets the model choose. Your own models' styles stand at the end.",
        ),
        seed_input(),
        *_drawing_inputs(),
        io.Float.Input(
            "guidance",
            **host.advanced(io.Float),
            default=DEFAULTS.guidance,
            min=0.0,
            max=10.0,
            step=0.1,
            tooltip="1 follows the dance as trained, more follows it harder.",
        ),
        Poses.Input("poses", optional=True, tooltip="Lets the music follow the movement too."),
    ]


def _drawing_inputs() -> list[Any]:
    """How freely a token is drawn from its likelihoods."""
    return [
        io.Float.Input(
            "temperature",
            **host.advanced(io.Float),
            default=DEFAULTS.temperature,
            min=0.0,
            max=2.0,
            step=0.01,
            tooltip="Low is safe, high is adventurous; 0 takes the likeliest token.",
        ),
        io.Int.Input(
            "top_k",
            **host.advanced(io.Int),
            default=DEFAULTS.top_k,
            min=0,
            max=4096,
            tooltip="Keep the k likeliest tokens; 0 keeps all.",
        ),
        io.Float.Input(
            "top_p",
            **host.advanced(io.Float),
            default=DEFAULTS.top_p,
            min=0.01,
            max=1.0,
            step=0.01,
            tooltip="Keep the likeliest tokens that together reach this probability.",
        ),
    ]


def style_input() -> Any:
    """How hard the style is followed; it came later, so it stands at a node's end."""
    return io.Float.Input(
        "style_guidance",
        **host.advanced(io.Float),
        default=DEFAULTS.style_guidance,
        min=0.0,
        max=10.0,
        step=0.1,
        optional=True,
        tooltip="How far the music leans into its style; 0 plays it as trained.",
    )


def sampling_of(
    seed: int,
    temperature: float,
    top_k: int,
    top_p: float,
    guidance: float,
    style: str,
    style_guidance: float,
    candidates: int = 1,
) -> SamplingConfig:
    """The core's settings of `sampling_inputs`."""
    named = None if style == ANY_STYLE else style
    return SamplingConfig(
        seed % 2**64,
        temperature,
        top_k,
        top_p,
        guidance,
        style=named,
        style_guidance=style_guidance,
        candidates=candidates,
    )


def motion_of(poses: ClipPoses | None) -> MotionFeatures | None:
    """What the dancers do, if there are any."""
    return None if poses is None else in_worker(lambda _tick: dance_motion(poses.poses))


def wrong_style(style: str | None) -> str | None:
    """What is wrong with a style; None if nothing."""
    return not_offered("Style", style, known_styles())


def together(takes: list[AudioTokens]) -> AudioTokens:
    """Takes of one length and one dance as a batch."""
    return replace(takes[0], codes=torch.cat([take.codes for take in takes]))


class Sampler(io.ComfyNode):
    """Writes music on a dance's beats, as codec tokens."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="D2M_Sampler",
            display_name="Dance2Music Sampler",
            category=CATEGORY,
            **host.found_by("music", "video to music", "soundtrack", "generate music", "dance to music"),
            description="Writes music on a rhythm; poses let it follow the dancer too.",
            inputs=[
                Model.Input("model", tooltip="From Load Dance2Music Model."),
                RhythmSocket.Input("rhythm", tooltip="The beats to play on, and how long."),
                *sampling_inputs(),
                io.Int.Input(
                    "batch_size",
                    **host.advanced(io.Int),
                    default=1,
                    min=1,
                    max=MOST_TAKES,
                    optional=True,
                    tooltip="So many takes, with seeds that count up from seed.",
                ),
                io.Int.Input(
                    "candidates",
                    **host.advanced(io.Int),
                    default=1,
                    min=1,
                    max=MOST_TAKES,
                    optional=True,
                    tooltip="Write so many, and keep what meets the rhythm best; needs codec.",
                ),
                CodecSocket.Input(
                    "codec",
                    optional=True,
                    tooltip="Needed to hear which candidate is best; else leave it open.",
                ),
                style_input(),
                *_start_inputs(),
            ],
            outputs=[Tokens.Output("tokens", display_name="tokens", tooltip="For EnCodec Decode.")],
        )

    @classmethod
    def execute(
        cls,
        model: host.Held[LoadedModel],
        rhythm: ClipRhythm,
        style: str,
        seed: int,
        temperature: float,
        top_k: int,
        top_p: float,
        guidance: float,
        poses: ClipPoses | None = None,
        batch_size: int = 1,
        candidates: int = 1,
        codec: host.Held[Codec] | None = None,
        style_guidance: float = DEFAULTS.style_guidance,
        sound: Any = None,
        sound_use: str = START_USES[0],
    ) -> io.NodeOutput:
        refuse(cls.validate_inputs(style, sound_use))
        refuse(answer(too_small("batch_size", batch_size, 1)))
        start = _start_of(sound)
        if codec is None and (candidates > 1 or start is not None):
            why = (
                "a sound is connected, and tokens are to be made of it"
                if start is not None
                else f"candidates is {candidates}, and the best is chosen by its sound"
            )
            raise SettingError(f"{why[0].upper()}{why[1:]}; connect the codec too, or leave that out.")
        motion = motion_of(poses)
        wanted = codec is not None and (candidates > 1 or start is not None)
        ear = codec_for(model.value.spec.name, codec) if wanted else None
        loaded, report = model.ready(), host.progress()

        def write(take: int, tick: Progress, heard: OnTokens | None) -> AudioTokens:
            config = sampling_of(
                seed + take, temperature, top_k, top_p, guidance, style, style_guidance, candidates
            )
            tick = part_progress(tick, take, batch_size)
            if start is not None and ear is not None:
                return music_from_sound(
                    loaded, ear, start, motion, rhythm.rhythm, config, tick, use=sound_use
                )
            return generate_tokens(
                loaded, motion, rhythm.rhythm, loaded.spec, config, tick, codec=ear, on_tokens=heard
            )

        # Listening to candidates takes long between two tokens; else Cancel is looked for at each.
        takes = []
        with heard_on_page(loaded.spec.name, rhythm.duration_s, _not_heard(candidates, start)) as heard:
            for take in range(batch_size):
                if ear is None:
                    takes.append(write(take, report, None if take else heard))
                else:
                    takes.append(in_worker(lambda tick, take=take: write(take, tick, None)))
        return io.NodeOutput(ClipTokens(together(takes), rhythm.duration_s, rhythm.rhythm))

    @classmethod
    def validate_inputs(cls, style: str | None = None, sound_use: str | None = None) -> bool | str:
        return answer(wrong_style(style), not_offered("Use of the sound", sound_use, START_USES))


def _start_inputs() -> list[Any]:
    """A sound to begin from; it came later, so it stands at the node's end."""
    return [
        io.Audio.Input(
            "sound", optional=True, tooltip="Music to begin from, bent to the dance's beats; needs codec."
        ),
        io.Combo.Input(
            "sound_use",
            options=list(START_USES),
            default=START_USES[0],
            optional=True,
            tooltip="before it: the music is written as if the sound had just been heard, and the sound is "
            "cut off. as its beginning: the sound stays, and the music goes on from it.",
        ),
    ]


def _not_heard(candidates: int, start: Waveform | None) -> str:
    """Why this music cannot be heard while it is written; empty where it can."""
    if start is not None:
        return "Music that begins from a sound is heard when it is done."
    return "Which candidate is best is known when all are written." if candidates > 1 else ""


def _start_of(sound: Any) -> Waveform | None:
    """The sound that was connected, the first of a batch."""
    wave = sound_in(sound)
    return None if wave is None else each(wave)[0]
