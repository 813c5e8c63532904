"""The loops of `kernel.py`, compiled by numba for this machine.

Numba is imported when music is first written, and keeps what it compiled beside the code, or in the user's
cache folder.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from . import chances, kernel, scalars, tiles

_log = logging.getLogger(__name__)

_ORDER_FREE = {"reassoc", "contract", "nsz", "arcp"}
"""Sums may be taken in another order, which is the same in every call; not finite stays not finite."""

_INNER = (scalars.exponential, scalars.gelu, tiles.product, chances.rank, chances.pick, *kernel.INNER)


class Compiled(NamedTuple):
    """Functions in machine code, which lets other threads run."""

    advance: Callable[..., None]
    rank: Callable[..., None]
    settle: Callable[..., None]


@cache
def numba_is_there() -> bool:
    """Whether it can be loaded and multiplies rightly on this processor; if not, the log says why once."""
    slower = "Music is written by torch alone, which is slower: numba cannot"
    try:
        if tiles_multiply():
            return True
    except (ImportError, OSError) as error:
        _log.info("%s be loaded (%s).", slower, error)
    except Exception as error:  # of numba and LLVM, whatever they make of a processor or version
        _log.info("%s compile here (%s: %s).", slower, type(error).__name__, str(error)[:200])
    else:
        _log.info("%s multiply here.", slower)
    return False


def tiles_multiply() -> bool:
    """Whether a product in tiles, compiled, is right. Raises whatever numba raises."""
    import numba

    tiles.teach_tiles()
    matrix = np.arange(12, dtype=np.float32).reshape(4, 3)
    x = np.arange(3 * tiles.ENTRIES, dtype=np.float32).reshape(-1, 3) - 5
    laid = tiles.in_tiles(matrix, tiles.tile_shape().width)
    y = np.zeros((len(x), laid.shape[0] * laid.shape[2]), np.float32)
    _name_kept_files(tiles.product)
    numba.njit(cache=True)(tiles.product)(laid, x, y)
    return bool(np.allclose(y[:, : len(matrix)], x @ matrix.T))


@cache
def compiled() -> Compiled:
    """Raises ImportError where numba is not to be had."""
    import numba
    from numba.extending import register_jitable

    scalars.teach_scalars()
    tiles.teach_tiles()
    for part in _INNER:
        register_jitable(fastmath=_ORDER_FREE, error_model="numpy")(part)
    jit: Any = numba.njit(nogil=True, cache=True, fastmath=_ORDER_FREE, error_model="numpy")
    outer = (kernel.advance, chances.rank, kernel.settle)
    _name_kept_files(*outer)
    return Compiled(*map(jit, outer))


def _name_kept_files(*functions: Any) -> None:
    """Files of these modules as they are called and as they stand now.

    What numba keeps imports the module by the name that it had then, and its file has the function's name
    alone: ComfyUI calls this module after the pack's folder, the command line does not; both read one folder.
    Numba also looks at the date of one file only, and a function is made of several.
    """
    sources = sorted(Path(module.__file__ or "") for module in (chances, kernel, scalars, tiles))
    mark = zlib.crc32(__name__.encode() + b"".join(path.read_bytes() for path in sources))
    for function in functions:
        function.__qualname__ = f"{function.__name__}_{mark:08x}"
