"""What every node that makes a rhythm gives: the rhythm, its picture, and its facts for others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from comfy_api.latest import io

from ..d2m_core.motion import Accents
from ..d2m_core.notices import Notice, in_words
from ..d2m_core.pictures import rhythm_picture
from ..d2m_core.rhythm import abc_header, caption, format_beats, tempo_words
from ..d2m_core.types import Rhythm, Waveform
from .sockets import Choice, ClipRhythm, RhythmSocket, to_image

TIME_SIGNATURES = (2, 3, 4, 6)
"""Beats per bar that music models offer."""
_SURE, _UNSURE = 0.8, 0.3
"""Confidence from which beats are most likely right, and under which they most likely are not."""


def rhythm_outputs(first: str = "rhythm", as_list: bool = False) -> list[Any]:
    """The outputs in order; `first` is the id of the rhythm itself."""
    many = {"is_output_list": as_list}
    return [
        RhythmSocket.Output(
            first, display_name="rhythm", tooltip="When beats fall and how strong things are.", **many
        ),
        io.Image.Output("picture", display_name="picture", tooltip="What the node shows.", **many),
        io.Float.Output("found_bpm", display_name="tempo", tooltip="Beats per minute.", **many),
        io.Int.Output("bpm_int", display_name="BPM", tooltip="The tempo as a whole number.", **many),
        io.Int.Output(
            "metre", display_name="beats per bar", tooltip="Beats from bar line to bar line.", **many
        ),
        Choice.Output(
            "time_signature",
            display_name="time signature",
            tooltip="Beats per bar as a choice, for music models that ask for it.",
            **many,
        ),
        io.String.Output(
            "beat_list",
            display_name="beats",
            tooltip="One beat per line in seconds, d where a bar starts. Edit Rhythm reads it.",
            **many,
        ),
        io.Float.Output("sure", display_name="confidence", tooltip="How sure the beats are, 0 to 1.", **many),
    ]


def text_outputs(as_list: bool = False) -> list[Any]:
    """What came later, for the text encoders of other models: last, since saved links count outputs."""
    many = {"is_output_list": as_list}
    return [
        io.String.Output(
            "caption",
            display_name="caption",
            tooltip="Tempo, metre and energy in words, for the text of a music model.",
            **many,
        ),
        io.String.Output(
            "abc_header",
            display_name="ABC header",
            tooltip="Metre and tempo as the header of a score in ABC notation.",
            **many,
        ),
    ]


def rhythm_texts(rhythm: Rhythm) -> tuple[str, str]:
    """Values for `text_outputs`."""
    return caption(rhythm), abc_header(rhythm)


def rhythm_facts(
    clip: ClipRhythm, title: str, accents: Accents | None = None, wave: Waveform | None = None
) -> tuple[ClipRhythm, torch.Tensor, float, int, int, str, str, float]:
    """Values for `rhythm_outputs`."""
    rhythm = clip.rhythm
    picture = to_image(rhythm_picture(rhythm, wave, accents=accents, title=title))
    return (
        clip,
        picture,
        float(rhythm.tempo_bpm),
        round(rhythm.tempo_bpm),
        rhythm.metre,
        time_signature(rhythm),
        format_beats(rhythm),
        float(rhythm.confidence),
    )


def rhythm_words(rhythm: Rhythm, notices: Iterable[Notice]) -> str:
    """What a node says under its picture: the tempo, how sure it is, and what is doubtful."""
    first = f"{tempo_words(rhythm)}, confidence {rhythm.confidence:.2f}"
    return "\n".join(filter(None, [first, in_words(notices)]))


def time_signature(rhythm: Rhythm) -> str:
    """The metre as music models name it; 4 where they have none like it."""
    return str(rhythm.metre if rhythm.metre in TIME_SIGNATURES else 4)


def how_sure(rhythm: Rhythm) -> str:
    """The tempo and how sure the ear is of the beats, in a sentence for the node's face."""
    found = f"{rhythm.tempo_bpm:.1f} BPM, {len(rhythm.beats_s)} beats. Confidence {rhythm.confidence:.2f}: "
    if rhythm.confidence >= _SURE:
        return found + "the beats are very likely right."
    if rhythm.confidence >= _UNSURE:
        return found + "look at the picture; a tempo set by hand, or Edit Rhythm, mends what is wrong."
    return found + "hardly a pulse was heard; set the tempo, or type the beats into Edit Rhythm."
