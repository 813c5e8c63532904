"""Codebooks that learn: by property, and equal to what a plain EnCodec does with them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from training.codec.factored import FactoredBooks
from training.codec.network import make_codec
from training.codec.quantizer import LearningQuantizer, kmeans, nearest, perplexity
from training.codec.settings import CodecTraining

TINY = CodecTraining(filters=4, hidden=16, cardinality=16)


@pytest.fixture(autouse=True)
def one_seed() -> None:
    torch.manual_seed(0)


@pytest.fixture
def model() -> Any:
    return make_codec(TINY)


def test_nearest_agrees_with_all_distances() -> None:
    book, points = torch.randn(7, 5), torch.randn(20, 5)
    assert torch.equal(nearest(book, points), torch.cdist(points, book).argmin(1))


def test_kmeans_finds_separate_clusters() -> None:
    centres = torch.eye(4) * 10
    points = centres.repeat(50, 1) + 0.01 * torch.randn(200, 4)
    found = kmeans(points, 4, 10, torch.Generator().manual_seed(3))
    assert float(torch.cdist(found, centres).min(1).values.max()) < 8.0
    assert float(torch.cdist(points, found).min(1).values.mean()) < 5.0


def test_books_learn_and_pass_gradients_straight(model: Any) -> None:
    quantizer = LearningQuantizer(model.quantizer, seed=0)
    latent = torch.randn(4, 16, 32, requires_grad=True)
    quantizer.start(latent.detach().transpose(1, 2).reshape(-1, 16))
    before = quantizer(latent, learn=False)
    for step in range(30):
        quantizer(latent, step=step)
    after = quantizer(latent, learn=False)
    assert float(after.commitment.detach()) <= float(before.commitment.detach())
    assert after.codes.shape == (4, 4 * 32)
    (after.values * 3).sum().backward()
    torch.testing.assert_close(latent.grad, torch.full_like(latent, 3.0))


def test_training_codes_equal_those_of_the_model(model: Any) -> None:
    quantizer = LearningQuantizer(model.quantizer, seed=0)
    latent = torch.randn(2, 16, 10)
    quantizer.start(torch.randn(200, 16))
    result = quantizer(latent, learn=False)
    codes = model.quantizer.encode(latent)  # [K, B, T]
    assert torch.equal(result.codes, codes.flatten(1))
    torch.testing.assert_close(result.values, model.quantizer.decode(codes))


def test_entries_with_fewer_books_sound_by_the_first_ones(model: Any) -> None:
    quantizer = LearningQuantizer(model.quantizer, seed=0)
    quantizer.start(torch.randn(200, 16))
    latent = torch.randn(3, 16, 10)
    used = torch.tensor([1, 4, 2])
    result = quantizer(latent, used, learn=False)
    codes = model.quantizer.encode(latent)
    for entry, books in enumerate(used.tolist()):
        alone = model.quantizer.decode(codes[:books, entry : entry + 1])
        torch.testing.assert_close(result.values[entry : entry + 1], alone)
    assert torch.equal(result.codes, codes.flatten(1))  # the books still see everything


def test_unused_entries_come_back(model: Any) -> None:
    quantizer = LearningQuantizer(model.quantizer, seed=0, decay=0.5)
    quantizer.start(torch.randn(200, 16))
    book = model.quantizer.layers[0].codebook
    book.embed[0] = 1e3
    book.embed_avg[0] = 1e3
    for step in range(8):
        quantizer(torch.randn(2, 16, 20), step=step)
    assert float(book.embed[0].abs().max()) < 10


def test_a_step_of_the_books_can_be_repeated(model: Any) -> None:
    other = make_codec(TINY)
    one, two = (LearningQuantizer(m.quantizer, seed=5, revive=0.9) for m in (model, other))
    points, latent = torch.randn(200, 16), torch.randn(2, 16, 20)
    for quantizer in (one, two):
        torch.rand(1)  # chance elsewhere does not matter
        quantizer.start(points)
        quantizer(latent, step=7)
    for a, b in zip(one.books, two.books, strict=True):
        assert torch.equal(a.embed, b.embed)  # type: ignore[arg-type]


def test_perplexity_counts_entries_in_use(model: Any) -> None:
    codes = torch.stack((torch.arange(64) % 8, torch.zeros(64, dtype=torch.int64)))
    assert perplexity(codes, 16) == pytest.approx([8.0, 1.0], rel=1e-4)
    quantizer = LearningQuantizer(model.quantizer, seed=0, decay=0.0, revive=0.0)
    quantizer.start(torch.randn(200, 16))
    latent = torch.randn(4, 16, 50)
    quantizer(latent)
    seen = quantizer(latent, learn=False).codes
    assert len(quantizer.perplexities()) == 4
    assert 1 < quantizer.perplexities()[0] <= 16
    assert seen.shape == (4, 200)


def test_factored_books_fold_into_what_they_trained_as(model: Any) -> None:
    books = FactoredBooks(4, 16, factors=4, width=16, seed=0)
    books.start(torch.randn(300, 16))
    latent = torch.randn(2, 16, 10, requires_grad=True)
    result = books(latent)
    books.fold(model.quantizer)
    codes = model.quantizer.encode(latent.detach())
    assert torch.equal(result.codes, codes.flatten(1))
    torch.testing.assert_close(result.values.detach(), model.quantizer.decode(codes))
    norms = (books.tables() - books.middle)[0] @ torch.linalg.pinv(books.out[0])
    torch.testing.assert_close(norms.norm(dim=1), torch.ones(16))
    (result.values * 3).sum().backward()
    torch.testing.assert_close(latent.grad, torch.full_like(latent, 3.0))


def test_factored_books_learn_by_gradient() -> None:
    books = FactoredBooks(2, 32, factors=4, width=16, seed=0)
    mixed = torch.randn(4, 16)
    points = torch.randn(500, 4) @ mixed
    books.start(points)
    latent = points[:400].reshape(4, 100, 16).transpose(1, 2)
    optimizer = torch.optim.Adam(books.parameters(), 1e-2)
    first = float(books(latent).commitment.detach())
    for _ in range(100):
        optimizer.zero_grad()
        books(latent).commitment.backward()
        optimizer.step()
    last = books(latent)
    assert float(last.commitment.detach()) < 0.9 * first
    assert min(perplexity(last.codes, 32)) > 16
