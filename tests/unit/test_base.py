"""Any Hugging Face causal LM as the base: LoRA, NF4, adapters that go round, merging, and words without our tokens."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)
from transformers.cache_utils import DynamicCache

from backend.language import pretrained
from backend.language.base import BASE_FILE, Base, BaseRecipe, LoraRecipe, backbone
from backend.train.instruct import InstructRecipe
from backend.train.language import LanguageRecipe
from backend.train.recipe import read_recipe
from backend.weights import load_own_state, own_state
from protocol.errors import DuologueError

VOCABULARY = ("two", "people", "shake", "hands", "a", "person", "waves")
RECIPES = Path(__file__).parents[2] / "backend" / "train" / "recipes"
LORA = LoraRecipe(rank=4, alpha=8, dropout=0.0)


@dataclass(frozen=True)
class WithBase:
    base: BaseRecipe


@dataclass(frozen=True)
class Small:
    width: int = 32
    layers: int = 2
    heads: int = 2
    feed_forward: int = 48


def write_base(folder: Path, model: PreTrainedModel, vocabulary: tuple[str, ...] = VOCABULARY) -> str:
    """Save a model as the hub has them, with a tokenizer that has no special token at all; returns its name."""
    model.save_pretrained(folder)
    words = Tokenizer(models.WordLevel({word: number for number, word in enumerate(vocabulary)}, unk_token="a"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()  # type: ignore[assignment]
    words.decoder = decoders.Fuse()  # type: ignore[assignment]
    PreTrainedTokenizerFast(tokenizer_object=words).save_pretrained(folder)
    return str(folder)


def llama(seed: int = 0, tied: bool = True) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(VOCABULARY),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            bos_token_id=None,
            eos_token_id=None,
            tie_word_embeddings=tied,
        )
    )


def gpt2() -> GPT2LMHeadModel:
    torch.manual_seed(1)
    sizes = GPT2Config(vocab_size=len(VOCABULARY), n_embd=32, n_layer=2, n_head=2, bos_token_id=None, eos_token_id=None)
    return GPT2LMHeadModel(sizes)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_base(tmp_path_factory.mktemp("base"), llama())


def vectors(length: int = 6) -> torch.Tensor:
    return torch.randn(2, length, 32, generator=torch.Generator().manual_seed(5))


def states(transformer: torch.nn.Module, length: int = 6) -> torch.Tensor:
    return transformer(inputs_embeds=vectors(length), use_cache=False).last_hidden_state


def train(transformer: torch.nn.Module, steps: int = 3) -> list[float]:
    """A few steps towards other vectors; returns the losses."""
    trained = [parameter for parameter in transformer.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(trained, 0.02)
    found = []
    for _ in range(steps):
        loss = (states(transformer) - vectors().flip(1)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return found


@pytest.mark.parametrize("make", [llama, gpt2], ids=["llama", "gpt2"])
def test_any_causal_model_reads_vectors_step_by_step_as_at_once(make: Callable, tmp_path: Path) -> None:
    base = Base.load(BaseRecipe(write_base(tmp_path, make()), tuning="frozen"))
    transformer = backbone(Small(), base)
    assert not any(parameter.requires_grad for parameter in transformer.parameters())
    cache, found = DynamicCache(), []
    for position in range(6):
        found.append(
            transformer(
                inputs_embeds=vectors()[:, position : position + 1],
                attention_mask=None,
                position_ids=torch.full((2, 1), position),
                past_key_values=cache,
                use_cache=True,
            ).last_hidden_state
        )
    assert torch.allclose(torch.cat(found, 1), states(transformer), atol=1e-5)

    mask = torch.tensor([[0, 0, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1]])  # side by side, the shorter row padded on the left
    padded = transformer(
        inputs_embeds=torch.stack((torch.cat((torch.ones(2, 32), vectors()[0, :4])), vectors()[1])),
        attention_mask=mask,
        position_ids=(mask.cumsum(1) - 1).clamp(min=0),
        use_cache=False,
    ).last_hidden_state
    assert torch.allclose(padded[0, 2:], states(transformer)[0, :4], atol=1e-5)
    assert torch.allclose(padded[1], states(transformer)[1], atol=1e-5)


def test_without_a_base_the_transformer_has_our_own_sizes() -> None:
    transformer = backbone(Small())
    assert (transformer.config.hidden_size, transformer.config.num_hidden_layers) == (32, 2)
    assert states(transformer).shape == (2, 6, 32)
    assert all(parameter.requires_grad for parameter in transformer.parameters())


def test_a_base_whose_tokenizer_lacks_special_tokens_needs_none(small: str) -> None:
    base = Base.load(BaseRecipe(small))
    assert base.words.tokenizer.get_vocab_size() == len(VOCABULARY) == len(base.words.vectors)
    assert base.words.encode("Two people shake hands.") == [0, 1, 2, 3]
    assert torch.equal(base.words.vectors, llama().model.embed_tokens.weight.half())
    assert torch.equal(base.head, base.words.vectors)  # tied
    assert base.spread == pytest.approx(float(base.words.vectors.float().std()))


def test_an_untied_head_is_the_bases_own(tmp_path: Path) -> None:
    base = Base.load(BaseRecipe(write_base(tmp_path, llama(tied=False))))
    assert torch.equal(base.head, llama(tied=False).lm_head.weight.half())
    assert not torch.equal(base.head, base.words.vectors)


@pytest.mark.parametrize("quantization", ["none", "nf4"])
def test_lora_changes_nothing_at_first_and_alone_learns(small: str, quantization) -> None:
    frozen = states(Base.load(BaseRecipe(small, quantization, "frozen")).transformer)
    transformer = Base.load(BaseRecipe(small, quantization, lora=LORA)).transformer
    assert torch.allclose(states(transformer), frozen, atol=1e-5)
    kept = {name: value.clone() for name, value in transformer.state_dict().items() if ".lora_" not in name}
    trained = [name for name, parameter in transformer.named_parameters() if parameter.requires_grad]
    assert len(trained) == 2 * 2 * 7  # two matrices on the seven linear layers of two blocks
    assert all(".lora_" in name for name in trained)
    losses = train(transformer)
    assert losses[-1] < losses[0]
    assert all(torch.equal(value, transformer.state_dict()[name]) for name, value in kept.items())


def test_four_bits_are_four_bits(small: str) -> None:
    weight = Base.load(BaseRecipe(small, "nf4", "frozen")).transformer.get_parameter("layers.0.mlp.up_proj.weight")
    assert weight.dtype == torch.uint8
    assert weight.numel() == 32 * 64 / 2


@pytest.mark.parametrize("quantization", ["none", "nf4"])
def test_two_stages_of_adapters_go_round_through_files(small: str, quantization, tmp_path: Path) -> None:
    """Align, then instruct on what that left; merging computes the same, and so does what is read back."""
    align, instruct = tmp_path / "align", tmp_path / "instruct"
    first = Base.load(BaseRecipe(small, quantization, lora=LORA))
    train(first.transformer)
    align.mkdir()
    first.save(align)
    aligned = states(first.transformer)

    second = Base.load(
        BaseRecipe(small, quantization, lora=LoraRecipe(2, 8, 0.0, ("down_proj",))), sorted(align.glob("adapter*"))
    )
    assert torch.allclose(states(second.transformer), aligned, atol=2e-3)  # adapters are written in float16
    train(second.transformer, 12)
    instruct.mkdir()
    second.save(instruct)
    assert {file.name for file in instruct.iterdir()} == {"base.json", "adapter_0.safetensors", "adapter_1.safetensors"}

    opened = Base.open(instruct)
    assert torch.allclose(states(opened.transformer), states(second.transformer), atol=2e-3)
    assert not torch.allclose(states(opened.transformer), aligned, atol=2e-2)
    assert not any(parameter.requires_grad for parameter in opened.transformer.parameters())


def test_merging_gives_the_same_logits_without_an_adapter(small: str) -> None:
    from backend.language.adapters import merge_adapters

    base = Base.load(BaseRecipe(small, lora=LORA))
    train(base.transformer)
    with_adapter = states(base.transformer) @ base.head.float().T
    merge_adapters(base.transformer)
    assert not any("lora" in name for name, _ in base.transformer.named_modules())
    assert torch.allclose(states(base.transformer) @ base.head.float().T, with_adapter, atol=1e-4)


def test_full_tuning_is_written_whole(small: str, tmp_path: Path) -> None:
    base = Base.load(BaseRecipe(small, tuning="full"))
    train(base.transformer)
    base.save(tmp_path)
    assert torch.allclose(states(Base.open(tmp_path).transformer), states(base.transformer), atol=5e-3)
    with pytest.raises(DuologueError, match="cannot be trained as a whole"):
        Base.load(BaseRecipe(small, "nf4", "full"))


@pytest.mark.parametrize("quantization", ["none", "nf4"])
def test_a_run_saves_the_adapter_and_not_the_base(small: str, quantization) -> None:
    recipe = BaseRecipe(small, quantization, lora=LORA)
    trained = Base.load(recipe).transformer
    train(trained)
    state = own_state(trained)
    assert all(".lora_" in name for name in state)
    again = Base.load(recipe).transformer
    load_own_state(again, state)
    assert torch.allclose(states(again), states(trained), atol=1e-6)
    with pytest.raises(RuntimeError, match="do not fit"):
        load_own_state(again, {name: value for name, value in state.items() if "layers.1" in name})


def test_an_adapter_of_another_base_is_refused(small: str, tmp_path: Path) -> None:
    Base.load(BaseRecipe(small, lora=LORA)).save(tmp_path)
    other = llama()
    other.model.norm.weight.data.mul_(1.5)
    content = json.loads((tmp_path / BASE_FILE).read_text())
    content["name"] = write_base(tmp_path / "other", other)
    (tmp_path / BASE_FILE).write_text(json.dumps(content))
    with pytest.raises(DuologueError, match="trained on another base") as error:
        Base.open(tmp_path)
    assert error.value.code == "adapter_unfit"


def test_recomputing_activations_gives_the_same_gradients(small: str) -> None:
    found = []
    for recompute in (False, True):
        transformer = Base.load(BaseRecipe(small, lora=LORA, recompute=recompute)).transformer.train()
        torch.manual_seed(0)
        states(transformer).square().sum().backward()
        found.append([parameter.grad for parameter in transformer.parameters() if parameter.requires_grad])
    assert any(getattr(module, "gradient_checkpointing", False) for module in transformer.modules())
    assert all(torch.allclose(*pair, atol=1e-5) for pair in zip(*found, strict=True))


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("duologue-smollm2.language", LanguageRecipe),
        ("duologue-smollm2.instruct", InstructRecipe),
        ("llama-3.1-8b.language", LanguageRecipe),
        ("llama-3.1-8b.instruct", InstructRecipe),
    ],
)
def test_shipped_recipes_name_their_base(file: str, kind: type[LanguageRecipe] | type[InstructRecipe]) -> None:
    recipe = read_recipe(RECIPES / f"{file}.yaml", kind)
    assert recipe.base is not None
    assert (recipe.base.quantization == "nf4") == file.startswith("llama")
    assert recipe.base.tuning == "lora"
    assert len(recipe.stepping.level_weights) == 9


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{quantization: nf4}", "'base' lacks 'name'"),
        ("{name: x, quantization: int8}", "one of none, nf4"),
        ("{name: x, tuning: some}", "one of frozen, lora, full"),
        ("{name: x, lora: {rang: 4}}", "'lora' has an unknown entry 'rang'"),
    ],
)
def test_a_wrong_base_block_is_refused_by_its_entry(text: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(f"base: {text}")
    with pytest.raises(DuologueError, match=complaint):
        read_recipe(tmp_path / "recipe.yaml", WithBase)


def test_a_wrong_base_is_refused_by_name(small: str, tmp_path: Path) -> None:
    def code(name: str, **how) -> str:
        with pytest.raises(DuologueError) as error:
            Base.load(BaseRecipe(name, **how))
        assert error.value.hint
        return error.value.code

    (tmp_path / "config.json").write_text('{"model_type": "clip_vision_model"}')
    assert code(str(tmp_path / "nowhere")) == "base_missing"
    assert code(str(tmp_path)) in ("base_missing", "base_invalid")
    many = tuple(f"word{number}" for number in range(50))
    assert code(write_base(tmp_path / "many", llama(), many + VOCABULARY)) == "base_invalid"
    assert code(small, lora=LoraRecipe(targets=("query",))) == "base_invalid"
    with pytest.raises(DuologueError, match="width 32, not 64"):
        backbone(Small(width=64), Base.load(BaseRecipe(small)))


def test_a_package_is_unpacked_once_and_a_missing_one_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained, "note_path", lambda: tmp_path / "backend.json")
    write_base(tmp_path / "bases" / "tiny-llm", llama())
    assert Base.load(BaseRecipe("pypi:tiny-llm")).width == 32
    monkeypatch.setattr(pretrained.subprocess, "run", lambda *_args, **_options: None)
    with pytest.raises(DuologueError, match="no package nothing-there") as error:
        Base.load(BaseRecipe("pypi:nothing-there"))
    assert error.value.code == "base_missing"
