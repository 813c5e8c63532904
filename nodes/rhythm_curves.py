"""Rhythm Curves: what a rhythm says of energy and accents, as curves to draw with, and drawn ones back."""

from __future__ import annotations

from typing import Any

import numpy as np
from comfy_api.latest import io, ui

from ..d2m_core.pictures import rhythm_picture
from ..d2m_core.rhythm import curve_points, with_curve
from ..d2m_core.types import RHYTHM_CURVES
from . import host
from .sockets import CATEGORY, ClipRhythm, Curve, RhythmSocket, to_image
from .worker import in_worker

ACCENT, ENERGY = RHYTHM_CURVES


class RhythmCurves(io.ComfyNode):
    """Gives a rhythm's curves to other nodes, and takes curves that were drawn."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="D2M_RhythmCurves",
            display_name="Rhythm Curves",
            category=CATEGORY,
            **host.found_by("curve", "automation", "envelope", "energy", "accents", "audio reactive"),
            **host.keeps_preview(),
            description="Energy and accents of a rhythm as CURVE, and back: draw in ComfyUI's Curve Editor "
            "how calm or wild the music is to be.",
            inputs=[
                RhythmSocket.Input("rhythm", tooltip="The rhythm whose curves are wanted, or changed."),
                _curve_input("energy_curve", "How much is to go on, from the clip's start to its end."),
                _curve_input("accent_curve", "How much each moment wants a sound."),
                io.Float.Input(
                    "amount",
                    default=1.0,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    optional=True,
                    tooltip="How far curves that are connected replace what was found.",
                ),
            ],
            outputs=[
                RhythmSocket.Output(
                    "drawn", display_name="rhythm", tooltip="With the curves as they are now."
                ),
                Curve.Output("energy", display_name="energy", tooltip="Over the clip, 0 to 1."),
                Curve.Output("accents", display_name="accents", tooltip="Over the clip, 0 to 1."),
                io.Image.Output("picture", display_name="picture", tooltip="What the node shows."),
            ],
        )

    @classmethod
    def execute(
        cls, rhythm: ClipRhythm, energy_curve: Any = None, accent_curve: Any = None, amount: float = 1.0
    ) -> io.NodeOutput:
        changed = rhythm.rhythm
        places = np.linspace(0.0, 1.0, len(changed.curves))
        for name, curve in ((ENERGY, energy_curve), (ACCENT, accent_curve)):
            if curve is not None:
                changed = with_curve(changed, name, host.curve_at(curve, places), amount)
        energy, accents = (host.curve_of(curve_points(each)) for each in (changed.energy, changed.accent))
        picture = to_image(in_worker(lambda _tick: rhythm_picture(changed, title="Curves of the rhythm")))
        shown = ui.PreviewImage(picture, cls=cls)
        return io.NodeOutput(ClipRhythm(changed, rhythm.duration_s), energy, accents, picture, ui=shown)


def _curve_input(name: str, tooltip: str) -> Any:
    # The page draws an editor for every CURVE input, which always has a value, unless it is told not to.
    return Curve.Input(name, optional=True, tooltip=tooltip, extra_dict={"forceInput": True})
