"""Writing on from a prefilled window column by column: in machine code where that is possible."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple, cast
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import nn

from ..settings import SamplingConfig
from ..straight import LAGS
from ..types import CodecSpec
from .chances import Dice
from .copies import CopyReader
from .drawing import Lean, Numbers, dice_for, draw
from .kernel import Page, State, Weights
from .machine import compiled, numba_is_there
from .model import Attention, Block, CrossAttention, DanceToMusic, DecoderCache, ModelConfig
from .place import PARTS
from .threads import process_threads
from .tiles import in_tiles, tile_shape
from .windows import Window, window_conditions

_FEWEST = 4
"""Entries of the batch that are worth a thread: the kernel reads a weight once for so many."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """What is written in one window."""

    delayed: torch.Tensor
    """[C, K, S]: columns of every candidate in the delay pattern, written in place."""
    unknown: torch.Tensor
    """bool [K, S]: what is to be drawn."""
    reader: CopyReader | None = None
    """Of a model that looks back at what was said."""
    lean: Lean | None = None
    """Draws towards other tokens."""


Write = Callable[[int], None]
"""Draws one column of a `Sheet`; called for one after the other."""


@dataclass(frozen=True, eq=False)
class Pen:
    """A network, and its weights as the kernel reads them; None where only torch can run it."""

    net: DanceToMusic
    weights: Weights | None

    @classmethod
    def of(cls, net: DanceToMusic) -> Pen:
        """Weights are laid out once for all windows, and all calls."""
        return cls(net, packed(net))

    def on(
        self,
        sheet: Sheet,
        memory: DecoderCache,
        logits: torch.Tensor,
        config: SamplingConfig,
        generator: torch.Generator,
    ) -> Write:
        """What writes on from `memory`, which has one entry for each side; `logits` [sides, K, V] are of the
        first column that is to be drawn."""
        logits = logits.repeat_interleave(len(sheet.delayed), 0)
        if self.weights is None:
            return TorchWriter(self.net, sheet, memory, logits, config, generator)
        return CompiledWriter(self.net, self.weights, sheet, memory, logits, config, generator)


class TorchWriter:
    """Any network on any device."""

    def __init__(
        self,
        net: DanceToMusic,
        sheet: Sheet,
        memory: DecoderCache,
        logits: torch.Tensor,
        config: SamplingConfig,
        generator: torch.Generator,
    ) -> None:
        self.net, self.sheet, self.config, self.generator = net, sheet, config, generator
        self.memory = memory.repeated(len(sheet.delayed))
        self.logits: torch.Tensor | None = logits  # of the next column [B, K, V]

    def __call__(self, column: int) -> None:
        sheet = self.sheet
        logits = self.step(column) if self.logits is None else self.logits
        self.logits = None
        if sheet.lean is not None:
            sheet.lean(logits, column)
        drawn = draw(logits, self.config, self.generator)  # [C, K]
        there = sheet.delayed[:, :, column]
        sheet.delayed[:, :, column] = torch.where(sheet.unknown[:, column], drawn, there)
        if sheet.reader is not None:
            sheet.reader.hear(column, sheet.delayed[:, :, column])

    def step(self, column: int) -> torch.Tensor:
        """Logits [B, K, V] of a column after those that are written."""
        sheet, sides = self.sheet, self.config.sides
        tokens = sheet.delayed[:, :, column - 1 : column].repeat(sides, 1, 1)
        copied = None
        if sheet.reader is not None:
            copied = sheet.reader.columns(column, column + 1).repeat(sides, 1, 1, 1)
        return self.net.decode(tokens, cache=self.memory, copied=copied)[:, :, -1].float()


class CompiledWriter:
    """`kernel.advance` and `kernel.settle` with a window's memory; candidates are shared out to threads."""

    def __init__(
        self,
        net: DanceToMusic,
        weights: Weights,
        sheet: Sheet,
        memory: DecoderCache,
        logits: torch.Tensor,
        config: SamplingConfig,
        generator: torch.Generator,
    ) -> None:
        takes, sides = len(sheet.delayed), config.sides
        parts = max(1, min(process_threads(), takes, takes * sides // _FEWEST))
        self.weights, books = weights, net.config.codebooks
        columns = int(sheet.unknown.any(0).nonzero()[[0, -1]].diff(dim=0)) + 1
        self.numbers = Numbers((takes, books), net.config.cardinality, columns, config, generator)
        conditions = _conditions(memory)
        flat = logits.view(sides, takes, -1)
        self.parts: list[_Part] = []
        for share in np.array_split(np.arange(takes), parts):
            own = slice(int(share[0]), int(share[-1]) + 1)
            state = _state(net, weights, memory, conditions, np.repeat(np.arange(sides), len(share)))
            state.logits[:, : flat.shape[-1]] = flat[:, own].reshape(len(state.x), -1).numpy()
            dice = dice_for(len(share) * books, net.config.cardinality, config, sheet.lean)
            self.parts.append(_Part(state, _page(sheet, own), dice, own))
        self.begun = False
        self._run = compiled()
        self._pool = ThreadPoolExecutor(parts - 1, "d2m-step") if parts > 1 else None

    def __call__(self, column: int) -> None:
        numbers = self.numbers.next()  # [C, K, keep]
        others = []
        if self._pool is not None:
            others = [self._pool.submit(self._write, part, column, numbers) for part in self.parts[1:]]
        self._write(self.parts[0], column, numbers)
        for other in others:
            other.result()
        self.begun = True

    def _write(self, part: _Part, column: int, numbers: np.ndarray) -> None:
        run, (state, page, dice, own) = self._run, part
        if self.begun:
            run.advance(self.weights, state, page, dice, column)
        else:
            run.rank(state.logits, page.near, dice, column)
        self.numbers.arrange(dice.keys)
        run.settle(page, dice, numbers[own].reshape(len(dice.values), -1), self.numbers.even, column)


class _Part(NamedTuple):
    """Candidates `own` of a window."""

    state: State
    page: Page
    dice: Dice
    own: slice


def _conditions(memory: DecoderCache) -> dict[str, np.ndarray]:
    """What all parts of a batch share: they only read it."""
    dim = memory.added.shape[-1]
    told = [each for each in memory.told if each is not None]
    return {
        "cross": torch.stack(memory.cross).transpose(-1, -2).contiguous().numpy(),
        "added": memory.added.contiguous().numpy(),
        "told": torch.stack(told).numpy() if told else np.zeros((0, 1, PARTS, dim), np.float32),
        "told_at": memory.told_at.contiguous().numpy(),
    }


def _state(
    net: DanceToMusic,
    weights: Weights,
    memory: DecoderCache,
    conditions: dict[str, np.ndarray],
    side: np.ndarray,
) -> State:
    """Memory of entries with these sides, begun with what `memory` knows of the side."""
    _, steps, dim = memory.added.shape
    batch = len(side)
    known = torch.stack(memory.own)[..., : memory.position, :].transpose(-1, -2)  # [layers, 2, B, H, d, S]
    own = known.new_zeros(*known.shape[:2], batch, *known.shape[3:5], steps)
    own[..., : memory.position] = known[:, :, torch.from_numpy(side)]

    def space(size: int) -> np.ndarray:
        return np.zeros((batch, size), np.float32)

    def room(matrix: np.ndarray) -> np.ndarray:
        """For what a matrix in tiles gives."""
        return space(matrix.shape[-3] * matrix.shape[-1])

    return State(
        side=side,
        own=own.numpy(),
        **conditions,
        x=space(dim),
        normed=space(dim),
        mixed=space(dim),
        more=room(weights.out),
        wide=room(weights.qkv),
        hidden=room(weights.ffn_in),
        found=space(len(LAGS) * dim if len(weights.seen) else 0),
        raised=room(weights.gates),
        logits=room(weights.heads),
        scores=np.zeros(max(steps, conditions["cross"].shape[-1]), np.float32),
    )


def _page(sheet: Sheet, own: slice) -> Page:
    """Of some candidates; they are written into the sheet."""
    takes, books, columns = sheet.delayed[own].shape
    reader, near = sheet.reader, np.full((books, columns), -1)
    if sheet.lean is not None:
        near = sheet.lean.near.contiguous().numpy()
    said, at = np.zeros((takes, books, 0), np.int64), np.zeros((0, books, columns), np.int64)
    if reader is not None:
        said, at = reader.said[own].numpy(), reader.at.contiguous().numpy()
    return Page(sheet.delayed[own].numpy(), sheet.unknown.contiguous().numpy(), said, at, near)


def prepare() -> None:
    """Compiles what writing music needs, which takes some seconds once on a machine; then it is kept.

    Called where there is time for it; else the first piece of music waits.
    """
    if not numba_is_there():
        return
    books, tokens, columns = 2, 8, 3
    net = DanceToMusic(
        ModelConfig(1, books, tokens, dim=4, heads=2, encoder_layers=1, decoder_layers=1, ffn=4)
    )
    config = SamplingConfig(guidance=1.0)
    with torch.inference_mode():
        net.eval().half().float()
        given = window_conditions(None, None, -1, net, CodecSpec("none", 1, 1.0, books, tokens), Window(0, 2))
        memory = net.start_cache(given)
        logits = net.decode(torch.zeros(1, books, 1, dtype=torch.long), cache=memory)[:, :, -1]
        sheet = Sheet(torch.zeros(1, books, columns, dtype=torch.long), torch.ones(books, columns) > 0)
        write = Pen.of(net).on(sheet, memory, logits, config, torch.Generator().manual_seed(0))
        for column in (0, 1):
            write(column)


# --- weights ---


_LAID: WeakKeyDictionary[DanceToMusic, tuple[tuple[int, ...], Weights]] = WeakKeyDictionary()


def packed(net: DanceToMusic) -> Weights | None:
    """The decoder's weights as the kernel wants them; None where only torch can run it.

    They are kept with the network as long as no number in it changes.
    """
    if net.training or not _plain(net) or not numba_is_there():
        return None
    sums = _sums(net)
    kept = _LAID.get(net)
    if kept is None or kept[0] != sums:
        _LAID.pop(net, None)  # never two at once: they are large
        kept = _LAID[net] = sums, _laid_out(net)
    return kept[1]


@torch.no_grad()
def _sums(net: DanceToMusic) -> tuple[int, ...]:
    """One for each tensor, of its bits; NumPy adds whole numbers up ten times as fast as torch."""
    return tuple(_sum(p.detach().contiguous().flatten().numpy()) for p in net.parameters())


def _sum(numbers: np.ndarray) -> int:
    """Of the bits of float32 [N], two numbers at a time."""
    pairs = len(numbers) // 2 * 2
    return int(numbers[:pairs].view(np.int64).sum()) + int(numbers[pairs:].view(np.int32).sum())


@torch.no_grad()
def _laid_out(net: DanceToMusic) -> Weights:
    blocks = [cast(Block, block) for block in net.decoder]
    copies, none = net.copies, torch.zeros(0, 1)
    matrices = {
        "qkv": _all(block.attention.qkv for block in blocks),
        "out": _all(block.attention.out for block in blocks),
        "query": _all(block.cross.query for block in blocks),
        "cross_out": _all(block.cross.out for block in blocks),
        "ffn_in": _all(block.ffn_in for block in blocks),
        "ffn_out": _all(block.ffn_out for block in blocks),
        "heads": net.heads.weight,
        "seen": none if copies is None else copies.seen.weight,
        "gates": none if copies is None else copies.gates.weight,
    }
    half = _are_halves([net.tokens_in, *matrices.values()])
    width = tile_shape().width
    norms = [
        torch.cat([torch.stack([n.weight, n.bias]) for n in (b.attention_norm, b.cross_norm, b.ffn_norm)])
        for b in blocks
    ]
    gates = [torch.ones(net.config.dim) if block.gate is None else block.gate for block in blocks]
    return Weights(
        tokens_in=_stored(net.tokens_in, half),
        **{name: in_tiles(_stored(matrix, half), width) for name, matrix in matrices.items()},
        norms=torch.stack(norms).numpy(),
        gate=torch.stack(gates).numpy(),
        last_norm=torch.stack([net.decoder_norm.weight, net.decoder_norm.bias]).numpy(),
        gates_bias=np.zeros(0, np.float32) if copies is None else copies.gates.bias.numpy(),
    )


def _are_halves(matrices: Iterable[torch.Tensor]) -> bool:
    """Whether float16 holds them exactly."""
    return all(torch.equal(matrix.half().float(), matrix) for matrix in matrices)


def _stored(matrix: torch.Tensor, half: bool) -> np.ndarray:
    return matrix.half().numpy().view(np.uint16) if half else matrix.contiguous().numpy()


def _all(layers: Iterable[nn.Linear]) -> torch.Tensor:
    return torch.stack([layer.weight for layer in layers])


_TOLD = {"place_in", "style_add", "frame_add", "phase_add"}
"""What `DanceToMusic.start_cache` has computed before the first step."""

_ENCODER = {"motion_in", "rhythm_in", "style_in", "tempo_in", "encoder", "encoder_norm"}

_DECODER = {"decoder", "decoder_norm", "heads", "copies"}
"""What a step is made of, beside `tokens_in`."""

_LAYERS = (nn.Linear, nn.LayerNorm, Block, Attention, CrossAttention)


def _plain(net: DanceToMusic) -> bool:
    """Whether the kernel computes a step: float32 on the CPU, no adapters, no part unknown here."""
    names = {name for name, _ in net.named_children()}
    inner = [module for block in net.decoder for module in block.modules()]
    tensors = [*net.decoder.parameters(), net.tokens_in, net.heads.weight]
    return (
        type(net) is DanceToMusic
        and names <= _TOLD | _ENCODER | _DECODER
        and all(type(module) in _LAYERS for module in inner)
        and all(t.device.type == "cpu" and t.dtype == torch.float32 for t in tensors)
    )
