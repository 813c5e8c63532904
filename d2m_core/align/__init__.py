"""Any music bent until its beats meet the dancer's, pitch kept."""

from .align import Alignment, AlignSettings, align_audio, describe, plan_alignment

__all__ = ["AlignSettings", "Alignment", "align_audio", "describe", "plan_alignment"]
