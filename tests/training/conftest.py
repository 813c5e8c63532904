"""What tests of kept things share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from training.run import provenance


@pytest.fixture
def other_code(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Once it is called, all code counts as changed."""
    before = provenance._code_of

    def change() -> None:
        monkeypatch.setattr(provenance, "_code_of", lambda *given: f"changed {before(*given)}")

    return change
