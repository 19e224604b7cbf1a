"""What the clean-up of `backend.cleanup` does to motion: one table of figures before and after it.

    python -m tests.benchmarks.cleanup                           true scenes, and the same with roots led astray
    python -m tests.benchmarks.cleanup --generated FOLDER        and what the shipped checkpoint decodes, kept in FOLDER

Scenes come from the test split of the corpus in ``data/corpus``, or in ``--corpus``.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.checks import finds
from backend.cleanup.cleaner import cleaned
from backend.cleanup.expected import EXPECTED
from backend.corpus.choreographer.body import palms
from backend.corpus.choreographer.families import KINDS
from backend.corpus.scene import ARRAYS, Contact, Scene, read_scene_motion, read_scenes
from backend.evaluate.contacts import Agreement, agreement
from backend.evaluate.physics import physics
from protocol.motion import Motion, joined_in_time

ROOT = Path(__file__).parents[2]
SECONDS, SEEDS = 5.0, 6
"""Length of what is generated, and motions of each kind."""
WRISTS = ("left_wrist", "right_wrist")
ASTRAY = (0.03, 0.12)
"""Metres by which roots are led astray at most, by a person."""
SLOWEST, FASTEST = 4.0, 1.0
"""Seconds of a period of that."""
FALSE = 0.05
"""Metres between palms within which they touch."""
HEAD = (
    "motions                    skate m/s  planted  toe m/s  worst cm  jerk  moved mm"
    "  hands cm  contact F1  right  false touches"
)


@dataclass(frozen=True)
class Case:
    """A motion to clean up, and what is known about it.

    Attributes:
        kind: id of the interaction.
        motion: before the clean-up.
        truth: what it should be; None if nobody knows.
        contacts: palms that touch in the truth.
    """

    kind: str
    motion: Motion
    truth: Motion | None = None
    contacts: tuple[Contact, ...] = ()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=ROOT / "data" / "corpus", help="folder of true scenes")
    parser.add_argument("--scenes", type=int, default=3, help="scenes of each kind")
    parser.add_argument("--generated", type=Path, help="folder of decoded motions; made if it is empty")
    parser.add_argument("--kinds", action="store_true", help="a line for every kind as well")
    parser.add_argument("--only", nargs="+", metavar="KIND", default=KINDS, help="these kinds of interaction")
    chosen = parser.parse_args()
    true = list(true_cases(chosen.corpus, chosen.scenes, chosen.only))
    groups = {"true": true, "led astray": [astray(case, number) for number, case in enumerate(true)]}
    if chosen.generated is not None:
        groups = {"generated": list(generated_cases(chosen.generated, chosen.scenes, chosen.only)), **groups}
    print(HEAD, flush=True)
    for name, cases in groups.items():
        report(name, cases, chosen.kinds)


def report(name: str, cases: Sequence[Case], kinds: bool) -> None:
    """Print lines for motions before the clean-up, after it, and after it where the kind is known."""
    after = {
        "before": [case.motion for case in cases],
        "after": [cleaned(case.motion) for case in cases],
        "after, kind known": [cleaned(case.motion, case.kind) for case in cases],
    }
    for when, motions in after.items():
        print(row(f"{name}, {when}", cases, motions), flush=True)
    for kind in sorted({case.kind for case in cases}) if kinds else ():
        of_kind = [index for index, case in enumerate(cases) if case.kind == kind]
        for when, motions in after.items():
            label = f"  {kind}, {when}"
            print(row(label, [cases[i] for i in of_kind], [motions[i] for i in of_kind]), flush=True)


def row(label: str, cases: Sequence[Case], motions: Sequence[Motion]) -> str:
    """One line of the table: motions that came of cases."""
    found = physics(motions)
    pairs = list(zip(cases, motions, strict=True))
    moved = [np.linalg.norm(one.positions() - case.motion.positions(), axis=-1).mean() for case, one in pairs]
    hands = [gap for case, one in pairs for gap in hand_gaps(case, one)]
    known = [agreement(one, case.truth) for case, one in pairs if case.truth is not None]
    f1 = sum(known, Agreement(0, 0, 0)).f1
    right = np.mean([finds(one, case.kind) for case, one in pairs])
    false = sum(touches_falsely(case, one) for case, one in pairs)
    return (
        f"{label:<27} {found['skate_mps']:>8.3f} {found['planted']:>8.3f} {found['toe_mps']:>8.3f}"
        f" {found['worst_cm']:>9.2f} {found['jerk_mps3']:>5.0f} {1000 * np.mean(moved):>9.1f}"
        f" {100 * np.median(hands) if hands else np.nan:>9.1f} {f1:>11.3f} {right:>6.0%} {false:>14}"
    )


def hand_gaps(case: Case, motion: Motion) -> Iterator[float]:
    """Metres between palms that should touch: in every frame in which they truly do, else where they come nearest."""
    at = palms(motion)
    expected = EXPECTED.get(case.kind)
    if case.truth is not None:
        for contact in case.contacts:
            if contact.joint_a in WRISTS and contact.joint_b in WRISTS:
                span = contact.frames(motion.fps, motion.frames)
                a, b = WRISTS.index(contact.joint_a), WRISTS.index(contact.joint_b)
                yield from np.linalg.norm(at[span, 0, a] - at[span, 1, b], axis=-1).tolist()
    elif expected is not None and (expected.same or expected.crossed):
        gaps = np.linalg.norm(at[:, 0, :, None] - at[:, 1, None], axis=-1)
        allowed = np.where(np.eye(2, dtype=bool), expected.same, expected.crossed)
        yield float(np.abs(np.sort(gaps[:, allowed].min(-1))[:5].mean() - expected.rest))


def touches_falsely(case: Case, motion: Motion) -> bool:
    """Whether palms touch that truly do not, in a kind whose hands touch nothing."""
    if case.truth is None or case.kind in EXPECTED:
        return False
    nearest = [
        np.linalg.norm(at[:, 0, :, None] - at[:, 1, None], axis=-1).min() for at in (palms(motion), palms(case.truth))
    ]
    return bool(nearest[0] < FALSE < nearest[1])


def true_cases(corpus: Path, scenes: int, kinds: Sequence[str]) -> Iterator[Case]:
    """Scenes of the test split, some of each of these kinds."""
    taken: dict[str, list[Scene]] = defaultdict(list)
    for scene in read_scenes(corpus):
        if scene.split == "test" and scene.kind in kinds and len(taken[scene.kind]) < scenes:
            taken[scene.kind].append(scene)
            motion = read_scene_motion(corpus, scene)
            yield Case(scene.kind, motion, motion, scene.contacts)


def astray(case: Case, seed: int) -> Case:
    """The same with roots that drift over the floor, each on its own, as those of decoded motion do."""
    dice = np.random.default_rng(seed)
    time = np.arange(case.motion.frames)[:, None, None] / case.motion.fps
    drift = np.zeros((case.motion.frames, case.motion.persons, 3))
    for _ in range(3):
        rate = 2 * np.pi / dice.uniform(FASTEST, SLOWEST, (1, case.motion.persons, 1))
        way = dice.normal(size=(1, case.motion.persons, 3)) * [1, 0, 1]
        drift += way * np.sin(rate * time + dice.uniform(0, 2 * np.pi, (1, case.motion.persons, 1)))
    most = np.linalg.norm(drift, axis=-1).max(0)[None, :, None]
    drift *= dice.uniform(*ASTRAY, (1, case.motion.persons, 1)) / most
    root = (case.motion.root + drift).astype(np.float32)
    moved = Motion(case.motion.fps, root, case.motion.rotations, case.motion.offsets)
    return Case(case.kind, moved, case.truth, case.contacts)


def generated_cases(folder: Path, scenes: int, kinds: Sequence[str]) -> Iterator[Case]:
    """Some motions of each of these kinds as the shipped checkpoint decodes them; made first if the folder is empty."""
    if not any(folder.glob("*.npz")):
        _generate(folder)
    chosen = [path for kind in kinds for path in sorted(folder.glob(f"{kind}-*.npz"))[:scenes]]
    for path in chosen:
        with np.load(path, allow_pickle=False) as arrays:
            fps, root, rotations, offsets = (arrays[name] for name in ARRAYS)
        yield Case(path.stem.rsplit("-", 1)[0], Motion(float(fps), root, rotations, offsets))


def _generate(folder: Path) -> None:
    from backend.engine import Engine
    from backend.evaluate.held_out import known_kinds
    from backend.evaluate.t2m import blind_prompts
    from backend.making import kept
    from backend.places import find_checkpoint

    checkpoint = find_checkpoint(None)
    engine = Engine.load(checkpoint)
    folder.mkdir(parents=True, exist_ok=True)
    for kind in known_kinds(checkpoint):
        for seed, prompt in enumerate(blind_prompts(kind)[:SEEDS]):
            raw = joined_in_time([piece.raw for piece in kept(engine.generate(prompt.text, SECONDS, seed=seed))])
            with (folder / f"{kind}-{seed}.npz").open("wb") as file:
                np.savez(file, fps=raw.fps, root=raw.root, rotations=raw.rotations, offsets=raw.offsets)


if __name__ == "__main__":
    main()
