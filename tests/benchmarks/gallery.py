"""The README's gallery, as the shipped checkpoint makes it: ``python -m tests.benchmarks.gallery``."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from backend.corpus.preview import contact_sheet
from backend.engine import Engine
from backend.evaluate.held_out import whole
from backend.places import find_checkpoint

PICTURE = Path(__file__).parents[1] / "pictures" / "gallery.png"
PROMPTS = (
    "one person shoves the other, who stumbles",
    "two people hug",
    "A waves at B",
    "A kisses B's hand",
    "A slaps B",
    "A scolds B, wagging a finger",
)
SECONDS, SEED = 5.0, 3
WIDTH, COLOURS = 1100, 96


def main() -> None:
    """Make the motions and draw them."""
    engine = Engine.load(find_checkpoint(None))
    contact_sheet([(prompt, whole(engine.generate(prompt, SECONDS, SEED))) for prompt in PROMPTS], PICTURE)
    sheet = Image.open(PICTURE).convert("RGB")
    small = sheet.resize((WIDTH, round(sheet.height * WIDTH / sheet.width)), Image.Resampling.LANCZOS)
    small.quantize(COLOURS).save(PICTURE, optimize=True)
    print(f"{PICTURE}: {PICTURE.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
