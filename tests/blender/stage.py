"""A scene with two characters, the installed extension, and a scripted backend for it to find."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import pytest

from protocol import connection as connection_file
from protocol.messages import Submit
from tests.e2e import characters
from tests.fake_backend import Answer, FakeBackend, play

context: Any = bpy.context
duologue: Any = bpy.ops.duologue  # pyright: ignore[reportAttributeAccessIssue]
Addon = Callable[[str], ModuleType]


class Stage:
    """A scene with two characters, and the extension's job module."""

    def __init__(self, addon: Addon) -> None:
        self.jobs: Any = addon("link.jobs")
        self.captions: Any = addon("captions")
        self.scene: Any = context.scene
        self.a: Any = scene_object("Alice")
        self.b: Any = scene_object("Bob")
        self.settings: Any = addon("characters").active_pair(context)
        self.settings.character_a, self.settings.character_b = self.a, self.b
        self.settings.prompt, self.settings.seconds = "two people wave at each other", 2.0
        self.activate(self.a)

    def activate(self, character: Any) -> None:
        context.view_layer.objects.active = character

    def tick_until(self, over: Callable[[], bool], seconds: float = 120.0) -> None:
        deadline = time.monotonic() + seconds
        while not over():
            assert time.monotonic() < deadline, f"{self.jobs.session.state}, {self.jobs.latest()}"
            self.jobs.tick()
            time.sleep(0.005)

    def run(self, operator: Any, **options: Any) -> Any:
        """Run an operator until its job is over; returns the job."""
        operator(**options)
        self.tick_until(lambda: not self.jobs.running())
        return self.jobs.latest()

    def actions(self) -> tuple[Any, Any]:
        found = [character.animation_data and character.animation_data.action for character in (self.a, self.b)]
        return found[0], found[1]

    def curves(self, character: Any) -> list[Any]:
        """The F-curves that a character plays right now."""
        data = character.animation_data
        if data is None or data.action is None:
            return []
        strips = [strip for layer in data.action.layers for strip in layer.strips]
        bags = [strip.channelbag(data.action_slot) for strip in strips]
        return [curve for bag in bags if bag for curve in bag.fcurves]

    def keys(self, character: Any) -> int:
        return sum(len(curve.keyframe_points) for curve in self.curves(character))


@pytest.fixture(scope="session")
def cast_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file with two characters, because building them takes longer than opening it."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    characters.build_mixamo("Alice", 1.7)
    characters.build_mixamo("Bob", 1.85)
    path = str(tmp_path_factory.mktemp("cast") / "cast.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    return path


@pytest.fixture
def stage(addon: Addon, cast_file: str) -> Iterator[Stage]:
    # Appended and not opened, because bpy 4.5 crashes at any undo after it has opened a file without a window.
    libraries: Any = bpy.data.libraries
    with libraries.load(cast_file) as (available, chosen):
        chosen.objects = available.objects
    for one in chosen.objects:
        context.scene.collection.objects.link(one)
    made = Stage(addon)
    yield made
    made.jobs.disconnect()


@pytest.fixture
def backend(
    stage: Stage, extension: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., FakeBackend]]:
    """Start a scripted backend that the extension finds through its connection file."""
    path = tmp_path / "connection.json"
    preferences: Any = context.preferences.addons[extension].preferences
    preferences.connection_file = str(path)
    made: list[FakeBackend] = []

    def make(answer: Answer = play) -> FakeBackend:
        made.append(FakeBackend(answer))
        connection_file.write(made[-1].connection, path)
        return made[-1]

    yield make
    stage.jobs.disconnect()
    for one in made:
        one.close()
    preferences.connection_file = ""


def scene_object(name: str) -> Any:
    """An object as it is now; undo replaces it."""
    return bpy.data.objects[name]


def bone_of(character: Any, ending: str) -> Any:
    return next(bone for bone in character.data.bones if bone.name.endswith(ending))


def submitted(server: FakeBackend) -> Submit:
    return next(message for message in reversed(server.received) if isinstance(message, Submit))


def refused(operator: Any, **options: Any) -> str:
    """Run an operator that must refuse, and return what it says."""
    with pytest.raises(RuntimeError) as caught:
        operator(**options)
    return str(caught.value).removeprefix("Error: ").strip()
