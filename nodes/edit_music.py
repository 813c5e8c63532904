"""Edit Dance Music: a span anew, a variation of it, bars in front or behind; all else stays."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io, ui

from ..d2m_core.errors import SettingError
from ..d2m_core.music import Edited, LoadedModel, extend_left, extend_right, repaint
from ..d2m_core.settings import EDIT_CANDIDATES, MOST_BARS, SamplingConfig
from ..d2m_core.spans import SNAPS, in_seconds, in_words, parse_spans
from ..d2m_core.types import AudioTokens, MotionFeatures, Progress, Rhythm
from . import host
from .checks import answer, not_offered, refuse, said_by, too_small
from .sampler import (
    DEFAULTS,
    MOST_TAKES,
    motion_of,
    sampling_inputs,
    sampling_of,
    style_input,
    together,
    wrong_style,
)
from .sockets import CATEGORY, ClipPoses, ClipRhythm, ClipTokens, Model, RhythmSocket, Tokens
from .worker import part_progress

REPAINT, LEFT, RIGHT = "repaint", "extend left", "extend right"
EDITS = (REPAINT, LEFT, RIGHT)


def _edit_inputs() -> list[Any]:
    """What is to be done, and where."""
    return [
        io.Combo.Input(
            "edit",
            options=list(EDITS),
            default=REPAINT,
            tooltip="repaint: the span is written anew. extend left, right: bars come in front or behind. "
            "All else stays as it is.",
        ),
        io.String.Input(
            "span",
            default="bars 3-4",
            tooltip="What to repaint: bars 3-4, bar 5, or seconds as 4-8 or 1:20-1:25; several with "
            "semicolons.",
        ),
        io.Combo.Input(
            "snap",
            options=list(SNAPS),
            default=SNAPS[0],
            tooltip="Moves the ends of a span in seconds to the nearest bar lines or beats.",
        ),
        io.Int.Input(
            "bars", default=4, min=1, max=MOST_BARS, tooltip="How many bars to add, where it is extended."
        ),
        io.Float.Input(
            "likeness",
            default=0.0,
            min=0.0,
            max=1.0,
            step=0.05,
            tooltip="0 is free; above, a variation of what was there, or of the bars beside; 1 is a copy.",
        ),
        io.Int.Input(
            "candidates",
            default=EDIT_CANDIDATES,
            min=1,
            max=MOST_TAKES,
            tooltip="Write so many, and keep the one that leads on best to what comes after.",
        ),
    ]


class EditMusic(io.ComfyNode):
    """Changes a part of some music and keeps the rest."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="D2M_EditMusic",
            display_name="Edit Dance Music",
            category=CATEGORY,
            **host.found_by("repaint", "inpaint", "variation", "extend", "outpaint", "intro", "edit music"),
            **host.keeps_preview(),
            description="Writes a span of the music anew, or adds bars in front or behind; all else stays.",
            inputs=[
                Model.Input("model", tooltip="From Load Dance2Music Model."),
                Tokens.Input("tokens", tooltip="Music of a sampler, of this node, or of EnCodec Encode."),
                *_edit_inputs(),
                *sampling_inputs(),
                style_input(),
                RhythmSocket.Input(
                    "rhythm",
                    optional=True,
                    tooltip="Open: the one that the music was written on. Sound that was encoded needs it.",
                ),
            ],
            outputs=[
                Tokens.Output("edited", display_name="tokens", tooltip="The whole piece."),
                RhythmSocket.Output("longer_rhythm", display_name="rhythm", tooltip="As long as the piece."),
                io.Float.Output(
                    "added_s",
                    display_name="seconds in front",
                    tooltip="How much later everything comes that was there.",
                ),
            ],
        )

    @classmethod
    def execute(
        cls,
        model: host.Held[LoadedModel],
        tokens: ClipTokens,
        edit: str,
        span: str,
        snap: str,
        bars: int,
        likeness: float,
        candidates: int,
        style: str,
        seed: int,
        temperature: float,
        top_k: int,
        top_p: float,
        guidance: float,
        poses: ClipPoses | None = None,
        style_guidance: float = DEFAULTS.style_guidance,
        rhythm: ClipRhythm | None = None,
    ) -> io.NodeOutput:
        refuse(cls.validate_inputs(edit, span, snap, bars, candidates, style))
        beats = tokens.rhythm if rhythm is None else rhythm.rhythm
        if beats is None:
            raise SettingError("This music was encoded from sound and has no rhythm; connect one.")
        work = _Work(model.ready(), beats, motion_of(poses), tokens.duration_s, span, snap, bars, likeness)
        report, takes, count = host.progress(), [], len(tokens.tokens.codes)
        for take in range(count):
            config = sampling_of(
                seed + take, temperature, top_k, top_p, guidance, style, style_guidance, candidates
            )
            takes.append(
                work.done(edit, _one(tokens.tokens, take), config, part_progress(report, take, count))
            )
        last = takes[-1]
        result = ClipTokens(together([take.tokens for take in takes]), last.duration_s, last.rhythm)
        longer = ClipRhythm(last.rhythm, last.duration_s)
        told = ui.PreviewText("\n".join(map(_told, takes))).as_dict()
        return io.NodeOutput(result, longer, last.added_s, ui=told)

    @classmethod
    def validate_inputs(
        cls,
        edit: str | None = None,
        span: str | None = None,
        snap: str | None = None,
        bars: int | None = None,
        candidates: int | None = None,
        style: str | None = None,
    ) -> bool | str:
        return answer(
            not_offered("Edit", edit, EDITS),
            said_by(parse_spans, span) if edit == REPAINT else None,
            not_offered("Snap", snap, SNAPS),
            None if bars is None else too_small("bars", bars, 1),
            None if candidates is None else too_small("candidates", candidates, 1),
            wrong_style(style),
        )


class _Work:
    """What is the same for every take of a batch."""

    def __init__(
        self,
        model: LoadedModel,
        rhythm: Rhythm,
        motion: MotionFeatures | None,
        duration_s: float,
        span: str,
        snap: str,
        bars: int,
        likeness: float,
    ) -> None:
        self.model, self.rhythm, self.bars, self.span, self.snap = model, rhythm, bars, span, snap
        self.more: dict[str, Any] = {"motion": motion, "duration_s": duration_s, "likeness": likeness}

    def done(self, edit: str, tokens: AudioTokens, config: SamplingConfig, tick: Progress) -> Edited:
        """One take, edited."""
        if edit != REPAINT:
            extend = extend_left if edit == LEFT else extend_right
            return extend(self.model, tokens, self.bars, self.rhythm, config, tick, **self.more)
        duration_s = self.more["duration_s"]
        spans = [in_seconds(one, duration_s, self.rhythm, self.snap) for one in parse_spans(self.span)]
        return repaint(self.model, tokens, spans, self.rhythm, config, tick, **self.more)


def _one(tokens: AudioTokens, take: int) -> AudioTokens:
    return AudioTokens(tokens.codes[take : take + 1], tokens.codec, tokens.bend)


def _told(edited: Edited) -> str:
    """What is new, and how it leads on."""
    lines = []
    for span, fit in zip(edited.changed, edited.fits, strict=True):
        line = f"New: {in_words(span)}."
        if fit.losses:
            best, worst = min(fit.losses), max(fit.losses)
            line += f" What follows has {best:.2f} nats a token after it"
            line += f", {worst:.2f} after the worst of {len(fit.losses)}" if len(fit.losses) > 1 else ""
            line += "." if fit.before is None else f", {fit.before:.2f} after what was there."
        lines.append(line)
    return "\n".join(lines)
