"""The training steps that both stages of a language model take: rows in, weighted losses out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from protocol.errors import DuologueError

from ..language.layout import Row, collate
from ..language.losses import losses
from ..language.model import MotionLanguageModel
from .examples import corrupted
from .run import Run, autocast, fit


@dataclass(frozen=True)
class Stepping:
    """How a language model takes its steps.

    Attributes:
        level_weights: weight of each residual level of codes in the loss.
        text_weight: weight of the loss on words against that on motion.
        script_weight: weight of the loss on scripts read from motion.
        corruption: largest share of codes in a sample replaced by random ones, so that the model can go on from its
            own mistakes and asks the script rather than the last step where to go; coarse levels are replaced less
            often than fine ones. T2M-GPT (arXiv 2301.06052) gains by as much.
        batch: samples a batch.
        accumulate: batches a step.
        learning_rate: peak.
        warmup: steps to the peak.
        weight_decay: of AdamW.
        bfloat16: compute in bfloat16 on a CPU too: 1.5 times faster where it has AVX512-BF16 or AMX, slower elsewhere.
        seed: of everything random.
    """

    level_weights: tuple[float, ...]
    text_weight: float = 0.5
    script_weight: float = 0.1
    corruption: float = 0.5
    batch: int = 16
    accumulate: int = 1
    learning_rate: float = 8e-4
    warmup: int = 150
    weight_decay: float = 0.05
    bfloat16: bool = False
    seed: int = 0

    def check(self, levels: int, recipe: str) -> None:
        """Refuse level weights that do not fit a tokenizer.

        Raises:
            DuologueError: ``recipe_invalid``, naming the recipe.
        """
        if len(self.level_weights) != levels:
            raise DuologueError(
                "recipe_invalid",
                f"{recipe}: 'level_weights' holds {len(self.level_weights)} numbers, but the tokenizer has "
                f"{levels} levels.",
                "Correct the file and start again.",
            )

    def optimizer(self, model: MotionLanguageModel) -> torch.optim.Optimizer:
        """AdamW, without decay on biases and norms."""
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        matrices = [parameter for parameter in trained if parameter.ndim >= 2]
        vectors = [parameter for parameter in trained if parameter.ndim < 2]
        groups = [{"params": matrices, "weight_decay": self.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
        return torch.optim.AdamW(groups, self.learning_rate, betas=(0.9, 0.98), fused=True)

    def fit(
        self, run: Run, model: MotionLanguageModel, losses: Callable[[int], dict[str, Tensor]], cycles: Sequence[int]
    ) -> None:
        """Train a model down what ``losses(batch)`` returns, over cycles of so many batches.

        Raises:
            Interrupted: on Ctrl-C, after the state was saved.
            DuologueError: what `backend.train.run.fit` raises.
        """
        fit(
            run,
            model,
            self.optimizer(model),
            losses,
            cycles=cycles,
            warmup=self.warmup,
            seed=self.seed,
            accumulate=self.accumulate,
        )

    def losses(self, model: MotionLanguageModel, rows: Sequence[Row]) -> dict[str, Tensor]:
        """The weighted losses of a step on some rows."""
        device = model.markers.weight.device
        batch = corrupted(collate(rows), self.corruption, model.config.codes)
        with autocast(device, self.bfloat16):
            terms = losses(model, batch.to(device), self.level_weights)
        weights = {"motion": 1.0, "text": self.text_weight, "script": self.script_weight}
        return {name: weight * terms[name] for name, weight in weights.items()}
