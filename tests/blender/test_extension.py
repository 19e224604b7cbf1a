"""The extension as a guest in Blender: how it comes and goes, what it keeps in the file, rigs and captions."""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import bpy
import pytest

from protocol import connection as connection_file
from protocol import installation
from tests.blender.stage import bone_of, context, duologue, refused


def test_disabling_takes_everything_out_and_enabling_brings_it_back(extension, addon):
    addon_utils = importlib.import_module("addon_utils")
    addon_utils.disable(extension)
    assert not hasattr(bpy.types, "DUOLOGUE_PT_motion")
    assert not hasattr(bpy.types.Scene, "duologue")
    addon_utils.enable(extension)
    assert hasattr(bpy.types, "DUOLOGUE_PT_motion")


STARTED_BACKEND = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from protocol import connection
from tests.fake_backend import FakeBackend
server = FakeBackend()
connection.write(server.connection, Path(sys.argv[sys.argv.index("--connection") + 1]))
server.ended.wait(20)
"""


def test_disabling_stops_a_backend_that_was_started_from_here(extension, addon, stage, tmp_path, monkeypatch):
    (tmp_path / "backend").mkdir()
    script = STARTED_BACKEND.replace("{root!r}", repr(str(Path(__file__).resolve().parents[2])))
    (tmp_path / "backend" / "__main__.py").write_text(script)
    note = tmp_path / "note.json"
    note.write_text(json.dumps({"python": sys.executable, "folder": str(tmp_path)}))
    monkeypatch.delenv(installation.ENVIRONMENT_VARIABLE, raising=False)
    monkeypatch.setenv(connection_file.ENVIRONMENT_VARIABLE, str(tmp_path / "connection.json"))
    monkeypatch.setattr(addon("protocol.installation"), "note_path", lambda: note)
    duologue.backend_start()
    stage.tick_until(lambda: stage.jobs.session.state.name == "READY", 20)
    pid = connection_file.read(tmp_path / "connection.json").pid
    assert connection_file.process_runs(pid)
    addon_utils = importlib.import_module("addon_utils")
    addon_utils.disable(extension)
    assert not connection_file.process_runs(pid)
    addon_utils.enable(extension)


def test_the_pair_is_saved_with_the_file(stage, tmp_path):
    path = str(tmp_path / "pair.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    bpy.ops.wm.open_mainfile(filepath=path)
    settings: Any = context.scene.duologue.pairs[0]
    assert settings.character_a.name == "Alice"
    assert settings.prompt == "two people wave at each other"


def test_use_selected_and_swap_fill_the_pair(stage):
    stage.settings.character_a = stage.settings.character_b = None
    for character in (stage.a, stage.b):
        character.select_set(True)
    stage.activate(stage.b)
    duologue.use_selected()
    assert (stage.settings.character_a, stage.settings.character_b) == (stage.b, stage.a)
    duologue.swap()
    assert (stage.settings.character_a, stage.settings.character_b) == (stage.a, stage.b)


def test_the_only_two_characters_need_not_be_selected(stage):
    stage.settings.character_a = stage.settings.character_b = None
    stage.activate(None)
    duologue.use_selected()
    assert {stage.settings.character_a, stage.settings.character_b} == {stage.a, stage.b}
    third = bpy.data.objects.new("Third", stage.a.data)
    stage.scene.collection.objects.link(third)
    stage.a.select_set(False)
    stage.b.select_set(False)
    assert "3 characters" in refused(duologue.use_selected)


def test_a_bone_map_that_is_loaded_makes_an_unknown_rig_usable_and_can_be_forgotten(stage, backend, tmp_path, addon):
    backend()
    bone_of(stage.b, "LeftHand").name = "Paw"
    found = addon("animation.rig").bone_map_of(stage.a).bones
    chains = addon("retarget.mapping").CHAINS
    bones = {joint: list(names) if joint in chains else names[0] for joint, names in found.items()}
    path = tmp_path / "map.json"
    path.write_text(json.dumps({"name": "Paws", "bones": {**bones, "left_wrist": "Paw"}}))
    duologue.load_bone_map(character="Bob", filepath=str(path))
    assert addon("characters").mapping_of(stage.b).bone_map.name == "Paws"
    assert stage.run(duologue.generate).error is None
    duologue.detect_bones(character="Bob")
    assert addon("characters").mapping_of(stage.b).bone_map.name == "Unnamed"


@pytest.mark.parametrize("text", ["{", "[]", '{"bones": {}}'])
def test_a_bone_map_that_is_none_is_refused_and_changes_nothing(stage, tmp_path, text, addon):
    path = tmp_path / "map.json"
    path.write_text(text)
    refused(duologue.load_bone_map, character="Bob", filepath=str(path))
    assert addon("animation.own_map").own_map_of(stage.b) is None
    assert "cannot be read" in refused(duologue.load_bone_map, character="Bob", filepath=str(tmp_path / "none.json"))


def test_a_long_caption_is_cut_for_the_outliner_and_kept_whole_beside_it(stage, backend):
    backend()
    stage.settings.prompt = "zwei Menschen grüßen sich, " * 10
    stage.run(duologue.generate)
    slot = stage.a.animation_data.action_slot
    assert slot.name_display.startswith("Alice: zwei Menschen")
    assert slot.name_display.endswith("…")
    assert stage.captions.read(stage.a) == ("zwei Menschen grüßen sich, " * 10).strip()


def test_the_environment_of_these_tests_is_a_folder_of_their_own():
    assert "duologue-blender-" in os.environ["BLENDER_USER_RESOURCES"]
