"""What all unit tests share."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _two_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model of random weights never makes what it is asked for: more rounds of attempts would only take time."""
    monkeypatch.setattr("backend.orders.ROUNDS", 2)
