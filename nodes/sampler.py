"""Load Dance2Music Model and Dance2Music Sampler: music tokens for a dance's rhythm."""

from __future__ import annotations

from pathlib import Path

from comfy_api.latest import io

from ..d2m_core.assets import default_weights
from ..d2m_core.checkpoint import LoadedModel, load_model
from ..d2m_core.config import STYLES, SamplingConfig
from ..d2m_core.errors import D2MError
from ..d2m_core.motion import extract_motion
from ..d2m_core.sampling import generate_tokens
from . import host
from .sockets import CATEGORY, ClipPoses, ClipRhythm, ClipTokens, Model, Poses, RhythmSocket, Tokens

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
            description="Loads the model that writes the music: the embedded one, or a "
            ".safetensors file of models/dance2music.",
            inputs=[
                io.Combo.Input(
                    "model_name", options=[EMBEDDED, *host.model_files()], default=EMBEDDED
                )
            ],
            outputs=[Model.Output("model", display_name="model")],
        )  # fmt: skip

    @classmethod
    def execute(cls, model_name: str) -> io.NodeOutput:
        host.check_interrupt()
        loaded = load_model(cls._path(model_name))
        return io.NodeOutput(host.hold(loaded, loaded.model))

    @classmethod
    def fingerprint_inputs(cls, model_name: str) -> str:
        return host.file_stamp(cls._path(model_name))

    @classmethod
    def validate_inputs(cls, model_name: str = EMBEDDED) -> bool | str:
        try:
            cls._path(model_name)
        except D2MError as error:
            return str(error)
        return True

    @classmethod
    def _path(cls, model_name: str) -> Path:
        return default_weights("model") if model_name == EMBEDDED else host.model_path(model_name)


class Sampler(io.ComfyNode):
    """Writes music on a dance's beats, as codec tokens."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="D2M_Sampler",
            display_name="Dance2Music Sampler",
            category=CATEGORY,
            description="Writes music on a rhythm; poses let it follow the dancer too.",
            inputs=[
                Model.Input("model"),
                RhythmSocket.Input("rhythm"),
                io.Combo.Input(
                    "style", options=[ANY_STYLE, *STYLES], default=ANY_STYLE,
                    tooltip="any lets the model choose.",
                ),
                io.Int.Input(
                    "seed", default=0, min=0, max=2**64 - 1, control_after_generate=True,
                    tooltip="The only source of chance: the same seed gives the same music.",
                ),
                io.Float.Input(
                    "temperature", default=1.0, min=0.0, max=2.0, step=0.01,
                    tooltip="Low is safe, high is adventurous; 0 takes the likeliest token.",
                ),
                io.Int.Input(
                    "top_k", default=200, min=0, max=4096,
                    tooltip="Keep the k likeliest tokens; 0 keeps all.",
                ),
                io.Float.Input(
                    "top_p", default=1.0, min=0.01, max=1.0, step=0.01,
                    tooltip="Keep the likeliest tokens that together reach this probability.",
                ),
                io.Float.Input(
                    "guidance", default=2.0, min=0.0, max=10.0, step=0.1,
                    tooltip="1 follows the dance as trained, more follows it harder.",
                ),
                Poses.Input(
                    "poses", optional=True, tooltip="Lets the music follow the movement too."
                ),
            ],
            outputs=[Tokens.Output("tokens", display_name="tokens")],
        )  # fmt: skip

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
    ) -> io.NodeOutput:
        config = SamplingConfig(
            seed, temperature, top_k, top_p, guidance, None if style == ANY_STYLE else style
        )
        motion = extract_motion(poses.poses) if poses is not None else None
        loaded = model.ready()
        tokens = generate_tokens(
            loaded, motion, rhythm.rhythm, loaded.spec, config, host.progress()
        )
        return io.NodeOutput(ClipTokens(tokens, rhythm.duration_s))

    @classmethod
    def validate_inputs(cls, style: str = ANY_STYLE) -> bool | str:
        if style not in (ANY_STYLE, *STYLES):
            return f"Style is {style!r}; choose {ANY_STYLE}, {', '.join(STYLES)}."
        return True
