"""Any music bent until its beats meet the dancer's, pitch kept.

`matching` finds which beat meets which, `time_map` bends time between them, `stretch` the sound.
"""

from .align import Alignment, AlignSettings, align_audio, describe, plan_alignment

__all__ = ["AlignSettings", "Alignment", "align_audio", "describe", "plan_alignment"]
