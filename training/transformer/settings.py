"""How the transformer is trained; `training.train` makes its flags from these fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from d2m_core.errors import require

COMPILERS = ("none", "inductor", "eager")
"""What `TrainConfig.compile` may be."""

OPTIMISERS = ("adamw", "muon")
"""What `TrainConfig.optimiser` may be."""

FREE = (
    "data", "out", "folder", "resume", "minutes", "stop_after", "steps", "accumulate", "compile",
    "device", "threads", "log_every", "save_every_s", "sample_every", "codec", "data_note", "licence",
)  # fmt: skip
"""Settings that may differ when a run goes on. The data itself is compared, not its place."""


@dataclass(frozen=True)
class TrainConfig:
    """How the transformer is trained; `training.train` makes its flags from these fields."""

    data: str = "runs/items"
    """Folder of training items (`training.transformer.windows`)."""
    out: str = "runs/model.safetensors"
    """The finished checkpoint."""
    folder: str = "runs/model"
    """Folder of the resumable state, the averaged weights so far and the log."""
    resume: bool = True
    """Go on from the state in `folder`, if there is one; it must be of the same settings and data.
    Without, begin anew and replace it."""
    init: str = ""
    """What to fine-tune: a checkpoint of ours (.safetensors), or a folder in MusicGen's format or
    its name on the hub, for the decoder. Its weights also decide the network's size."""
    lora: int = 0
    """With `init`: train adapters of this rank in the decoder (peft) and leave its weights alone;
    0 trains everything."""
    minutes: float = 45.0
    """Wall-clock minutes of training, earlier parts of a resumed run included."""
    stop_after: float = 0.0
    """Minutes after which this call saves, exports and ends, to be resumed; 0 for never."""
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
    heads_weight: float = 0.0
    """Weight of heads for chroma, loudness and the next steps, which are not exported; 0 has none."""
    even_start: bool = False
    """Begin with weights at which every part is heard at once (`start_even`), not MusicGen's."""
    optimiser: str = "adamw"
    """adamw, or muon for the matrices of the layers and adamw for the rest."""
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
        require(self.heads_weight >= 0, f"heads_weight is {self.heads_weight}; use 0 (no heads) or more.")
        require(
            self.optimiser in OPTIMISERS, f"optimiser is {self.optimiser!r}; choose {', '.join(OPTIMISERS)}."
        )
        require(
            self.heads_weight == 0 or self.lora == 0,
            "heads_weight trains heads beside the whole network; leave it out with lora.",
        )
        require(self.compile in COMPILERS, f"compile is {self.compile!r}; choose {', '.join(COMPILERS)}.")
        require(self.sample_every >= 0, f"sample_every is {self.sample_every}; use 0 or more.")
        shares = (self.drop_motion, self.drop_rhythm, self.drop_style, self.drop_all, self.short_windows)
        require(all(0 <= s <= 1 for s in shares), f"shares must be 0 to 1, got {shares}.")
        require(
            self.precision in ("auto", "float32", "bfloat16"),
            f"precision is {self.precision!r}; choose auto, bfloat16 or float32.",
        )


SYNTHETIC = "synthetic"
"""As `TrainConfig.data`: a few items made up in memory."""

PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "straight": {
        "straight": True, "place": 96, "copies": True, "even_start": True, "batch": 4, "dim": 192,
        "decoder_layers": 4, "dropout": 0.0, "ema": 0.998,
    },
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
items, `default` is for a CPU, `straight` too and of the shipped model's shape, for items in straight
time; `base` is for one GPU, `large` for several."""
