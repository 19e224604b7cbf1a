"""A pretrained base under the motion language model: aligned with LoRA, packaged without its weights, and run."""

from pathlib import Path

import pytest
from safetensors import safe_open

from backend.checkpoint import package_checkpoint
from backend.engine import Engine
from backend.language.base import BASE_FILE
from backend.train.language import train_language
from tests.unit.test_base import llama, write_base
from tests.unit.test_engine import joined, walker
from tests.unit.test_train_instruct import SCRIPT, scene, written
from tests.unit.tiny import tiny_anticipation_run, tiny_reader_run, tiny_tokenizer

RECIPE = """
cycles: [2]
base: {{name: "{base}", quantization: "{quantization}", lora: {{rank: 4, alpha: 8, dropout: 0.0}}}}
model: {{head_width: 16}}
stepping: {{level_weights: [1.0, 0.5, 0.5], batch: 2, warmup: 1, accumulate: 2}}
"""


@pytest.mark.parametrize("quantization", ["none", "nf4"])
def test_a_base_is_aligned_and_only_what_is_ours_is_packaged(
    quantization: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.train.run.draw_curves", lambda _log, _path: None)
    base = write_base(tmp_path / "base", llama())
    hands = ("left", "right", "both")
    corpus = written(
        tmp_path / "corpus", [scene(f"push-{n}", {**SCRIPT, "hand": hand}) for n, hand in enumerate(hands)]
    )
    tokenizer = tmp_path / "tokenizer"
    tokenizer.mkdir()
    tiny_tokenizer().save(tokenizer)
    (tokenizer / "recipe.json").write_text("{}")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(RECIPE.format(base=base, quantization=quantization))
    train_language(corpus, tokenizer, recipe, tmp_path / "run", resume=False)
    folder = tmp_path / "based"
    reader, anticipation = (
        tiny_reader_run(tmp_path / "reader", tmp_path / "run"),
        tiny_anticipation_run(tmp_path / "seer"),
    )
    package_checkpoint(tokenizer, tmp_path / "run", reader, anticipation, folder)
    assert (folder / BASE_FILE).is_file()
    assert not (folder / "word_vectors.safetensors").exists()
    with safe_open(folder / "language.safetensors", "pt") as file:
        assert not any(name.startswith("transformer.") for name in file.keys())  # noqa: SIM118
    engine = Engine.load(folder, device="cpu")
    assert joined(list(engine.generate("two people shake hands", 1.0))).frames == 30
    assert "".join(engine.describe(walker())).endswith(".")
