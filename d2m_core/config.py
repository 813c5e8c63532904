"""Every setting, in frozen dataclasses that refuse nonsense when they are made.

Command lines are generated from these fields (`training.train` and friends), and checkpoints store
them as JSON, so a setting has one name everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .errors import require

STYLES = (
    "house", "techno", "disco", "funk", "hiphop", "latin", "trap", "breakbeat", "dnb", "pop",
    "rock", "reggaeton", "swing", "waltz",
)  # fmt: skip
"""Styles the default model knows; a checkpoint carries its own list."""

STYLE_METRES = {"waltz": 3}
"""Beats in a bar of styles that do not have four."""

TEMPO_RANGE_BPM = (60.0, 180.0)
"""Tempi that can be found in a dance or asked for."""

COMPILERS = ("none", "inductor", "eager")
"""What `TrainConfig.compile` may be."""

MOST_CANDIDATES = 64
"""Pieces of music that may be written at once for one to be chosen."""


def metre_of_style(style: str | None) -> int | None:
    """Beats in a bar of one of `STYLES`; None for no style, or one that only its maker knows."""
    return STYLE_METRES.get(style, 4) if style in STYLES else None


@dataclass(frozen=True)
class RhythmConfig:
    """Shape of the rhythm network: a dilated convolutional network over motion features."""

    features: int = 0
    """Motion features per frame (D)."""
    channels: int = 64
    layers: int = 8
    """Residual blocks; block i has dilation 2 ** (i % 8)."""
    kernel: int = 5
    dropout: float = 0.1
    parts: bool = False
    """Whether there are curves of what kick, snare and hat might answer (`types.PART_CURVES`)."""
    tempo_bins: int = 0
    """Bins of the tempo distribution, evenly spread in octaves; 0 has none."""

    def __post_init__(self) -> None:
        require(
            self.features > 0, f"features is {self.features}; give the number of motion features."
        )
        require(self.tempo_bins >= 0, f"tempo_bins is {self.tempo_bins}; use 0 or more.")
        require(self.kernel % 2 == 1, f"kernel is {self.kernel}; choose an odd number.")


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
    """Whether cross-attention comes through gates that start shut (`TrainConfig.init`)."""

    def __post_init__(self) -> None:
        require(
            self.dim % self.heads == 0 and (self.dim // self.heads) % 2 == 0,
            f"dim {self.dim} must be an even multiple of heads {self.heads}.",
        )
        require(self.window_s > 1.0, f"window_s is {self.window_s}; use more than one second.")
        require(len(set(self.styles)) == len(self.styles), f"styles repeat: {self.styles}.")


@dataclass(frozen=True)
class TrainConfig:
    """How the transformer is trained; `training.train` makes its flags from these fields."""

    data: str = "runs/items"
    """Folder of training items (`training.data`)."""
    out: str = "weights/model.safetensors"
    """The finished checkpoint."""
    folder: str = "runs/model"
    """Folder of the resumable state, the averaged weights so far and the log."""
    resume: bool = False
    """Go on from the state in `folder`."""
    init: str = ""
    """What to fine-tune: a checkpoint of ours (.safetensors), or a folder in MusicGen's format or
    its name on the hub, for the decoder. Its weights also decide the network's size."""
    lora: int = 0
    """With `init`: train adapters of this rank in the decoder (peft) and leave its weights alone;
    0 trains everything."""
    minutes: float = 45.0
    """Wall-clock budget, earlier parts of a resumed run included."""
    steps: int = 0
    """Train for this many steps instead; 0 goes by `minutes`."""
    batch: int = 8
    """Windows per step over all processes."""
    accumulate: int = 1
    """Parts that a process takes its share in, one after the other: less memory, same step."""
    learning_rate: float = 1e-3
    warmup_steps: int = 100
    weight_decay: float = 0.05
    clip_norm: float = 1.0
    ema: float = 0.995
    """Decay of the averaged weights, which are the ones exported."""
    codebook_weights: tuple[float, ...] = (1.0, 0.9, 0.7, 0.6)
    """Weight of each codebook's loss; the last one counts for further codebooks."""
    drop_motion: float = 0.3
    """How often motion alone is left out, so that rhythm alone is enough."""
    drop_rhythm: float = 0.05
    drop_style: float = 0.15
    drop_all: float = 0.1
    """How often everything is left out, for classifier-free guidance."""
    short_windows: float = 0.2
    """Share of the batches whose windows are shorter, down to a third: for short clips."""
    jitter_s: float = 0.004
    """Standard deviation of a window's shift of the beats."""
    curve_noise: float = 0.03
    """Standard deviation of the noise on the rhythm curves."""
    hold_out: int = 20
    """Every n-th item is kept for validation; 0 keeps none."""
    precision: str = "auto"
    """float32, bfloat16, or auto: whichever is faster here."""
    compile: str = "none"
    """torch.compile: none, inductor (faster after minutes of compiling), or eager to try it out."""
    device: str = "auto"
    threads: int = 0
    """CPU threads; 0 leaves the default."""
    seed: int = 0
    log_every: int = 20
    save_every_s: float = 240.0
    """Seconds between saved states with a validation."""
    sample_every: int = 0
    """Steps between pieces of music that TensorBoard gets, with scores; 0 makes none."""
    codec: str = ""
    """Codec to listen to them with, a name or folder; empty takes the data's by its name."""
    data_note: str = ""
    """What the data is, for the checkpoint's description."""
    licence: str = "MIT"
    """Licence of the weights; it follows from the data."""

    def __post_init__(self) -> None:
        require(self.steps > 0 or self.minutes > 0, "Give steps or minutes of training.")
        require(self.batch > 0, f"batch is {self.batch}; use 1 or more.")
        require(self.accumulate > 0, f"accumulate is {self.accumulate}; use 1 or more.")
        require(self.learning_rate > 0, f"learning_rate is {self.learning_rate}; use more than 0.")
        require(0 <= self.ema < 1, f"ema is {self.ema}; use 0 to less than 1.")
        require(len(self.codebook_weights) > 0, "codebook_weights is empty; give one or more.")
        require(self.lora >= 0, f"lora is {self.lora}; use 0 (train everything) or a rank.")
        require(
            self.lora == 0 or bool(self.init),
            f"lora is {self.lora}, and there is nothing to adapt; give init as well.",
        )
        require(
            self.compile in COMPILERS,
            f"compile is {self.compile!r}; choose {', '.join(COMPILERS)}.",
        )
        require(self.sample_every >= 0, f"sample_every is {self.sample_every}; use 0 or more.")
        shares = (
            self.drop_motion,
            self.drop_rhythm,
            self.drop_style,
            self.drop_all,
            self.short_windows,
        )
        require(all(0 <= s <= 1 for s in shares), f"shares must be 0 to 1, got {shares}.")
        require(
            self.precision in ("auto", "float32", "bfloat16"),
            f"precision is {self.precision!r}; choose auto, bfloat16 or float32.",
        )


SYNTHETIC = "synthetic"
"""As `TrainConfig.data`: a few items made up in memory."""

PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "tiny": {
        "data": SYNTHETIC, "steps": 60, "batch": 4, "learning_rate": 1e-2, "warmup_steps": 5,
        "ema": 0.9, "hold_out": 4, "precision": "float32", "log_every": 10, "dim": 32, "heads": 2,
        "encoder_layers": 1, "decoder_layers": 1, "ffn": 64, "dropout": 0.0, "window_s": 2.0,
    },
    "base": {
        "dim": 512, "heads": 8, "encoder_layers": 4, "decoder_layers": 8, "ffn": 2048,
        "batch": 64, "learning_rate": 4e-4, "warmup_steps": 1000, "ema": 0.999,
        "precision": "bfloat16", "compile": "inductor", "minutes": 480.0, "window_s": 15.0,
    },
    "large": {
        "dim": 1024, "heads": 16, "encoder_layers": 6, "decoder_layers": 24, "ffn": 4096,
        "batch": 128, "accumulate": 2, "learning_rate": 1e-4, "warmup_steps": 2000, "ema": 0.9999,
        "precision": "bfloat16", "compile": "inductor", "minutes": 2880.0, "window_s": 20.0,
    },
}  # fmt: skip
"""Defaults of `ModelConfig` and `TrainConfig` to start from: `tiny` runs in a minute on made-up
items, `default` is for a CPU, `base` for one GPU, `large` for several."""


@dataclass(frozen=True)
class SamplingConfig:
    """How tokens are drawn."""

    seed: int = 0
    temperature: float = 1.0
    """0 takes the likeliest token at every step."""
    top_k: int = 0
    """Keep the k likeliest tokens; 0 keeps all."""
    top_p: float = 1.0
    """Keep the likeliest tokens that together reach this probability; 1 keeps all."""
    guidance: float = 2.5
    """Classifier-free guidance: 1 follows the dance as trained, more follows it harder."""
    style: str | None = None
    """One of the checkpoint's styles; None lets the model choose."""
    style_guidance: float = 2.0
    """How much further from music in any style, where a style is asked for; 0 is none."""
    overlap_s: float = 3.0
    """Seconds of known music each further window of a long clip starts from."""
    candidates: int = 1
    """So many are written at once, and the one whose hits agree best with the rhythm is taken."""

    def __post_init__(self) -> None:
        require(
            1 <= self.candidates <= MOST_CANDIDATES,
            f"candidates is {self.candidates}; use 1 to {MOST_CANDIDATES}.",
        )
        require(self.temperature >= 0, f"temperature is {self.temperature}; use 0 or more.")
        require(self.top_k >= 0, f"top_k is {self.top_k}; use 0 (all) or more.")
        require(0 < self.top_p <= 1, f"top_p is {self.top_p}; use more than 0 and at most 1.")
        require(self.guidance >= 0, f"guidance is {self.guidance}; use 0 or more.")
        require(
            self.style_guidance >= 0,
            f"style_guidance is {self.style_guidance}; use 0 or more.",
        )
        require(self.overlap_s > 0, f"overlap_s is {self.overlap_s}; use more than 0.")
        require(0 <= self.seed < 2**64, f"seed is {self.seed}; use 0 to 2**64 - 1.")

    @property
    def guides_style(self) -> bool:
        """Whether the style is guided by itself."""
        return self.style is not None and self.style_guidance > 0

    @property
    def sides(self) -> int:
        """How many windows are written side by side for one."""
        return 1 + (self.guidance != 1) + self.guides_style


def check_tempo(tempo_bpm: float) -> float:
    """Returns `tempo_bpm`, or raises `SettingError` where it lies outside `TEMPO_RANGE_BPM`."""
    low, high = TEMPO_RANGE_BPM
    require(low <= tempo_bpm <= high, f"Tempo is {tempo_bpm:g} BPM; choose {low:g} to {high:g}.")
    return tempo_bpm
