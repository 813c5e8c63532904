"""Music that begins from a sound: gone on from, or written as if the sound had just been heard.

The sound is bent first until its beats meet those of the dance, and brought to the level that music has; then
the codec makes tokens of it, which the model goes on from.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..align import AlignSettings, align_audio
from ..codec import Codec, encode_audio
from ..mastering.level import at_level
from ..media import to_mono
from ..rhythm import beat_length, led_in, lengthened, rows_led_in
from ..settings import START_USES, SamplingConfig
from ..spans import bar_lines
from ..types import AudioTokens, MotionFeatures, Progress, Rhythm, Waveform
from .sampling import generate_tokens
from .straightening import way_of
from .weights import LoadedModel

_LEAD_S = 5.0
"""So much of a sound is heard before the music, at most: half of what the model overlooks."""


def music_from_sound(
    model: LoadedModel,
    codec: Codec,
    sound: Waveform,
    motion: MotionFeatures | None,
    rhythm: Rhythm,
    config: SamplingConfig,
    on_progress: Progress | None = None,
    *,
    use: str = START_USES[0],
    duration_s: float | None = None,
) -> AudioTokens:
    """Tokens as of `generate_tokens`, which go on from a sound (B = 1) in the way that `use` says.

    Before it: of the sound as many whole bars as fit into 5 s, those that fit the dance best, stand in
    front, and are cut off; nothing of the sound is heard. As its beginning: the sound from its start, up to
    the last bar line that it reaches. Raises `SettingError` where its tempo cannot be bent to the dance.
    """
    duration_s = duration_s or rhythm.duration_s
    sound = at_level(to_mono(sound))
    if use == START_USES[1]:
        known = _first_bars(model, codec, sound, rhythm, duration_s)
        return generate_tokens(
            model,
            motion,
            rhythm,
            codec.spec,
            config,
            on_progress,
            duration_s=duration_s,
            codec=codec,
            known=known,
        )
    bar_s = rhythm.metre * beat_length(rhythm, at_end=False)
    rate = model.spec.token_rate
    steps = int(np.ceil(max(1, int(_LEAD_S / bar_s)) * bar_s * rate - 1e-6))
    lead_s = steps / rate
    longer = led_in(rhythm, lead_s)
    if motion is not None:
        rows = rows_led_in(rhythm, lead_s).clip(0, len(motion.values) - 1)
        motion = replace(motion, values=motion.values[rows])
    bent, _ = align_audio(sound, lengthened(longer, lead_s), AlignSettings(), duration_s=lead_s)
    known = _tokens_of(model, codec, bent, steps)
    whole = generate_tokens(
        model,
        motion,
        longer,
        codec.spec,
        config,
        on_progress,
        duration_s=lead_s + duration_s,
        codec=codec,
        known=known,
    )
    return _without_lead(whole, steps, lead_s)


def _first_bars(
    model: LoadedModel, codec: Codec, sound: Waveform, rhythm: Rhythm, duration_s: float
) -> AudioTokens:
    """The sound as a piece's beginning, up to a bar line; to its own end where it reaches none."""
    settings = AlignSettings(start="beginning", loop=False)
    bent, alignment = align_audio(sound, rhythm, settings, duration_s=duration_s)
    heard, danced = alignment.anchors[:, 0], alignment.anchors[:, 1]
    end_s = float(np.interp(sound.duration_s, heard, danced))
    lines = bar_lines(rhythm, duration_s)
    reached = lines[(lines <= end_s + 1e-6) & (lines > 0)]
    end_s = float(reached[-1]) if len(reached) else end_s
    steps = max(1, int(end_s * model.spec.token_rate + 1e-6))
    return _tokens_of(model, codec, bent, steps)


def _tokens_of(model: LoadedModel, codec: Codec, sound: Waveform, steps: int) -> AudioTokens:
    tokens = encode_audio(codec, sound)
    codes = tokens.codes[:, : model.spec.codebooks, :steps]
    return AudioTokens(codes.contiguous(), model.spec)


def _without_lead(tokens: AudioTokens, steps: int, lead_s: float) -> AudioTokens:
    """Music without its first steps; its clock begins after them."""
    codes = tokens.codes[..., steps:].contiguous()
    if tokens.bend is None:
        return replace(tokens, codes=codes)
    at_s = steps / tokens.codec.token_rate
    start = np.array([[at_s, float(way_of(tokens).to_dance(at_s))]])
    later = tokens.bend[tokens.bend[:, 0] > at_s + 1e-6]
    return AudioTokens(codes, tokens.codec, np.concatenate([start, later]) - [at_s, lead_s])
