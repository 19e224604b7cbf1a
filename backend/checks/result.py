"""The outcome of a check."""

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class CheckResult:
    """What a check found in a motion.

    Attributes:
        kind: id of the interaction that was looked for.
        passed: whether it was found.
        actor: "A", "B" or "both"; None where it was not found.
        measured: the quantities that decided, by name with their unit (m, s, deg, mps).
    """

    kind: str
    passed: bool
    actor: str | None = None
    measured: dict[str, float] = field(default_factory=dict)


def decide(kind: str, passed: bool | np.bool_, actor: str = "both", **measured: float | np.floating) -> CheckResult:
    """A result whose actor counts only if the check passed; figures are rounded to 3 digits."""
    figures = {name: round(float(value), 3) for name, value in measured.items()}
    return CheckResult(kind, bool(passed), actor if passed else None, figures)


def strongest(results: list[CheckResult], by: str) -> CheckResult:
    """The result that passed, or else that came nearest, by a measured quantity of which more is better."""
    return max(results, key=lambda result: (result.passed, result.measured[by]))


def by_whom(kind: str, found: list[CheckResult], by: str) -> CheckResult:
    """One result out of one for each person, where one or both may do it: passed if anyone did it."""
    who = [name for name, result in zip("AB", found, strict=True) if result.passed]
    best = strongest(found, by=by)
    return CheckResult(kind, best.passed, None if not who else "both" if len(who) == 2 else who[0], best.measured)
