"""A Blender without a backend: one button sets one up, and every error that can be mended has a button that does it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import pytest

from protocol import connection as connection_file
from protocol import installation
from tests.blender.stage import Addon, context, duologue, refused
from tests.fake_python import FakePython

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the made-up Python is a script with a #! line")


@pytest.fixture
def chosen(extension: str, addon: Addon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The preferences of a person who has no backend and may go online."""
    monkeypatch.delenv(installation.ENVIRONMENT_VARIABLE, raising=False)
    monkeypatch.setenv(connection_file.ENVIRONMENT_VARIABLE, str(tmp_path / "connection.json"))
    monkeypatch.setattr(addon("protocol.installation"), "note_path", lambda: tmp_path / "data" / "backend.json")
    preferences: Any = context.preferences.addons[extension].preferences
    preferences.setup_device = "cpu"
    context.preferences.system.use_online_access = True
    yield preferences
    addon("link.install").setup.end()
    preferences.setup_python, preferences.setup_device = "", "auto"
    addon("link.jobs").disconnect()


@pytest.fixture
def fake(chosen: Any, tmp_path: Path) -> FakePython:
    made = FakePython(tmp_path / "fake")
    chosen.setup_python = str(made.path)
    return made


def wait(install: Any) -> Any:
    install.setup._thread.join(60)
    assert not install.setup.running
    return install.setup.progress


def setup_is_shown() -> bool:
    panels: Any = bpy.types
    return panels.DUOLOGUE_PT_setup.poll(context)


def test_one_button_sets_up_what_the_extension_carries_and_another_removes_it(fake, addon, tmp_path):
    install = addon("link.install")
    assert setup_is_shown()
    duologue.backend_setup()
    assert wait(install).error is None
    assert not setup_is_shown()
    found = addon("protocol.installation").find()
    assert Path(found.python) == tmp_path / "data" / "backend" / "env" / "bin" / "python"
    program = Path(found.folder)
    assert (program / "checkpoints" / "duologue-small" / "checkpoint.json").is_file()
    assert fake.said("backend") == 1
    duologue.backend_remove()
    assert wait(install).error is None
    assert not (tmp_path / "data" / "backend").exists()
    assert setup_is_shown()


def test_offline_nothing_is_begun_and_the_preferences_are_offered(fake, addon, tmp_path):
    context.preferences.system.use_online_access = False
    assert "may not go online" in refused(duologue.backend_setup)
    assert not (tmp_path / "data").exists()
    remedy = addon("ui.remedies").REMEDIES["setup_offline"]
    assert (remedy.operator, remedy.options["section"]) == ("duologue.open_preferences", "SYSTEM")


def test_a_backend_that_is_set_up_works_offline(fake, addon):
    duologue.backend_setup()
    assert wait(addon("link.install")).error is None
    context.preferences.system.use_online_access = False
    duologue.backend_setup()
    assert wait(addon("link.install")).error is None


def test_disabling_the_extension_breaks_setting_up_off(fake, extension, addon):
    install = addon("link.install")
    fake.tell(hangs="torch")
    duologue.backend_setup()
    thread = install.setup._thread
    addon_utils = importlib.import_module("addon_utils")
    addon_utils.disable(extension)
    assert not thread.is_alive()
    addon_utils.enable(extension)


def test_every_remedy_is_an_operator_that_takes_its_options(extension, addon):
    for code, remedy in addon("ui.remedies").REMEDIES.items():
        properties = getattr(duologue, remedy.operator.partition(".")[2]).get_rna_type().properties
        for name, value in remedy.options.items():
            assert value in properties[name].enum_items, code


def test_every_remedy_is_for_an_error_that_there_is(addon):
    root = Path(__file__).resolve().parents[2]
    sources = [path for room in ("blender_addon", "protocol", "backend") for path in (root / room).rglob("*.py")]
    table = Path("ui") / "remedies.py"
    text = "".join(path.read_text() for path in sources if not path.match(str(table)))
    assert [code for code in addon("ui.remedies").REMEDIES if f'"{code}"' not in text] == []


def test_settings_that_were_refused_are_corrected_by_the_button(stage, backend):
    backend()
    stage.settings.prompt, stage.settings.seconds, stage.settings.variations = "wave and " * 90, 0.0, 8
    refused(duologue.generate)
    assert stage.jobs.refusal() is not None
    duologue.correct_settings()
    assert stage.jobs.refusal() is None
    assert ("wave and " * 90).startswith(stage.settings.prompt + " ")
    assert 450 < len(stage.settings.prompt) <= 500
    assert stage.settings.seconds == 1.0
    stage.settings.prompt = " "
    duologue.correct_settings()
    assert stage.settings.prompt


def test_characters_that_cannot_move_are_freed_by_the_button(stage, backend):
    backend()
    stage.b.hide_set(True)
    stage.a.data.pose_position = "REST"
    for bone in stage.a.pose.bones:
        bone.lock_rotation = (True, True, True)
    refused(duologue.generate)
    duologue.free_characters()
    assert stage.run(duologue.generate).error is None
    assert stage.keys(stage.a) > 0
    assert stage.keys(stage.b) > 0
