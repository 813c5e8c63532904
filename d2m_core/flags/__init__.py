"""What the command line may be asked: its flags by group, and the settings that they come to.

Nothing here needs PyTorch, so that help comes at once.
"""

from .parser import build_parser
from .reading import settings_of

__all__ = ["build_parser", "settings_of"]
