"""Edit Rhythm: what a musician would want to change before any music is made."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io, ui

from ..d2m_core.grid import TEMPO_RANGE_BPM
from ..d2m_core.pictures import editor_data
from ..d2m_core.rhythm import (
    double,
    halve,
    parse_beats,
    scale_energy,
    shift,
    steady,
    swing,
    with_beats,
    with_metre,
    with_tempo,
)
from ..d2m_core.types import Rhythm
from . import host
from .checks import answer, not_offered, refuse, said_by
from .rhythm_inputs import energy_input, shift_input
from .rhythm_outputs import rhythm_facts, rhythm_outputs, rhythm_texts, text_outputs
from .sockets import CATEGORY, ClipPoses, ClipRhythm, Poses, RhythmSocket
from .worker import in_worker

TEMPI = ("as it is", "steady", "set")
GRIDS = {"as it is": None, "half": halve, "double": double}
STRAIGHT = 50.0
EDITOR = "d2m_beats"
"""Where the page's beat editor finds its numbers in what the node shows."""


def _tempo_and_grid_inputs() -> list[Any]:
    """Which beats there are."""
    return [
        io.Combo.Input(
            "tempo",
            options=list(TEMPI),
            default="as it is",
            tooltip="steady locks the tempo it has; set takes tempo_bpm.",
        ),
        io.Float.Input(
            "tempo_bpm",
            default=120.0,
            min=TEMPO_RANGE_BPM[0],
            max=TEMPO_RANGE_BPM[1],
            step=0.1,
            tooltip="The tempo where tempo is set, in beats per minute.",
        ),
        io.Combo.Input(
            "grid", options=list(GRIDS), default="as it is", tooltip="Half or double the number of beats."
        ),
    ]


def _feel_inputs() -> list[Any]:
    """How the beats lie and how much goes on."""
    return [
        shift_input("shift_ms"),
        io.Float.Input(
            "swing",
            default=STRAIGHT,
            min=STRAIGHT,
            max=75.0,
            step=0.5,
            tooltip="Where every second beat falls between its neighbours, in percent: "
            "50 straight, 67 triplets. With grid double these are eighths.",
        ),
        energy_input(),
    ]


class EditRhythm(io.ComfyNode):
    """Changes a rhythm and shows the result."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="D2M_EditRhythm",
            display_name="Edit Rhythm",
            category=CATEGORY,
            **host.found_by("beat", "bpm", "tempo", "swing", "tap tempo", "beat editor", "beat grid"),
            **host.keeps_preview(),
            description="Locks or sets the tempo, moves, halves or doubles the beats, swings them, "
            "or takes beats that you type, or move in its editor after a first run.",
            inputs=[
                RhythmSocket.Input("rhythm", tooltip="The rhythm to change."),
                *_tempo_and_grid_inputs(),
                *_feel_inputs(),
                io.Int.Input(
                    "beats_per_bar",
                    default=0,
                    min=0,
                    max=12,
                    tooltip="Beats from bar line to bar line; 0 leaves them.",
                ),
                io.String.Input(
                    "beats",
                    default="",
                    multiline=True,
                    tooltip="Beats to take instead: seconds, one per line or with commas; a d "
                    "behind one that starts a bar. Empty keeps those of the rhythm.",
                ),
                Poses.Input(
                    "poses", optional=True, tooltip="Shows the dancer above the beats in the node's editor."
                ),
            ],
            outputs=[*rhythm_outputs("edited"), *text_outputs()],
        )

    @classmethod
    def execute(
        cls,
        rhythm: ClipRhythm,
        tempo: str,
        tempo_bpm: float,
        grid: str,
        shift_ms: float,
        swing: float,
        energy: float,
        beats_per_bar: int,
        beats: str,
        poses: ClipPoses | None = None,
    ) -> io.NodeOutput:
        refuse(cls.validate_inputs(tempo, grid, beats))

        def edit(_progress: object) -> tuple:
            changed = rhythm.rhythm
            if beats.strip():
                changed = with_beats(changed, *parse_beats(beats))
            if beats_per_bar:
                changed = with_metre(changed, beats_per_bar)
            changed = _in_time(changed, tempo, tempo_bpm)
            changed = _moved(changed, grid, shift_ms, swing)
            changed = changed if energy == 1.0 else scale_energy(changed, energy)
            facts = rhythm_facts(ClipRhythm(changed, rhythm.duration_s), "Edited rhythm")
            return *facts, *rhythm_texts(changed)

        facts = in_worker(edit)
        shown = editor_data(rhythm.rhythm, facts[0].rhythm, None if poses is None else poses.poses)
        return io.NodeOutput(*facts, ui=ui.PreviewImage(facts[1], cls=cls).as_dict() | {EDITOR: [shown]})

    @classmethod
    def validate_inputs(
        cls, tempo: str | None = None, grid: str | None = None, beats: str | None = None
    ) -> bool | str:
        return answer(
            not_offered("Tempo", tempo, TEMPI),
            not_offered("Grid", grid, GRIDS),
            said_by(parse_beats, beats) if beats and beats.strip() else None,
        )


def _in_time(rhythm: Rhythm, tempo: str, tempo_bpm: float) -> Rhythm:
    if tempo == "steady":
        return steady(rhythm)
    return with_tempo(rhythm, tempo_bpm) if tempo == "set" else rhythm


def _moved(rhythm: Rhythm, grid: str, shift_ms: float, percent: float) -> Rhythm:
    edit = GRIDS[grid]
    rhythm = rhythm if edit is None else edit(rhythm)
    rhythm = shift(rhythm, shift_ms / 1000.0) if shift_ms else rhythm
    return rhythm if percent == STRAIGHT else swing(rhythm, percent)
