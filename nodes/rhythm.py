"""Dance Rhythm: when the dancer's beats fall, to be seen and edited before any music is made."""

from __future__ import annotations

from comfy_api.latest import io, ui

from ..d2m_core.accents import find_accents
from ..d2m_core.assets import default_weights
from ..d2m_core.checkpoint import load_rhythm
from ..d2m_core.config import TEMPO_RANGE_BPM, check_tempo
from ..d2m_core.errors import D2MError
from ..d2m_core.motion import extract_motion
from ..d2m_core.plots import rhythm_picture
from ..d2m_core.rhythm import rhythm_from_motion
from ..d2m_core.rhythm_edit import double, halve, scale_energy, shift
from ..d2m_core.types import Rhythm
from . import host
from .sockets import CATEGORY, ClipPoses, ClipRhythm, Poses, RhythmSocket, to_image

GRIDS = {"as found": None, "half": halve, "double": double}
"""Edits of the beat grid."""


class DanceRhythm(io.ComfyNode):
    """Reads beats and accents from poses, with the edits a musician would want."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="D2M_DanceRhythm",
            display_name="Dance Rhythm",
            category=CATEGORY,
            description="Finds when the dancer's beats fall and how strong the movement is.",
            inputs=[
                Poses.Input("poses"),
                io.Float.Input(
                    "tempo_bpm", default=0.0, min=0.0, max=TEMPO_RANGE_BPM[1], step=0.1,
                    tooltip=f"A fixed tempo, {TEMPO_RANGE_BPM[0]:g} to {TEMPO_RANGE_BPM[1]:g}; "
                    "0 finds it in the dance.",
                ),
                io.Combo.Input(
                    "grid", options=list(GRIDS), default="as found",
                    tooltip="Half or double the number of beats.",
                ),
                io.Float.Input(
                    "nudge_ms", default=0.0, min=-2000.0, max=2000.0, step=1.0,
                    tooltip="Moves every beat: above zero the music comes later.",
                ),
                io.Float.Input(
                    "energy", default=1.0, min=0.0, max=4.0, step=0.05,
                    tooltip="Multiplies how much is going on: below 1 calmer, above 1 busier.",
                ),
            ],
            outputs=[
                RhythmSocket.Output("rhythm", display_name="rhythm"),
                io.Image.Output("picture", display_name="picture"),
                io.Float.Output("found_bpm", display_name="tempo"),
            ],
        )  # fmt: skip

    @classmethod
    def execute(
        cls, poses: ClipPoses, tempo_bpm: float, grid: str, nudge_ms: float, energy: float
    ) -> io.NodeOutput:
        host.check_interrupt()
        net = load_rhythm(default_weights("rhythm"))
        rhythm = rhythm_from_motion(extract_motion(poses.poses), net, tempo_bpm or None)
        rhythm = _edited(rhythm, grid, nudge_ms, energy)
        picture = to_image(rhythm_picture(rhythm, accents=find_accents(poses.poses)))
        return io.NodeOutput(
            ClipRhythm(rhythm, poses.duration_s),
            picture,
            rhythm.tempo_bpm,
            ui=ui.PreviewImage(picture, cls=cls),
        )

    @classmethod
    def validate_inputs(cls, tempo_bpm: float = 0.0, grid: str = "as found") -> bool | str:
        if grid not in GRIDS:
            return f"Grid is {grid!r}; choose {', '.join(GRIDS)}."
        try:
            check_tempo(tempo_bpm or TEMPO_RANGE_BPM[0])
        except D2MError as error:
            return str(error)
        return True


def _edited(rhythm: Rhythm, grid: str, nudge_ms: float, energy: float) -> Rhythm:
    edit = GRIDS[grid]
    if edit is not None:
        rhythm = edit(rhythm)
    if nudge_ms:
        rhythm = shift(rhythm, nudge_ms / 1000.0)
    return rhythm if energy == 1.0 else scale_energy(rhythm, energy)
