"""The band's sound for a listener: any sample rate, stereo, stems, block by block.

`fonts` and `sources` sound notes, `strip` is a channel of the desk, `desk` puts stems together,
`master` makes the mix as loud as music is and no louder than it may be.
"""

from .desk import Desk, set_up_desk
from .master import loudness_of, master, true_peak_db

__all__ = ["Desk", "loudness_of", "master", "set_up_desk", "true_peak_db"]
