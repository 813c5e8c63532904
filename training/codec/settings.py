"""Settings of a codec training; the command line is made from these fields."""

from __future__ import annotations

import math
from dataclasses import dataclass

from d2m_core.errors import SettingError

from .hum import LINE_PERIODS
from .tones import TONE_WINDOW

SAMPLE_RATE = 24_000
"""Samples per second of the codec, whatever the rate of the music it learns from."""

JUDGES = ("none", "stft", "periods", "both")
"""Who tells real from decoded sound; none is for runs on a CPU."""

CONTESTS = ("hinge", "squares")
"""Adversarial losses: EnCodec's and DAC's."""

BOOKS = ("ema", "factored")
"""How codebooks learn: moving averages (EnCodec) or few-dimensional unit codes (after DAC)."""

FREE = (
    "out", "name", "folder", "data", "minutes", "stop_after", "steps", "resume", "device", "held_out_s",
    "report_every", "save_s",
)  # fmt: skip
"""Settings that may differ when a run goes on. The music itself is compared, not its place."""

DEVICES = ("auto", "cpu")
PRECISIONS = ("auto", "float32", "bfloat16")


@dataclass(frozen=True)
class CodecTraining:
    """Settings of one run. Steps of tokens last `ratios`' product in samples at 24 kHz."""

    out: str = "runs/codec/trained"
    """Folder that receives config.json and model.safetensors."""
    name: str = ""
    """What checkpoints and tokens know the codec by: one trained anew is another one, so give it a
    new name. The name of `out` if empty."""
    folder: str = "runs/codec"
    """Folder of the pool, the checkpoint and the log."""
    data: str = "band"
    """`band` makes music on the spot; else a folder of studio shards."""
    pool_minutes: float = 60.0
    """Minutes of band music to make where `data` is `band`."""
    minutes: float = 45.0
    """Wall-clock minutes of training, earlier parts of a resumed run included."""
    stop_after: float = 0.0
    """Minutes after which this call saves, exports and ends, whatever it did in them; the same
    command goes on. 0 for never."""
    steps: int = 0
    """Length of the run in steps instead of minutes, where above 0: then it can be repeated."""
    resume: bool = True
    """Go on from the state in `folder`, if there is one; it must be of the same settings and music.
    Without, begin anew and replace it."""
    device: str = "auto"
    """auto or cpu; auto takes GPUs where there are any, one for each process."""
    precision: str = "auto"
    """auto, float32 or bfloat16; auto takes bfloat16 where the machine computes in it."""
    seed: int = 0

    init: str = ""
    """Codec folder to start from, codebooks and all; its shape must be these settings'."""
    straight: bool = False
    """For straight music (`--straight` of the studio): segments begin on token steps and come as
    they are, mostly; held out are pieces of the same bands, whose repeats are counted."""

    ratios: tuple[int, ...] = (8, 5, 4, 3)
    """Upsampling from token steps to samples: 8 5 4 3 for 50 steps/s, 8 8 5 3: 25, 8 5 4 2: 75."""
    codebooks: int = 4
    cardinality: int = 1024
    filters: int = 16
    """Channels at the sample rate; they double at every ratio."""
    hidden: int = 128
    """Width of the latents and of the codebook entries."""
    lstm_layers: int = 1
    """0 leaves the LSTM out."""
    residual_layers: int = 1
    causal: bool = True
    """Whether a token depends on the past alone, so that a stream needs no look ahead."""

    books: str = "ema"
    """ema or factored."""
    factors: int = 8
    """Dimensions of factored codes."""
    book_decay: float = 0.99
    revive: float = 0.1
    """Entries used less than this share of the mean move to where data lies."""
    quantizer_dropout: float = 0.0
    """Share of batch entries that use a random number of codebooks."""
    book_choices: tuple[int, ...] = ()
    """Numbers of codebooks that such an entry may use, each as likely; empty: all from 1 on."""
    continuous_steps: int = 250
    """Steps before the codebooks start."""
    commitment_weight: float = 0.2

    batch: int = 8
    """Segments per step over all processes."""
    segment_s: float = 0.64
    """Length of a training segment in seconds, rounded to whole token steps."""
    skipped_steps: int = 0
    """Token steps at a segment's start that no loss hears: the codec has no past there."""
    rate: float = 1.5e-3
    """Highest learning rate; it falls as a cosine of the run."""
    warm_steps: int = 100
    clip_norm: float = 1.0
    average_decay: float = 0.998
    """Of the moving average of the weights, which is what is exported."""

    mel_weight: float = 20.0
    linear_weight: float = 0.5
    log_weight: float = 0.0
    balance_weight: float = 6.0
    wave_weight: float = 5.0
    tone_weight: float = 0.0
    """Weight of tones that stand out less than they should (`tones`)."""
    hum_weight: float = 0.0
    """Weight of what repeats with every token step and should not (`hum`)."""
    line_weight: float = 0.0
    """Weight of lines at multiples of the token rate (`hum`)."""
    ramp: float = 0.4
    """Share of the run in which the mel weight rises from a fifth, the waveform's falls to one."""
    scales_per_step: int = 3
    """How many of the spectral window lengths each step looks through."""
    balancer: bool = False
    """Weights become shares of the gradient at the sound, whatever the size of each loss."""

    judges: str = "none"
    """none, stft, periods or both."""
    contest: str = "hinge"
    """hinge or squares."""
    judges_from: int = 5000
    """Step at which the judges join."""
    judge_windows: tuple[int, ...] = (2048, 1024, 512, 256, 128)
    judge_periods: tuple[int, ...] = (2, 3, 5, 7, 11)
    judge_channels: int = 32
    judge_rate: float = 3e-4
    judge_updates: float = 0.67
    """Share of steps in which the judges learn (EnCodec's two thirds)."""
    judge_weight: float = 0.5
    match_weight: float = 2.0

    held_out_s: float = 6.0
    """Length of each piece that measures the codec, in seconds."""
    report_every: int = 100
    save_s: float = 240.0
    """Seconds between checkpoints with a measurement."""

    def __post_init__(self) -> None:
        for name, choices in (
            ("judges", JUDGES),
            ("contest", CONTESTS),
            ("books", BOOKS),
            ("precision", PRECISIONS),
            ("device", DEVICES),
        ):
            value = getattr(self, name)
            if value not in choices:
                raise SettingError(f"{name} is {value!r}; choose one of {', '.join(choices)}.")
        if SAMPLE_RATE % self.hop:
            raise SettingError(
                f"ratios {self.ratios} make steps of {self.hop} samples, which do not divide "
                f"{SAMPLE_RATE}; choose such as 8 5 4 3."
            )
        heard = self.segment_samples // self.hop - self.skipped_steps
        if heard < (LINE_PERIODS if self.line_weight else 1):
            raise SettingError(
                f"segment_s {self.segment_s:g} leaves {heard} token steps, {self.skipped_steps} are"
                f" skipped; give a longer one ({LINE_PERIODS} steps with line_weight)."
            )
        if self.tone_weight and heard * self.hop < TONE_WINDOW:
            raise SettingError(
                f"segment_s {self.segment_s:g} leaves {heard * self.hop} samples, and tones are"
                f" heard in {TONE_WINDOW}; give a longer one."
            )
        if any(not 0 < books <= self.codebooks for books in self.book_choices):
            raise SettingError(f"book_choices are {self.book_choices}; choose 1 to {self.codebooks}.")
        if self.cardinality < 2 or self.cardinality & (self.cardinality - 1):
            raise SettingError(f"cardinality is {self.cardinality}; choose a power of two.")

    @property
    def hop(self) -> int:
        """Samples per token step."""
        return math.prod(self.ratios)

    @property
    def token_rate(self) -> float:
        """Token steps per second."""
        return SAMPLE_RATE / self.hop

    @property
    def segment_samples(self) -> int:
        """Samples of a training segment, whole token steps."""
        return max(1, round(self.segment_s * self.token_rate)) * self.hop
