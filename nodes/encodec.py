"""Load Audio Codec, EnCodec Decode and EnCodec Encode: from tokens to sound and back."""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path
from typing import Any

from comfy_api.latest import io

from ..d2m_core.codec import CODECS, Codec, encode_audio, load_codec
from ..d2m_core.errors import ModelError
from ..d2m_core.mastering import master_music
from ..d2m_core.media import to_stereo
from ..d2m_core.music import decode_music
from ..d2m_core.settings import ENDINGS, MOST_DYNAMICS, SoundSettings
from ..d2m_core.types import Progress, Waveform
from ..d2m_core.weights import EMBEDDED, EMBEDDED_FOLDERS, GONE, weights_folder
from . import host
from .checks import answer, never_the_same, not_offered, refuse, said_by
from .sockets import CATEGORY, ClipTokens, CodecSocket, Tokens
from .sound_socket import from_audio, to_audio
from .worker import in_worker

WEIGHTS = "model.safetensors"

_log = logging.getLogger(__name__)


def codec_choices() -> list[str]:
    """Codecs we know, and those in folders of `models/dance2music`."""
    return list(dict.fromkeys([*CODECS, *sorted(host.codec_folders())]))


def codec_folder(name: str) -> Path | None:
    """Where the codec lies; None for one that only a hub has. Raises `ModelError`."""
    found = host.codec_folders().get(name)
    if name in EMBEDDED_FOLDERS or (name in GONE and found is None):
        return weights_folder(name)
    if found is None and name not in CODECS:
        raise ModelError(
            f"Codec {name} is not in {host.model_folders()[0]}; choose {', '.join(codec_choices())}."
        )
    return found


@cache
def _embedded(name: str) -> host.Held[Codec]:
    codec = load_codec(name)
    return host.hold(codec, codec)


def codec_for(name: str, given: host.Held[Codec]) -> Codec:
    """The codec that tokens of `name` need: the one given, or another that comes with the pack too, so that
    workflows saved with an earlier default go on to work."""
    known = given.value.spec.name
    if name == known or not {name, known} <= EMBEDDED_FOLDERS.keys():
        return given.ready()
    _log.info("Load Audio Codec gave %s, but the music is of %s, which comes with the pack too.", known, name)
    return _embedded(name).ready()


def codec_source(name: str, download: bool = False) -> str | Path:
    """What `load_codec` loads it from. Raises `ModelError` where it is not here and may not be fetched."""
    folder = codec_folder(name)
    if folder is None and not download:
        _check_fetched(name)
    return name if folder is None or name in EMBEDDED_FOLDERS else folder


class LoadCodec(io.ComfyNode):
    """Loads the network that turns tokens into sound."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="D2M_LoadCodec",
            display_name="Load Audio Codec",
            category=CATEGORY,
            **host.found_by("encodec", "codec", "tokens", "vae"),
            description="Loads the codec that turns the model's tokens into sound. It must be the "
            "one that the model was trained with.",
            inputs=[
                io.Combo.Input(
                    "codec_name",
                    options=codec_choices(),
                    default=EMBEDDED,
                    tooltip=f"{EMBEDDED} is the default model's and comes with the pack.",
                ),
                io.Boolean.Input(
                    "download",
                    default=False,
                    tooltip="If a facebook/... codec is not on this machine, fetch it from the "
                    "Hugging Face hub (60 to 240 MB, once).",
                ),
            ],
            outputs=[
                CodecSocket.Output("codec", display_name="codec", tooltip="For EnCodec Decode and Encode.")
            ],
        )

    @classmethod
    def execute(cls, codec_name: str, download: bool) -> io.NodeOutput:
        source = codec_source(codec_name, download)
        codec = in_worker(lambda _tick: load_codec(source))
        return io.NodeOutput(host.hold(codec, codec))

    @classmethod
    def fingerprint_inputs(cls, codec_name: str | None = None, **_more: object) -> str:
        if codec_name is None:
            return never_the_same()
        folder = codec_folder(codec_name)
        return host.file_stamp(folder / WEIGHTS) if folder else codec_name

    @classmethod
    def validate_inputs(cls, codec_name: str | None = None) -> bool | str:
        return answer(said_by(codec_folder, codec_name))


def _check_fetched(name: str) -> None:
    from huggingface_hub import try_to_load_from_cache

    if not isinstance(try_to_load_from_cache(name, WEIGHTS), str):
        raise ModelError(
            f"{WEIGHTS} of codec {name} is not on this machine; switch on 'download' in Load "
            f"Audio Codec, or put it with its config.json from https://huggingface.co/{name} "
            f"into a folder of {host.model_folders()[0]}."
        )


SOUND = SoundSettings()
"""What is done to music where nothing is asked."""


def sound_inputs() -> list[Any]:
    """How music ends, and how loud and quiet it gets; they came later, so they stand at a node's end."""
    return [
        io.Combo.Input(
            "ending",
            options=list(ENDINGS),
            default=SOUND.ending,
            optional=True,
            tooltip="hit: a last hit that rings out; fade; cut: as it goes on, for clips that loop. The "
            "length stays. Only of music that a sampler wrote.",
        ),
        io.Float.Input(
            "dynamics",
            default=SOUND.dynamics,
            min=0.0,
            max=MOST_DYNAMICS,
            step=0.05,
            optional=True,
            tooltip="How far the level follows the dance's energy; 0 leaves it as it is.",
        ),
    ]


class EnCodecDecode(io.ComfyNode):
    """Turns tokens into music that lasts exactly as long as the clip."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="D2M_EnCodecDecode",
            display_name="EnCodec Decode",
            category=CATEGORY,
            **host.found_by("encodec", "tokens to audio", "decode audio"),
            description="Turns music tokens into sound, exactly as long as the clip, with an ending.",
            inputs=[
                Tokens.Input("tokens", tooltip="Music of Dance2Music Sampler."),
                CodecSocket.Input("codec", tooltip="The codec the tokens were made for."),
                *sound_inputs(),
                io.Boolean.Input(
                    "finish",
                    default=True,
                    optional=True,
                    tooltip="Stereo and clear tones, where the codec has a finisher beside its weights; "
                    "off: its own mono sound, a little sooner.",
                ),
            ],
            outputs=[io.Audio.Output("audio", display_name="audio", tooltip="The music, for any node.")],
        )

    @classmethod
    def execute(
        cls,
        tokens: ClipTokens,
        codec: host.Held[Codec],
        ending: str = SOUND.ending,
        dynamics: float = SOUND.dynamics,
        finish: bool = SOUND.finish,
    ) -> io.NodeOutput:
        refuse(cls.validate_inputs(ending))
        ready, asked = codec_for(tokens.tokens.codec.name, codec), SoundSettings(ending, dynamics)

        def decode(tick: Progress) -> Waveform:
            wave = decode_music(ready, tokens.tokens, tokens.duration_s, tick, finish=finish)
            return wave if tokens.rhythm is None else master_music(wave, tokens.rhythm, asked)

        return io.NodeOutput(to_audio(in_worker(decode)))

    @classmethod
    def validate_inputs(cls, ending: str | None = None) -> bool | str:
        return answer(not_offered("Ending", ending, ENDINGS))


class EnCodecEncode(io.ComfyNode):
    """Turns any sound into tokens, to go on from it or to hear what the codec does to it."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="D2M_EnCodecEncode",
            display_name="EnCodec Encode",
            category=CATEGORY,
            **host.found_by("encodec", "audio to tokens", "encode audio"),
            description="Turns any sound into music tokens, mono, for Continue / Extend Music.",
            inputs=[
                io.Audio.Input("audio", tooltip="Any sound; it is mixed to mono."),
                CodecSocket.Input("codec", tooltip="The codec of the model that is to go on."),
            ],
            outputs=[Tokens.Output("tokens", display_name="tokens", tooltip="For Continue / Extend Music.")],
        )

    @classmethod
    def execute(cls, audio: Any, codec: host.Held[Codec]) -> io.NodeOutput:
        wave, ready = to_stereo(from_audio(audio)), codec.ready()
        tokens = in_worker(lambda tick: encode_audio(ready, wave, tick))
        return io.NodeOutput(ClipTokens(tokens, wave.duration_s))
