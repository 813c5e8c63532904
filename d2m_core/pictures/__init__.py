"""What an artist looks at: skeletons, dancers, rhythm, notes."""

from .beat_editor import editor_data
from .dancers import dancer_picture, picture_moment
from .figures import StickFigure, stick_figures
from .notes import piano_roll
from .overlay import overlay_video
from .repaired import repair_picture
from .rhythm import rhythm_picture
from .skeleton import draw_poses, draw_skeleton, save_png

__all__ = [
    "StickFigure",
    "dancer_picture",
    "draw_poses",
    "draw_skeleton",
    "editor_data",
    "overlay_video",
    "piano_roll",
    "picture_moment",
    "repair_picture",
    "rhythm_picture",
    "save_png",
    "stick_figures",
]
