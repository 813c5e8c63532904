"""The chain on the command line: `python -m d2m_core CLIP -o OUT`.

`flags` says what may be asked; here it is checked (`checks`), run (`running`) and told (`report`), with
`progress` on the way.
"""

from ..flags import build_parser
from .progress import progress_bars
from .report import summary
from .running import main, main_of, run

__all__ = ["build_parser", "main", "main_of", "progress_bars", "run", "summary"]
