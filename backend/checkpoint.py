"""Checkpoint folders: what is in one, how it is written, and how it is checked before anything is loaded from it."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from protocol.errors import DuologueError

MANIFEST_FILE = "checkpoint.json"
_RECIPE_FILE = "recipe.json"
FORMAT_VERSION = 6

TOKENIZER_FILES = ("motion_tokenizer.json", "motion_tokenizer.safetensors")
LANGUAGE_FILES = ("language.json", "language.safetensors", "scripts.safetensors")
READER_FILES = ("reader.json", "reader.safetensors", "reader_tokenizer.json")
ANTICIPATION_FILES = ("anticipation.json", "anticipation.safetensors")
WORD_FILES = ("text_tokenizer.json", "word_vectors.safetensors")
BASE_FILES = ("base.json", "base.safetensors", "adapter_*.safetensors")
"""What a checkpoint over a pretrained base has instead of words of its own; the first one always, the others may be."""

_MADE_WITH = ("numpy", "safetensors", "tokenizers", "torch", "transformers")
_GET_AGAIN = "Download or package the checkpoint again."


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint folder whose files are those that were packaged."""

    folder: Path
    name: str


def package_checkpoint(tokenizer: Path, language: Path, reader: Path, anticipation: Path, out: Path) -> Checkpoint:
    """Make a checkpoint folder out of training runs; a model card ``README.md`` that is there already is kept.

    Args:
        tokenizer: folder of the finished tokenizer run, or of a checkpoint whose tokenizer is taken.
        language: folder of the finished language run.
        reader: folder of the finished reader run, or of a checkpoint whose reader is taken.
        anticipation: folder of the finished run of what expects a partner's place, or of a checkpoint.
        out: the checkpoint's folder; its last part is the checkpoint's name. It may be one of the four itself.

    Raises:
        DuologueError: ``run_unfinished`` if a run lacks a file.
    """
    out.mkdir(parents=True, exist_ok=True)
    recipes = {}
    of_language = (*LANGUAGE_FILES, *_words_or_base(language))
    runs = (
        (tokenizer, TOKENIZER_FILES, "tokenizer"),
        (language, of_language, "language"),
        (reader, READER_FILES, "reader"),
        (anticipation, ANTICIPATION_FILES, "anticipation"),
    )
    for run, names, stage in runs:
        origin = MANIFEST_FILE if (run / MANIFEST_FILE).is_file() else _RECIPE_FILE
        for name in (*names, origin):
            if not (run / name).is_file():
                raise DuologueError(
                    "run_unfinished",
                    f"{run} has no {name}.",
                    f"Finish the run with `duologue train {stage} --resume`, then package again.",
                )
        if run.resolve() != out.resolve():
            for name in names:
                shutil.copyfile(run / name, out / name)
        told = json.loads((run / origin).read_text(encoding="utf-8"))
        recipes[stage] = told["recipe"].get(stage, {}) if origin == MANIFEST_FILE else told
    return seal(out, recipes)


def _words_or_base(run: Path) -> tuple[str, ...]:
    """The files from which a language run takes its words: its own, or those of its base."""
    based = sorted(path.name for pattern in BASE_FILES for path in run.glob(pattern))
    return tuple(based) if BASE_FILES[0] in based else WORD_FILES


def seal(folder: Path, recipe: dict[str, Any]) -> Checkpoint:
    """Write the manifest of a folder's files; needed again after any of them has changed, the model card included.

    Args:
        folder: the checkpoint's folder; its last part becomes the checkpoint's name.
        recipe: how it was trained, for those who read the manifest.
    """
    paths = sorted(path for path in folder.iterdir() if path.is_file() and path.name != MANIFEST_FILE)
    manifest = {
        "name": folder.resolve().name,
        "format": FORMAT_VERSION,
        "files": {path.name: {"bytes": path.stat().st_size, "sha256": _digest(path)} for path in paths},
        "made_with": {package: metadata.version(package) for package in _MADE_WITH},
        "recipe": recipe,
    }
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8", newline="\n")
    return Checkpoint(folder, manifest["name"])


def verify(folder: Path) -> Checkpoint:
    """Check a checkpoint folder: format, all files there, whole, and unaltered.

    Raises:
        DuologueError: ``checkpoint_missing``, ``checkpoint_unreadable``, ``checkpoint_version``,
            ``checkpoint_truncated`` (a file is gone or cut short) or ``checkpoint_altered``.
    """
    manifest = _read_manifest(folder)
    for name, expected in manifest["files"].items():
        path = folder / name
        if not path.is_file():
            raise DuologueError("checkpoint_truncated", f"The checkpoint {folder} lacks {name}.", _GET_AGAIN)
        if path.stat().st_size < expected["bytes"]:
            raise DuologueError("checkpoint_truncated", f"The checkpoint's {path} has been cut short.", _GET_AGAIN)
        if _digest(path) != expected["sha256"]:
            message = f"The checkpoint's {path} is not the one that was packaged."
            raise DuologueError("checkpoint_altered", message, _GET_AGAIN)
    return Checkpoint(folder, manifest["name"])


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST_FILE
    if not path.is_file():
        raise DuologueError(
            "checkpoint_missing",
            f"There is no checkpoint in {folder}.",
            "Name a folder that holds a checkpoint.json, such as checkpoints/duologue-small.",
        )
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        version = manifest["format"]
    except (ValueError, TypeError, KeyError) as error:
        raise DuologueError("checkpoint_unreadable", f"{path} cannot be read.", _GET_AGAIN) from error
    if version != FORMAT_VERSION:
        raise DuologueError(
            "checkpoint_version",
            f"The checkpoint {folder} has format {version}; this version of Duologue reads format {FORMAT_VERSION}.",
            "Update Duologue, or use a checkpoint made for this version.",
        )
    files = manifest.get("files")
    whole = (
        isinstance(files, dict)
        and {*TOKENIZER_FILES, *LANGUAGE_FILES, *ANTICIPATION_FILES} <= set(files)
        and _has_words(files)
    )
    if not whole or any(Path(name).name != name for name in files):
        raise DuologueError("checkpoint_unreadable", f"{path} does not list the checkpoint's files.", _GET_AGAIN)
    return manifest


def _has_words(files: dict[str, Any]) -> bool:
    return BASE_FILES[0] in files or set(WORD_FILES) <= set(files)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
