"""How well music meets a dance, exactly as the field measures it, with what chance would reach."""

from .meeting import Meeting, meeting_of
from .metrics import beat_f, beat_f_chance, tempo_correct
from .music_score import MusicScore, describe_score, score_music

__all__ = [
    "Meeting",
    "MusicScore",
    "beat_f",
    "beat_f_chance",
    "describe_score",
    "meeting_of",
    "score_music",
    "tempo_correct",
]
