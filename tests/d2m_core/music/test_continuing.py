"""Going on from music that is there: what is kept, what is written, what is refused."""

from __future__ import annotations

import pytest
import torch

from d2m_core.errors import ModelError
from d2m_core.music import SamplingConfig, generate_tokens
from d2m_core.types import AudioTokens, CodecSpec

from .test_sampling import SPEC, dance, loaded

CONFIG = SamplingConfig(overlap_s=0.5, seed=4)


def start(steps: int, codec: CodecSpec = SPEC, batch: int = 1) -> AudioTokens:
    generator = torch.Generator().manual_seed(1)
    shape = (batch, codec.codebooks, steps)
    return AudioTokens(torch.randint(0, codec.cardinality, shape, generator=generator), codec)


@pytest.mark.parametrize("steps", [1, 40, 100, 130, 212, 286])
def test_the_start_is_kept_and_the_rest_written(steps: int) -> None:
    """From within a window, from its end, over whole windows, and where nothing is left."""
    known = start(steps)
    progress: list[tuple[int, int]] = []
    tokens = generate_tokens(
        loaded(), *dance(5.72), SPEC, CONFIG, lambda *at: progress.append(at), known=known
    )
    assert tokens.codes.shape == (1, 3, 286)
    torch.testing.assert_close(tokens.codes[..., :steps], known.codes)
    assert int(tokens.codes.min()) >= 0
    again = generate_tokens(loaded(), *dance(5.72), SPEC, CONFIG, known=known)
    assert torch.equal(tokens.codes, again.codes)
    if steps < 286:
        assert progress[-1] == (286, 286)


def test_what_follows_depends_on_what_is_kept() -> None:
    one, other = start(60), start(61)
    other = AudioTokens(other.codes.flip(-1)[..., :60].contiguous(), SPEC)
    made = [
        generate_tokens(loaded(), *dance(3.0), SPEC, CONFIG, known=known).codes[..., 60:]
        for known in (one, other)
    ]
    assert not torch.equal(*made)


def test_more_than_needed_is_cut() -> None:
    known = start(400)
    tokens = generate_tokens(loaded(), *dance(2.0), SPEC, CONFIG, known=known)
    torch.testing.assert_close(tokens.codes, known.codes[..., :100])


def test_the_first_books_of_a_finer_codec_are_taken() -> None:
    finer = CodecSpec("tiny", 24_000, 50.0, 5, 16)
    known = start(50, finer)
    tokens = generate_tokens(loaded(), *dance(2.0), SPEC, CONFIG, known=known)
    torch.testing.assert_close(tokens.codes[..., :50], known.codes[:, :3])


@pytest.mark.parametrize(
    ("codec", "batch"),
    [(CodecSpec("other", 24_000, 50.0, 3, 16), 1), (SPEC, 2), (CodecSpec("tiny", 24_000, 50.0, 2, 16), 1)],
)
def test_tokens_of_another_codec_are_refused(codec: CodecSpec, batch: int) -> None:
    with pytest.raises(ModelError, match="one piece of the model's own codec"):
        generate_tokens(loaded(), *dance(2.0), SPEC, CONFIG, known=start(50, codec, batch))
