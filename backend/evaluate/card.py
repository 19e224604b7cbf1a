"""The measured figures as Markdown tables for a checkpoint's model card, so that no figure is typed by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

BEGIN = "<!-- figures: written by `duologue evaluate --card` -->"
END = "<!-- end of figures -->"


def card_tables(figures: dict[str, Any]) -> str:
    """Markdown for everything that `duologue evaluate` and `duologue benchmark` have measured so far."""
    parts = [render(figures[name]) for name, render in _SECTIONS.items() if name in figures]
    return "\n\n".join(parts)


def write_card(card: Path, figures: dict[str, Any]) -> None:
    """Put the tables between the two marks in a model card, or at its end if it has none yet; the rest stays."""
    text = card.read_text(encoding="utf-8") if card.is_file() else ""
    block = f"{BEGIN}\n\n{card_tables(figures)}\n\n{END}"
    before, mark, rest = text.partition(BEGIN)
    after = rest.partition(END)[2] if mark else ""
    joined = before + block + after if mark else f"{text.rstrip()}\n\n{block}\n".lstrip()
    card.write_text(joined, encoding="utf-8", newline="\n")


def _reconstruction(found: dict[str, Any]) -> str:
    rows = [
        ["mean joint error, root-aligned", f"{found['pose_mm']:.1f} mm"],
        ["95th percentile of it", f"{found['pose_p95_mm']:.1f} mm"],
        ["root position", f"{found['root_mm']:.1f} mm"],
        ["between the two roots", f"{found['pair_root_mm']:.1f} mm"],
        ["change of any bone's length", f"{found['bone_length_mm']:.3f} mm"],
    ]
    return "**Reconstruction** of held-out real takes\n\n" + _table(["what", "measured"], rows)


def _t2m(found: dict[str, Any]) -> str:
    columns = ("found", "found_kind", "first", "truth", "retrieval")
    rows = [[kind, *(_percent(shares[name]) for name in columns)] for kind, shares in found["kinds"].items()]
    rows.append(["**all**", *(f"**{_percent(found[name])}**" for name in columns)])
    head = ["kind", "generated", "whoever does it", "first attempt", "held-out truth", "nearest training caption"]
    return _table(head, rows)


def _held_out(found: dict[str, Any]) -> str:
    title = (
        f"**Text to motion**: {found['prompts']} held-out phrasings, {found['seconds']:g} s each; share in which the "
        "rule-based check finds what the text says"
    )
    return title + "\n\n" + _t2m(found)


def _blind(found: dict[str, Any]) -> str:
    title = (
        f"**The same on {found['prompts']} blind phrasings**, by an author who had seen neither the captions nor the "
        "vocabulary of training"
    )
    return title + "\n\n" + _t2m(found)


def _m2t(found: dict[str, Any]) -> str:
    rows = [
        ["right kind, all scenes", _percent(found["kind"])],
        ["right kind, choreographed scenes", _percent(found["kind_choreographed"])],
        ["right kind, real takes", _percent(found["kind_real"])],
        ["right person, where one acts", _percent(found["actor"])],
    ]
    title = f"**Motion to text**: captions of {found['scenes']} held-out motions"
    return title + "\n\n" + _table(["what", "share"], rows)


def _captions(found: dict[str, Any]) -> str:
    labels = {"generated": "model", "retrieval": "caption of the nearest training motion", "truth": "one more true one"}
    against = {"train": "phrasings of training", "held_out": "held-out phrasings"}
    rows = [
        [label, phrasing, *(_number(100 * scores[name], 1) for name in ("bleu1", "bleu4", "rouge_l", "meteor")),
         _number(scores["cider"], 2)]
        for words, phrasing in against.items()
        for source, label in labels.items()
        if source in found
        for scores in (found[source][words],)
    ]  # fmt: skip
    head = ["captions", "compared with", "BLEU-1", "BLEU-4", "ROUGE-L", "METEOR", "CIDEr"]
    title = "**Captions** against true ones, in % but for CIDEr (of 10); METEOR by words and stems, without synonyms"
    return title + "\n\n" + _table(head, rows)


def _react(found: dict[str, Any]) -> str:
    labels = {
        "with_prompt": "generated from A, with a held-out prompt",
        "without_prompt": "generated from A alone",
        "truth": "the true B",
        "retrieval": "taken from the training scene with the nearest prompt",
        "still": "standing still",
    }
    rows = []
    for name, label in labels.items():
        near = found["near"][name]
        measures = ((near["contact_f1"], 2), (near["joint_mm"], 0), (near["pose_mm"], 0), (near["fid"], 2))
        rows.append([label, _percent(found[name]), *(_number(value, digits) for value, digits in measures)])
    head = ["B is", "kind kept", "contact F1", "joint error, mm", "root-aligned, mm", "FID"]
    title = (
        f"**Reaction** to A of {found['scenes']} held-out scenes: share that still show their kind, and how near B is "
        "to the true one"
    )
    return title + "\n\n" + _table(head, rows)


def _retrieval(found: dict[str, Any]) -> str:
    labels = {"truth": "held-out truth", "retrieval": "nearest training caption", "generated": "generated"}
    columns = {
        "r1_32": ("R@1 of 32", 3), "r2_32": ("R@2", 3), "r3_32": ("R@3", 3),
        "r1_96": ("R@1 of 96", 3), "r2_96": ("R@2", 3), "r3_96": ("R@3", 3),
        "mm_dist": ("MM-Dist", 2), "fid": ("FID", 2), "diversity": ("Diversity", 2),
        "multimodality": ("MultiModality", 2),
    }  # fmt: skip
    rows = [
        [label, *(_estimate(found[source][name], digits) for name, (_, digits) in columns.items())]
        for source, label in labels.items()
    ]
    title = (
        f"**Text to motion by the trained evaluator**: {found['texts']} captions of held-out scenes, "
        f"{found['repeats']} repeats, mean ± 95 % interval; R@3 of 32 is {_percent(found['r3_of_truth'])} of truth's"
    )
    return title + "\n\n" + _table(["motion", *(label for label, _ in columns.values())], rows)


def _flattened(found: dict[str, Any]) -> str:
    return (
        "**The same transformer with codes flattened into its vocabulary**, trained on the same corpus: the rule-based "
        f"check finds what the text says in {_percent(found['found'])} of the {found['prompts']} held-out phrasings "
        f"({_percent(found['found_kind'])} whoever does it)."
    )


def _edit(found: dict[str, Any]) -> str:
    labels = {"generated": "generated", "truth": "the true edited scene", "unedited": "the scene as it was"}
    rows = [
        [label, *(_percent(found[name][what]) for what in ("changed", "kept", "both"))]
        for name, label in labels.items()
    ]
    for name, one in found["by_property"].items():
        shares = (_percent(one["generated"][what]) for what in ("changed", "kept", "both"))
        rows.append([f"generated: {name} ({one['edits']})", *shares])
    left_out = sum(found["unmeasured"].values())
    title = (
        f"**Editing** of {found['edits']} held-out scenes: share in which what was asked for changes, and in which the "
        f"rest stays; {left_out} more edits were left out, for no rule tells their effect"
    )
    return title + "\n\n" + _table(["motion", "changed", "kept", "both"], rows)


def _ask(found: dict[str, Any]) -> str:
    rows = [
        [f"{name} ({one['questions']})", _percent(one["accuracy"]), _percent(one["constant"])]
        for name, one in found["by_kind"].items()
    ]
    rows.append(["**mean**", f"**{_percent(found['accuracy'])}**", f"**{_percent(found['constant'])}**"])
    title = f"**Reasoning**: {found['questions']} questions about held-out scenes, in held-out words"
    return title + "\n\n" + _table(["kind of question", "right", "best constant answer"], rows)


def _physics(found: dict[str, Any]) -> str:
    head = ["what", *(name.replace("_", " ") for name in found)]
    rows = [
        [label, *(_number(column.get(name), digits) for column in found.values())]
        for label, name, digits in (
            ("feet sliding while they bear, m/s", "skate_mps", 3),
            ("share of toes and frames that bear", "planted", 2),
            ("toes within 3 cm of the floor, m/s", "toe_mps", 3),
            ("bodies inside each other, cm", "penetration_cm", 2),
            ("the same in the worst frame, cm", "worst_cm", 2),
            ("lowest toe off the floor, cm", "floor_cm", 2),
            ("jerk, m/s³", "jerk_mps3", 0),
        )
    ]
    return "**Physics** of the motions above, means\n\n" + _table(head, rows)


def _benchmark(found: dict[str, Any]) -> str:
    idle, busy = found["idle"], found["busy"]
    labels = {
        "realtime_factor": "seconds of motion a second, first attempt",
        "kept_factor": "the same until the one that is kept is there",
        "first_piece_s": "first frames after, s",
    }
    rows = [[label, f"{idle[name]:.2f}", f"{busy[name]:.2f}"] for name, label in labels.items()]
    title = f"**Speed** on {found['machine']}, {found['threads']} threads, {found['seconds']:g} s of motion"
    notes = (
        f"Cancelling frees the engine after {found['cancel_s']['median']:.3f} s (median; at most "
        f"{found['cancel_s']['largest']:.3f} s). "
        f"{_story(found)}"
        f"Importing takes {found['import_s']:.1f} s, loading {found['load_s']:.1f} s. "
        f"The same transformer with codes flattened into its vocabulary, through Hugging Face `generate`: "
        f"{found['flattened_factor']:.2f} seconds a second, "
        f"{idle['realtime_factor'] / found['flattened_factor']:.1f} times slower."
    )
    return title + "\n\n" + _table(["what", "idle machine", "one core kept busy"], rows) + "\n\n" + notes


def _story(found: dict[str, Any]) -> str:
    if "story_slowdown" not in found:
        return ""
    return f"After a minute of story a scene takes {found['story_slowdown']:.2f} times as long as after its first. "


_SECTIONS = {
    "reconstruction": _reconstruction,
    "t2m": _held_out,
    "blind": _blind,
    "flattened": _flattened,
    "retrieval": _retrieval,
    "m2t": _m2t,
    "captions": _captions,
    "react": _react,
    "edit": _edit,
    "ask": _ask,
    "physics": _physics,
    "benchmark": _benchmark,
}


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _estimate(pair: Sequence[float | None], digits: int) -> str:
    mean, interval = pair
    return _number(mean, digits) if not interval else f"{_number(mean, digits)} ± {_number(interval, digits)}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
