"""Writing on from a prefilled window column by column: in machine code where that is possible."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import numpy as np
import torch
from torch import nn

from ..settings import SamplingConfig
from ..straight import LAGS
from ..types import CodecSpec
from .drawing import CompiledDraw
from .kernel import State, Weights, compiled, numba_is_there
from .model import Attention, Block, CrossAttention, DanceToMusic, DecoderCache, ModelConfig
from .place import PARTS
from .threads import process_threads
from .windows import Window, window_conditions

_FEWEST = 4
"""Entries of the batch that are worth a thread: the kernel reads a weight once for so many."""

Step = Callable[[torch.Tensor, torch.Tensor | None], torch.Tensor]
"""Logits [B, K, V] of the column after tokens [B, K, 1] and copied tokens [B, L, K, 1]."""


def stepper(net: DanceToMusic, memory: DecoderCache, takes: int) -> Step:
    """Goes on from `memory`, which has one entry for each side, with `takes` entries for each."""
    weights = packed(net)
    if weights is None:
        return _torch_step(net, memory.repeated(takes))
    return CompiledStep(net, weights, memory, takes)


def _torch_step(net: DanceToMusic, memory: DecoderCache) -> Step:
    return lambda tokens, copied: net.decode(tokens, cache=memory, copied=copied)[:, :, -1].float()


class CompiledStep:
    """`kernel.step` with a window's memory, in as many threads as there are parts of the batch."""

    def __init__(self, net: DanceToMusic, weights: Weights, memory: DecoderCache, takes: int) -> None:
        config, sides = net.config, len(memory.added)
        side = np.repeat(np.arange(sides), takes)
        parts = max(1, min(process_threads(), len(side) // _FEWEST))
        self.weights, self.position = weights, memory.position
        self.shares = [share for share in np.array_split(np.arange(len(side)), parts)]
        conditions = _conditions(memory)
        self.states = [_state(net, memory, conditions, side[share]) for share in self.shares]
        self.nothing = np.zeros((len(side), 0, config.codebooks), np.int64)
        self.logits = torch.zeros(len(side), config.codebooks, config.cardinality)
        self._flat = self.logits.view(len(side), -1).numpy()
        self._run = compiled().step
        self._pool = ThreadPoolExecutor(parts - 1, "d2m-step") if parts > 1 else None

    def __call__(self, tokens: torch.Tensor, copied: torch.Tensor | None) -> torch.Tensor:
        """As `Step`; the answer is overwritten by the next call."""
        before = self.nothing if copied is None else copied[..., 0].contiguous().numpy()
        said = tokens[..., 0].contiguous().numpy()
        others = []
        for state, share in zip(self.states, self.shares, strict=True):
            own = slice(share[0], share[-1] + 1)
            work = (self.weights, state, said[own], before[own], self.position, self._flat[own])
            if self._pool is not None and own.start > 0:
                others.append(self._pool.submit(self._run, *work))
            else:
                first = work
        self._run(*first)
        for other in others:
            other.result()
        self.position += 1
        return self.logits


def _conditions(memory: DecoderCache) -> dict[str, np.ndarray]:
    """What all parts of a batch share: they only read it."""
    sides, _, dim = memory.added.shape
    told = [each for each in memory.told if each is not None]
    return {
        "cross": torch.stack(memory.cross).transpose(-1, -2).contiguous().numpy(),
        "added": memory.added.contiguous().numpy(),
        "told": torch.stack(told).numpy() if told else np.zeros((0, sides, 0, PARTS, dim), np.float32),
    }


def _state(
    net: DanceToMusic, memory: DecoderCache, conditions: dict[str, np.ndarray], side: np.ndarray
) -> State:
    """Memory of entries with these sides, begun with what `memory` knows of the side."""
    _, steps, dim = memory.added.shape
    config, batch = net.config, len(side)
    lags = len(LAGS) if net.copies is not None else 0
    known = torch.stack(memory.own)[..., : memory.position, :].transpose(-1, -2)  # [layers, 2, B, H, d, S]
    own = known.new_zeros(*known.shape[:2], batch, *known.shape[3:5], steps)
    own[..., : memory.position] = known[:, :, torch.from_numpy(side)]

    def space(size: int) -> np.ndarray:
        return np.zeros((batch, size), np.float32)

    return State(
        side=side.copy(),
        own=own.numpy(),
        **conditions,
        x=space(dim),
        normed=space(dim),
        mixed=space(dim),
        wide=space(3 * dim),
        hidden=space(config.ffn),
        found=space(lags * dim),
        raised=space(lags * config.codebooks),
        scores=np.zeros(max(steps, conditions["cross"].shape[-1]), np.float32),
    )


def prepare() -> None:
    """Compiles what writing music needs, which takes some seconds once on a machine; then it is kept.

    Called where there is time for it; else the first piece of music waits.
    """
    if not numba_is_there():
        return
    books, tokens = 2, 8
    logits = torch.zeros(2, books, tokens)
    CompiledDraw(logits, SamplingConfig(), torch.Generator().manual_seed(0))(logits)
    net = DanceToMusic(
        ModelConfig(1, books, tokens, dim=4, heads=2, encoder_layers=1, decoder_layers=1, ffn=4)
    )
    with torch.inference_mode():
        net.eval().half().float()
        given = window_conditions(None, None, -1, net, CodecSpec("none", 1, 1.0, books, tokens), Window(0, 2))
        step = stepper(net, net.start_cache(given), 1)
        step(torch.zeros(1, books, 1, dtype=torch.long), None)


# --- weights ---


@torch.no_grad()
def packed(net: DanceToMusic) -> Weights | None:
    """The decoder's weights as `kernel.step` wants them; None where only torch can run it."""
    if net.training or not _plain(net) or not numba_is_there():
        return None
    blocks = [cast(Block, block) for block in net.decoder]
    dim = net.config.dim
    copies, none = net.copies, torch.zeros(0, 0)
    matrices = {
        "tokens_in": net.tokens_in,
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
    halves = {name: matrix.half() for name, matrix in matrices.items()}
    if all(torch.equal(halves[name].float(), matrix) for name, matrix in matrices.items()):
        arrays = {name: half.contiguous().numpy().view(np.uint16) for name, half in halves.items()}
    else:
        arrays = {name: matrix.contiguous().numpy() for name, matrix in matrices.items()}
    norms = [
        torch.cat([torch.stack([n.weight, n.bias]) for n in (b.attention_norm, b.cross_norm, b.ffn_norm)])
        for b in blocks
    ]
    gates = [torch.ones(dim) if block.gate is None else block.gate for block in blocks]
    return Weights(
        **arrays,
        norms=torch.stack(norms).numpy(),
        gate=torch.stack(gates).numpy(),
        last_norm=torch.stack([net.decoder_norm.weight, net.decoder_norm.bias]).numpy(),
        gates_bias=np.zeros(0, np.float32) if copies is None else copies.gates.bias.numpy(),
    )


def _all(layers: Iterable[nn.Linear]) -> torch.Tensor:
    return torch.stack([layer.weight for layer in layers])


_TOLD = {"place_in", "style_add", "frame_add", "phase_add"}
"""What `DanceToMusic.start_cache` has computed before the first step."""

_ENCODER = {"motion_in", "rhythm_in", "style_in", "tempo_in", "encoder", "encoder_norm"}

_DECODER = {"decoder", "decoder_norm", "heads", "copies"}
"""What a step is made of, beside `tokens_in`."""

_LAYERS = (nn.Linear, nn.LayerNorm, Block, Attention, CrossAttention)


def _plain(net: DanceToMusic) -> bool:
    """Whether `kernel.step` computes a step: float32 on the CPU, no adapters, no part unknown here."""
    names = {name for name, _ in net.named_children()}
    inner = [module for block in net.decoder for module in block.modules()]
    tensors = [*net.decoder.parameters(), net.tokens_in, net.heads.weight]
    return (
        type(net) is DanceToMusic
        and names <= _TOLD | _ENCODER | _DECODER
        and all(type(module) in _LAYERS for module in inner)
        and all(t.device.type == "cpu" and t.dtype == torch.float32 for t in tensors)
    )
