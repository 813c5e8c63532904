"""Torch's number of CPU threads: changed for who writes music, and for nobody else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from d2m_core.music.threads import threads_here


@pytest.fixture
def _two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def number_in_a_new_thread() -> int:
    with ThreadPoolExecutor(1) as new:
        return new.submit(torch.get_num_threads).result()


@pytest.mark.usefixtures("_two_threads")
def test_two_at_once_leave_every_thread_as_it_was() -> None:
    inside, leave = [threading.Event(), threading.Event()], [threading.Event(), threading.Event()]

    def generate(which: int) -> list[int]:
        numbers = [torch.get_num_threads()]
        with threads_here(1):
            inside[which].set()
            leave[which].wait(10)
            numbers.append(torch.get_num_threads())
        return [*numbers, torch.get_num_threads()]

    with ThreadPoolExecutor(2) as pool:
        runs = []
        for which in (0, 1):  # the second begins while the first is at work
            runs.append(pool.submit(generate, which))
            assert inside[which].wait(10)
            assert number_in_a_new_thread() == 2, "born while music is written"
        for which in (0, 1):
            leave[which].set()
            assert runs[which].result(10) == [2, 1, 2]
    assert number_in_a_new_thread() == 2
    assert torch.get_num_threads() == 2


@pytest.mark.usefixtures("_two_threads")
def test_an_error_inside_puts_the_number_back() -> None:
    def stopped() -> None:
        with threads_here(1):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert torch.get_num_threads() == number_in_a_new_thread() == 2
