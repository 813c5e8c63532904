"""The transformer that writes music for a dance: one file, read from top to bottom.

- Encoder: bidirectional, over motion features, rhythm curves and beat phases at 25 frames per
  second, with a style token and a tempo token in front.
- Decoder: causal, over codec tokens in the delay pattern (`patterns.py`): one embedding and one
  head per codebook, sinusoidal positions, pre-norm, GELU, no biases: MusicGen's shape, and equal
  to it where nothing is added (`training/transformer/start_musicgen.py` maps its weights).
- At every step the encoder's frame and the beat phase of that very instant are added to the input,
  and the style; cross-attention sees the whole window.
- Motion, rhythm and style can each be left out, per batch entry: learned null embeddings stand in.
- A model that writes in straight time is told the exact place of every step in every layer (`place.py`), and
  sees what was said a beat and some bars before (`copies.py`).

Alignment. A window of `T` token steps becomes `S = T + K - 1` delayed columns. The decoder reads
the columns shifted by one, `start` first; its output at position `p` predicts column `p`: of
codebook k the token of time `p - k`. What is added at position `p` belongs to `p / token_rate`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import cast

import torch
import torch.nn.functional as F
from torch import nn

from ..errors import require
from ..grid import PHASE_NAMES, REFERENCE_BPM
from ..styles import STYLES
from ..types import RHYTHM_CURVES
from .copies import Copies
from .place import PlaceIn, modulated


@dataclass(frozen=True)
class ModelConfig:
    """Shape of the transformer."""

    features: int
    """Motion features per frame (D)."""
    codebooks: int
    cardinality: int
    styles: tuple[str, ...] = STYLES
    dim: int = 256
    heads: int = 4
    encoder_layers: int = 2
    decoder_layers: int = 5
    ffn: int = 512
    dropout: float = 0.1
    window_s: float = 10.0
    """Longest stretch the decoder has seen in training, in seconds."""
    gated: bool = False
    """Whether cross-attention comes through gates that start shut, as in a tuned MusicGen."""
    straight: bool = False
    """Whether it writes in straight time, on which beats begin token steps (`d2m_core.straight`)."""
    place: int = 0
    """With `straight`: width in which the place of a step is told to every layer; 0 tells none."""
    copies: bool = False
    """With `straight`: whether it sees the tokens of some bars before, and gates raise their chance."""

    def __post_init__(self) -> None:
        require(
            self.dim % self.heads == 0 and (self.dim // self.heads) % 2 == 0,
            f"dim {self.dim} must be an even multiple of heads {self.heads}.",
        )
        require(self.window_s > 1.0, f"window_s is {self.window_s}; use more than one second.")
        require(self.place >= 0, f"place is {self.place}; use 0 (tell none) or a width.")
        require(
            self.straight or not (self.place or self.copies),
            "place and copies need music on a straight grid; set straight too.",
        )
        require(len(set(self.styles)) == len(self.styles), f"styles repeat: {self.styles}.")


FRONT_TOKENS = 2
"""Style and tempo, in front of the encoder's frames."""

CLIP_DEVIATIONS = 8.0
"""Normalised motion is clipped here, so that one broken pose cannot blow up a window."""

INIT_STD = 0.02


@dataclass(frozen=True, eq=False)
class Conditions:
    """What one window of music is to follow. `S` is the number of delayed columns of the window."""

    motion: torch.Tensor
    """float32 [B, F, D], as `extract_motion` gives it; the model normalises."""
    curves: torch.Tensor
    """float32 [B, F, R]."""
    phases: torch.Tensor
    """float32 [B, F, 10]: `grid.phase_features` at the motion frames."""
    step_phases: torch.Tensor
    """float32 [B, S, 10]: `grid.phase_features` at the columns' times."""
    frame_at: torch.Tensor
    """float32 [B, S]: where each column's time falls, in frames after the window's first frame."""
    place: torch.Tensor
    """int64 [B, S, 4]: `straight.StepGrid.places` of the columns; zeros where there is no grid."""
    style: torch.Tensor
    """int64 [B]: index into `ModelConfig.styles`; -1 where the model is to choose."""
    tempo_bpm: torch.Tensor
    """float32 [B]."""
    has_motion: torch.Tensor
    """bool [B]; False puts the null embedding in motion's place."""
    has_rhythm: torch.Tensor
    """bool [B]; the same for curves, phases and tempo."""

    def to(self, device: torch.device) -> Conditions:
        return Conditions(**{f.name: getattr(self, f.name).to(device) for f in fields(self)})

    def part(self, first: int, count: int) -> Conditions:
        """Those of some entries of the batch."""
        some = slice(first, first + count)
        return Conditions(**{f.name: getattr(self, f.name)[some] for f in fields(self)})


@dataclass(eq=False)
class DecoderCache:
    """What decoding a window step by step remembers; `DanceToMusic.decode` advances `position`."""

    own: list[torch.Tensor]
    """Per layer [2, B, H, S, dim / H]: keys and values so far, allocated once."""
    cross: list[torch.Tensor]
    """Per layer [2, B, H, 2 + F, dim / H]: keys and values of the encoder, computed once."""
    added: torch.Tensor
    """[B, S, dim]: positions and conditions, computed once."""
    told: list[torch.Tensor | None]
    """Per layer [U, PARTS, dim]: what it is told of each place that there is, computed once; None without."""
    told_at: torch.Tensor
    """int64 [B, S]: which of them is told at each column."""
    position: int = 0

    def repeated(self, times: int) -> DecoderCache:
        """The same for each entry of the batch so many times, one after the other."""
        if times == 1:
            return self
        own, cross = ([part.repeat_interleave(times, 1) for part in kept] for kept in (self.own, self.cross))
        added, told_at = (each.repeat_interleave(times, 0) for each in (self.added, self.told_at))
        return DecoderCache(own, cross, added, self.told, told_at, self.position)


def sinusoids(length: int, dim: int, device: torch.device) -> torch.Tensor:
    """Positions [length, dim] as MusicGen lays them out: all cosines, then all sines."""
    rates = torch.exp(torch.arange(dim // 2, device=device) * (-math.log(10_000) / (dim // 2 - 1)))
    angles = torch.arange(length, device=device).float()[:, None] * rates
    return torch.cat([angles.cos(), angles.sin()], dim=1)


def linear(layer: nn.Linear, x: torch.Tensor) -> torch.Tensor:
    """`layer(x)` without bias; for single steps on a CPU the other way round, which is 2-4x faster:
    MKL streams the weights once then, and several times for a short `x`.
    """
    if type(layer) is not nn.Linear:  # an adapter around it
        return layer(x)
    if x.shape[1] > 1 or x.device.type != "cpu" or x.dtype != torch.float32 or torch.is_grad_enabled():
        return F.linear(x, layer.weight)
    return torch.mm(layer.weight, x[:, 0].t()).t().contiguous()[:, None]


def attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, causal: bool = False) -> torch.Tensor:
    """Attention of [B, H, steps, dim / H] to as many or more keys."""
    if query.device.type != "cpu" or query.dtype != torch.bfloat16:
        return F.scaled_dot_product_attention(query, key, value, is_causal=causal)
    # On a CPU, plain bfloat16 products train twice as fast as torch's fused kernel.
    if not causal:
        return _products(query, key, value)
    # Nobody looks ahead: the first half needs no keys of the second.
    half = query.shape[2] // 2
    first = _products(query[:, :, :half], key[:, :, :half], value[:, :, :half], 0)
    return torch.cat([first, _products(query[:, :, half:], key, value, half)], 2)


def _products(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, first: int | None = None
) -> torch.Tensor:
    """Attention by plain products, causal where the place of the `first` query among the keys is given."""
    scores = query * query.shape[-1] ** -0.5 @ key.transpose(-1, -2)
    if first is not None:  # added, not filled: nothing is to be done on the way back
        scores = scores + torch.full_like(scores[0, 0], -torch.inf).triu(first + 1)
    return scores.softmax(-1).to(value.dtype) @ value


class Attention(nn.Module):
    """Multi-head self-attention without biases; query, key and value in one product."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.out = nn.Linear(dim, dim, bias=False)

    def forward(
        self, x: torch.Tensor, causal: bool, cache: torch.Tensor | None = None, position: int = 0
    ) -> torch.Tensor:
        batch, steps, dim = x.shape
        qkv = linear(self.qkv, x).view(batch, steps, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        query, key, value = qkv.unbind(0)  # each [B, H, steps, dim / H]
        if cache is not None:
            cache[:, :, :, position : position + steps] = qkv[1:]
            key, value = cache[:, :, :, : position + steps].unbind(0)
        y = attend(query, key, value, causal and steps > 1)
        return linear(self.out, y.transpose(1, 2).reshape(batch, steps, dim))


class CrossAttention(nn.Module):
    """Attention from the decoder to the encoder's output, whose keys and values can be kept."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(dim, dim, bias=False)
        self.key_value = nn.Linear(dim, 2 * dim, bias=False)
        self.out = nn.Linear(dim, dim, bias=False)

    def keys_values(self, memory: torch.Tensor) -> torch.Tensor:
        """[B, M, dim] to [2, B, H, M, dim / H]."""
        batch, length, _ = memory.shape
        both = self.key_value(memory).view(batch, length, 2, self.heads, -1)
        return both.permute(2, 0, 3, 1, 4).contiguous()

    def forward(self, x: torch.Tensor, keys_values: torch.Tensor) -> torch.Tensor:
        batch, steps, dim = x.shape
        query = linear(self.query, x).view(batch, steps, self.heads, -1).transpose(1, 2)
        y = attend(query, keys_values[0], keys_values[1])
        return linear(self.out, y.transpose(1, 2).reshape(batch, steps, dim))


class Block(nn.Module):
    """Pre-norm block: self-attention, cross-attention in the decoder, feed-forward."""

    def __init__(self, config: ModelConfig, decoder: bool) -> None:
        super().__init__()
        self.decoder = decoder
        self.dropout = config.dropout
        self.attention_norm = nn.LayerNorm(config.dim)
        self.attention = Attention(config.dim, config.heads)
        if decoder:
            self.cross_norm = nn.LayerNorm(config.dim)
            self.cross = CrossAttention(config.dim, config.heads)
            # Shut at first: a decoder that was trained elsewhere starts as it was.
            self.gate = nn.Parameter(torch.zeros(config.dim)) if config.gated else None
        self.ffn_norm = nn.LayerNorm(config.dim)
        self.ffn_in = nn.Linear(config.dim, config.ffn, bias=False)
        self.ffn_out = nn.Linear(config.ffn, config.dim, bias=False)

    def forward(
        self,
        x: torch.Tensor,
        cross: torch.Tensor | None = None,
        cache: torch.Tensor | None = None,
        position: int = 0,
        told: torch.Tensor | None = None,
    ) -> torch.Tensor:
        y = modulated(self.attention_norm(x), told, 0)
        x = x + self._drop(self.attention(y, self.decoder, cache, position))
        if cross is not None:
            seen = self.cross(modulated(self.cross_norm(x), told, 1), cross)
            x = x + self._drop(seen if self.gate is None else seen * self.gate)
        y = modulated(self.ffn_norm(x), told, 2)
        return x + self._drop(linear(self.ffn_out, F.gelu(linear(self.ffn_in, y))))

    def _drop(self, x: torch.Tensor) -> torch.Tensor:
        return F.dropout(x, self.dropout) if self.training else x


class DanceToMusic(nn.Module):
    """Motion and rhythm in, logits of delayed codec tokens out."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        dim, phases = config.dim, len(PHASE_NAMES)
        self.motion_mean = nn.Buffer(torch.zeros(config.features))
        self.motion_std = nn.Buffer(torch.ones(config.features))
        self.motion_in = nn.Linear(config.features, dim)
        self.rhythm_in = nn.Linear(len(RHYTHM_CURVES) + phases, dim)
        self.style_in = nn.Embedding(len(config.styles) + 1, dim)  # the last row: no style
        self.tempo_in = nn.Sequential(nn.Linear(1, dim), nn.GELU(), nn.Linear(dim, dim))
        self.null = nn.Parameter(torch.zeros(3, dim))  # for motion, rhythm, tempo
        self.encoder = nn.ModuleList(Block(config, False) for _ in range(config.encoder_layers))
        self.encoder_norm = nn.LayerNorm(dim)
        self.frame_add = nn.Linear(dim, dim, bias=False)
        self.style_add = nn.Embedding(len(config.styles) + 1, dim)  # rows as in `style_in`
        self.phase_add = nn.Sequential(nn.Linear(phases, dim), nn.GELU(), nn.Linear(dim, dim))
        self.tokens_in = nn.Parameter(torch.zeros(config.codebooks, config.cardinality + 2, dim))
        self.decoder = nn.ModuleList(Block(config, True) for _ in range(config.decoder_layers))
        self.decoder_norm = nn.LayerNorm(dim)
        self.heads = nn.Linear(dim, config.codebooks * config.cardinality, bias=False)
        self.place_in = None
        if config.place:
            self.place_in = PlaceIn(config.place, dim, config.decoder_layers, len(config.styles))
        self.copies = Copies(dim, config.codebooks) if config.copies else None
        self._initialise()

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=INIT_STD)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)
        nn.init.normal_(self.null, std=INIT_STD)
        nn.init.normal_(self.tokens_in, std=INIT_STD)
        for layer in (self.frame_add, self.phase_add[2]):  # at first a plain MusicGen decoder
            assert isinstance(layer, nn.Linear)
            nn.init.zeros_(layer.weight)
        nn.init.zeros_(self.style_add.weight)
        for part in (self.place_in, self.copies):
            if part is not None:
                part.start_shut()

    @property
    def start(self) -> int:
        """Token id that stands in front of a window."""
        return self.config.cardinality

    @property
    def pad(self) -> int:
        """Token id where the delay pattern has no token."""
        return self.config.cardinality + 1

    def encode(self, given: Conditions) -> torch.Tensor:
        """The encoder's output [B, 2 + F, dim]: style, tempo, frames."""
        dtype = self.null.dtype  # of the weights: inputs come as float32, weights may be bfloat16
        motion = (given.motion - self.motion_mean) / self.motion_std
        motion = self.motion_in(motion.clamp(-CLIP_DEVIATIONS, CLIP_DEVIATIONS).to(dtype))
        rhythm = self.rhythm_in(torch.cat([given.curves, given.phases], dim=-1).to(dtype))
        octaves = torch.log2(given.tempo_bpm[:, None] / REFERENCE_BPM)
        tempo = self.tempo_in(octaves.to(dtype))  # [B, dim]
        has_motion, has_rhythm = given.has_motion[:, None, None], given.has_rhythm[:, None, None]
        frames = torch.where(has_motion, motion, self.null[0])
        frames = frames + torch.where(has_rhythm, rhythm, self.null[1])
        tempo = torch.where(given.has_rhythm[:, None], tempo, self.null[2])
        style = self.style_in(given.style % self.style_in.num_embeddings)  # -1 is the last row
        x = torch.cat([style[:, None], tempo[:, None], frames], dim=1)  # [B, 2 + F, dim]
        x = x + sinusoids(x.shape[1], self.config.dim, x.device).to(dtype)
        for block in self.encoder:
            x = block(x)
        return self.encoder_norm(x)

    def added(self, memory: torch.Tensor, given: Conditions) -> torch.Tensor:
        """What is added at each column [B, S, dim]: the encoder's frame, beat phase and style.

        Style reaches the decoder here: as one token among hundreds it is found late or never.
        """
        last = memory.shape[1] - 1
        at = (given.frame_at + FRONT_TOKENS).clamp(max=last)  # [B, S]
        left = at.floor().long()[..., None].expand(-1, -1, memory.shape[2])
        right = (left + 1).clamp(max=last)
        share = at.frac()[..., None].to(memory.dtype)
        frame = torch.lerp(memory.gather(1, left), memory.gather(1, right), share)  # [B, S, dim]
        phases = given.step_phases * given.has_rhythm[:, None, None]
        style = self.style_add(given.style % self.style_add.num_embeddings)  # [B, dim]
        return self.frame_add(frame) + self.phase_add(phases.to(self.null.dtype)) + style[:, None]

    def decode(
        self,
        tokens: torch.Tensor,
        memory: torch.Tensor | None = None,
        added: torch.Tensor | None = None,
        cache: DecoderCache | None = None,
        told: list[torch.Tensor | None] | None = None,
        copied: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Logits [B, K, S, V] of the columns after `tokens` [B, K, S]; arguments as of `hidden`."""
        return self.said(self.hidden(tokens, memory, added, cache, told, copied), copied)

    def hidden(
        self,
        tokens: torch.Tensor,
        memory: torch.Tensor | None = None,
        added: torch.Tensor | None = None,
        cache: DecoderCache | None = None,
        told: list[torch.Tensor | None] | None = None,
        copied: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """What the decoder makes of `tokens` [B, K, S], of which `said` makes logits: [B, S, dim].

        With a `cache` (from `start_cache`, which holds `memory`, `added` and `told`) `tokens` are
        those after `cache.position`: any number of them at position 0, later one at a time.
        `copied` [B, L, K, S] are the tokens of the same place before (`copies.py`), of a model that
        looks at them.
        """
        steps = tokens.shape[-1]
        index = tokens + torch.arange(tokens.shape[1], device=tokens.device)[:, None] * (self.pad + 1)
        x = F.embedding(index, self.tokens_in.flatten(0, 1)).sum(1)  # [B, S, dim]
        if self.copies is not None and copied is not None:
            x = x + self.copies.look(copied, self.tokens_in)
        if cache is not None:
            position = cache.position
            assert position == 0 or steps == 1
            x = x + cache.added[:, position : position + steps]
            at = cache.told_at[:, position : position + steps]
            for block, own, cross, each in zip(self.decoder, cache.own, cache.cross, cache.told, strict=True):
                now = None if each is None else each[at]
                x = block(x, cross, own, position, now)
            cache.position += steps
        else:
            x = x + sinusoids(steps, self.config.dim, x.device).to(x.dtype)
            x = x if added is None else x + added
            x = F.dropout(x, self.config.dropout, self.training)
            crosses = [None] * len(self.decoder) if memory is None else self._keys_values(memory)
            told = told or [None] * len(self.decoder)
            for block, keys_values, each in zip(self.decoder, crosses, told, strict=True):
                x = block(x, keys_values, told=each)
        return cast(torch.Tensor, self.decoder_norm(x))

    def said(self, hidden: torch.Tensor, copied: torch.Tensor | None = None) -> torch.Tensor:
        """Logits [B, K, S, V] of the decoder's `hidden` [B, S, dim]."""
        logits = linear(self.heads, hidden).unflatten(-1, (self.config.codebooks, -1))
        if self.copies is not None and copied is not None:
            logits = self.copies.raised(logits, copied, hidden)
        return logits.transpose(1, 2)

    def told(self, given: Conditions) -> list[torch.Tensor | None]:
        """What each layer is told of the place of every column [B, S, PARTS, dim], if anything."""
        if self.place_in is None:
            return [None] * len(self.decoder)
        return [*self.place_in(given.place, given.style)]

    def told_once(self, given: Conditions) -> tuple[list[torch.Tensor | None], torch.Tensor]:
        """The same for every place that differs, as `DecoderCache` has it: bars repeat, places with them."""
        batch, columns = given.place.shape[:2]
        if self.place_in is None:
            return [None] * len(self.decoder), given.place.new_zeros(batch, columns)
        style = given.style[:, None, None].expand(-1, columns, -1)
        rows, at = torch.cat([given.place, style], -1).flatten(0, 1).unique(dim=0, return_inverse=True)
        told = self.place_in(rows[:, None, :-1], rows[:, -1])
        return [each[:, 0] for each in told], at.view(batch, columns)

    def start_cache(self, given: Conditions) -> DecoderCache:
        """Encodes a window once, for decoding it step by step."""
        memory = self.encode(given)
        added = self.added(memory, given)
        batch, steps, dim = added.shape
        heads = self.config.heads
        own = [memory.new_empty(2, batch, heads, steps, dim // heads) for _ in self.decoder]
        added = added + sinusoids(steps, dim, added.device).to(added)
        return DecoderCache(own, self._keys_values(memory), added, *self.told_once(given))

    def _keys_values(self, memory: torch.Tensor) -> list[torch.Tensor]:
        return [cast(Block, block).cross.keys_values(memory) for block in self.decoder]

    def forward(
        self, tokens: torch.Tensor, given: Conditions, copied: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Logits [B, K, S, V] of a whole window at once, for teacher forcing; see `shift_right`."""
        return self.said(self.window(tokens, given, copied), copied)

    def window(
        self, tokens: torch.Tensor, given: Conditions, copied: torch.Tensor | None = None
    ) -> torch.Tensor:
        """`hidden` [B, S, dim] of a whole window at once."""
        memory = self.encode(given)
        added = self.added(memory, given)
        return self.hidden(tokens, memory, added, told=self.told(given), copied=copied)

    def shift_right(self, delayed: torch.Tensor) -> torch.Tensor:
        """Decoder input that predicts `delayed` [B, K, S]: its columns one later, `start` first."""
        return F.pad(delayed[:, :, :-1], (1, 0), value=self.start)
