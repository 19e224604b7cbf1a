"""The installed extension, driven through its own operators against a scripted backend."""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import pytest

from protocol import connection as connection_file
from protocol import installation
from protocol.messages import DESCRIBE, GENERATE, REACT, Cancel, Error, MotionPart, Progress, Result, Submit
from protocol.motion import Motion
from protocol.wire import MAGIC, Envelope
from tests.e2e import characters
from tests.fake_backend import Answer, FakeBackend, play, two_wave

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
        self.settings: Any = self.scene.duologue
        self.settings.character_a, self.settings.character_b = self.a, self.b
        self.settings.prompt, self.settings.seconds = "two people wave at each other", 2.0
        self.activate(self.a)

    def activate(self, character: Any) -> None:
        context.view_layer.objects.active = character

    def tick_until(self, over: Callable[[], bool], seconds: float = 8.0) -> None:
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

    def keys(self, character: Any) -> int:
        data = character.animation_data
        if data is None or data.action is None:
            return 0
        strips = [strip for layer in data.action.layers for strip in layer.strips]
        bags = [strip.channelbag(data.action_slot) for strip in strips]
        return sum(len(curve.keyframe_points) for bag in bags if bag for curve in bag.fcurves)


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


# --- what goes well ---------------------------------------------------------------------------------------------------


def test_generate_moves_both_characters_and_captions_them(stage, backend):
    server = backend()
    job = stage.run(duologue.generate)
    assert job.error is None
    assert submitted(server).task == GENERATE
    assert submitted(server).prompt == "two people wave at each other"
    action_a, action_b = stage.actions()
    assert action_a == action_b
    assert stage.keys(stage.a) > 100
    assert stage.keys(stage.b) > 100
    for character in (stage.a, stage.b):
        assert stage.captions.read(character) == "two people wave at each other"
        shown = character.animation_data.action_slot.name_display
        assert shown.startswith(f"{character.name}: two people wave")
    assert "two people wave" in action_a.name


def test_motion_is_on_the_rigs_before_the_job_is_over(stage, backend):
    parts: list[Callable[[], None]] = []

    def one_part(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
        if isinstance(envelope.message, Submit):
            server.say(to, Progress(0.5, "Generating"), envelope.header.id)
            server.say(to, MotionPart(0, 0, 60, two_wave(60).slice(0, 30)), envelope.header.id)
            parts.append(lambda: server.say(to, MotionPart(0, 30, 60, two_wave(60).slice(30, 60)), envelope.header.id))
            parts.append(lambda: server.say(to, Result(), envelope.header.id))

    backend(one_part)
    duologue.generate()
    stage.tick_until(lambda: stage.jobs.latest().first_motion_seconds is not None)
    assert stage.jobs.running()
    assert stage.jobs.latest().fraction == 0.5
    half = stage.keys(stage.b)
    assert half > 0
    for say in parts:
        say()
    stage.tick_until(lambda: not stage.jobs.running())
    assert stage.jobs.latest().error is None
    assert stage.keys(stage.b) > half


def test_the_motion_starts_at_the_current_frame_and_the_scene_keeps_its_own_timing(stage, backend):
    backend()
    stage.scene.render.fps, stage.scene.frame_end = 24, 100
    stage.scene.frame_set(41)
    stage.run(duologue.generate)
    first, last = stage.a.animation_data.action.frame_range
    assert first == 41
    assert last == pytest.approx(41 + 2.0 * 24, abs=1.5)
    assert (stage.scene.render.fps, stage.scene.render.fps_base, stage.scene.frame_end) == (24, 1.0, 100)
    assert stage.scene.frame_current == 41


def test_a_seed_that_is_kept_is_sent_and_otherwise_a_new_one_is_drawn(stage, backend):
    server = backend()
    stage.settings.new_seed, stage.settings.seed = False, 77
    stage.run(duologue.generate)
    assert submitted(server).seed == 77
    stage.settings.new_seed = True
    stage.run(duologue.generate)
    assert submitted(server).seed == stage.settings.seed != 77


def test_react_sends_the_active_character_and_moves_only_its_partner(stage, backend):
    server = backend()
    stage.run(duologue.generate)
    before = stage.a.animation_data.action, stage.keys(stage.a)
    stage.activate(stage.a)
    job = stage.run(duologue.react)
    assert job.error is None
    submit = submitted(server)
    assert submit.task == REACT
    assert submit.motion is not None
    assert submit.motion.persons == 1
    assert submit.prompt == ""
    assert (stage.a.animation_data.action, stage.keys(stage.a)) == before
    assert stage.b.animation_data.action != stage.a.animation_data.action
    assert stage.captions.read(stage.b) == "reacts to Alice"


def test_react_works_from_b_to_a_and_from_a_mesh_that_a_character_wears(stage, backend):
    backend()
    stage.run(duologue.generate)
    worn = next(child for child in bpy.data.objects if child.type == "MESH" and child.find_armature() == stage.b)
    stage.activate(worn)
    stage.run(duologue.react)
    assert stage.captions.read(stage.a) == "reacts to Bob"


def test_describe_speaks_of_the_pair_where_both_are_animated(stage, backend):
    server = backend()
    stage.run(duologue.generate)
    stage.activate(stage.b)
    before = stage.keys(stage.a)
    job = stage.run(duologue.describe)
    motion = submitted(server).motion
    assert submitted(server).task == DESCRIBE
    assert motion is not None
    assert motion.persons == 2
    assert stage.captions.read(stage.a) == stage.captions.read(stage.b) == "two people wave"
    assert "Alice and Bob: two people wave" in job.note
    assert stage.keys(stage.a) == before


def test_describe_alone_speaks_of_the_clicked_character(stage, backend):
    server = backend()
    stage.run(duologue.generate)
    stage.run(duologue.describe, alone=True)
    motion = submitted(server).motion
    assert motion is not None
    assert motion.persons == 1
    assert stage.captions.read(stage.b) == "two people wave at each other"


def test_one_undo_takes_back_the_whole_result_and_redo_restores_it(stage, backend):
    backend()
    bpy.ops.ed.undo_push(message="before")
    stage.run(duologue.generate)
    assert stage.keys(scene_object("Alice")) > 0
    bpy.ops.ed.undo()
    alice, bob = scene_object("Alice"), scene_object("Bob")
    assert stage.keys(alice) == stage.keys(bob) == 0
    bpy.ops.ed.redo()
    alice, bob = scene_object("Alice"), scene_object("Bob")
    assert stage.keys(alice) > 0
    assert stage.keys(bob) > 0


def test_a_second_result_replaces_the_first_and_plays(stage, backend):
    backend()
    stage.run(duologue.generate)
    stage.settings.prompt = "two people bow"
    stage.run(duologue.generate)
    assert stage.captions.read(stage.a) == "two people bow"
    assert stage.keys(stage.a) > 100
    arm = next(bone for bone in stage.a.pose.bones if bone.name.endswith("RightArm"))
    stage.scene.frame_set(1)
    first = arm.matrix.copy()
    stage.scene.frame_set(45)
    assert arm.matrix.to_quaternion().rotation_difference(first.to_quaternion()).angle > 0.3


# --- cancelling, and trouble in mid-job -------------------------------------------------------------------------------


def half(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
    """Send half of the motion and then nothing more."""
    if isinstance(envelope.message, Submit):
        server.say(to, MotionPart(0, 0, 60, two_wave(60).slice(0, 30)), envelope.header.id)


def begin_over_existing_motion(stage: Stage, server: FakeBackend) -> Any:
    """Give A an action of its own, begin to generate over it, and return that action."""
    own = bpy.data.actions.new("Alice's own")
    stage.a.animation_data_create().action = own
    stage.a.keyframe_insert("location", frame=3)
    duologue.generate()
    stage.tick_until(lambda: stage.jobs.latest().first_motion_seconds is not None)
    assert stage.a.animation_data.action != own
    return own


def everything_is_as_it_was(stage: Stage, own: Any) -> bool:
    held = (stage.a.animation_data.action, stage.keys(stage.a), stage.keys(stage.b))
    return held == (own, 3, 0) and [action.name for action in bpy.data.actions] == ["Alice's own"]


def test_cancel_stops_the_backend_and_puts_the_old_actions_back(stage, backend):
    server = backend(half)
    own = begin_over_existing_motion(stage, server)
    duologue.cancel()
    assert not stage.jobs.running()
    assert everything_is_as_it_was(stage, own)
    assert "cancelled" in stage.jobs.latest().note
    stage.tick_until(lambda: any(isinstance(message, Cancel) for message in server.received))


def test_what_arrives_after_a_cancel_is_ignored(stage, backend):
    late: list[Callable[[], None]] = []

    def answer(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
        half(server, to, envelope)
        if isinstance(envelope.message, Submit):
            late.append(lambda: server.say(to, MotionPart(0, 30, 60, two_wave(60).slice(30, 60)), envelope.header.id))

    own = begin_over_existing_motion(stage, backend(answer))
    duologue.cancel()
    late[0]()
    time.sleep(0.05)
    stage.jobs.tick()
    assert everything_is_as_it_was(stage, own)


def test_a_backend_that_dies_in_mid_job_leaves_everything_as_it_was(stage, backend, addon, monkeypatch):
    monkeypatch.setattr(addon("link.client"), "SILENCE_SECONDS", 0.3)
    monkeypatch.setattr(addon("link.client"), "HEARTBEAT_SECONDS", 0.1)
    server = backend(half)
    own = begin_over_existing_motion(stage, server)
    server.silent.set()
    stage.tick_until(lambda: not stage.jobs.running())
    assert stage.jobs.latest().error.code == "backend_lost"
    assert "Restart" in stage.jobs.latest().error.hint
    assert everything_is_as_it_was(stage, own)


def test_an_error_from_the_backend_is_passed_on_with_its_hint(stage, backend):
    def altered(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
        if isinstance(envelope.message, Submit):
            server.say(to, Error("checkpoint_altered", "The file was altered.", "Fetch it anew."), envelope.header.id)

    backend(altered)
    job = stage.run(duologue.generate)
    assert (job.error.code, job.error.hint) == ("checkpoint_altered", "Fetch it anew.")
    assert stage.actions() == (None, None)


def test_motion_with_nan_is_refused_and_nothing_changes(stage, backend):
    later: list[Callable[[], None]] = []

    def broken(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
        if isinstance(envelope.message, Submit):
            half(server, to, envelope)
            bad: Motion = two_wave(30)
            bad.root[4] = float("nan")
            later.append(lambda: server.say(to, MotionPart(0, 30, 60, bad), envelope.header.id))

    own = begin_over_existing_motion(stage, backend(broken))
    later[0]()
    stage.tick_until(lambda: not stage.jobs.running())
    assert stage.jobs.latest().error.code == "motion_not_finite"
    assert everything_is_as_it_was(stage, own)


def test_a_backend_of_another_major_version_is_named_as_that(stage, backend):
    def newer(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
        server.socket.send_multipart([to, MAGIC + b"\x07\x00", bytes(32), b"{}", b"{}"])

    backend(newer)
    job = stage.run(duologue.generate)
    assert job.error.code == "version_mismatch"
    assert "version 7" in job.error.message
    assert "Update" in job.error.hint
    assert stage.actions() == (None, None)


def test_a_character_that_is_deleted_in_mid_job_ends_it_in_words(stage, backend):
    parts: list[Callable[[], None]] = []

    def answer(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
        half(server, to, envelope)
        if isinstance(envelope.message, Submit):
            parts.append(lambda: server.say(to, MotionPart(0, 30, 60, two_wave(60).slice(30, 60)), envelope.header.id))

    begin_over_existing_motion(stage, backend(answer))
    bpy.data.objects.remove(stage.b)
    parts[0]()
    stage.tick_until(lambda: not stage.jobs.running())
    error = stage.jobs.latest().error
    assert error is not None
    assert error.code == "character_gone"
    assert stage.a.animation_data.action.name == "Alice's own"


def test_an_undo_in_mid_job_loses_nothing_of_the_result(stage, backend):
    later: list[Callable[[], None]] = []

    def answer(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
        half(server, to, envelope)
        if isinstance(envelope.message, Submit):
            job = envelope.header.id
            later.append(lambda: server.say(to, MotionPart(0, 30, 60, two_wave(60).slice(30, 60)), job))
            later.append(lambda: server.say(to, Result(), job))

    backend(answer)
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.ed.undo_push(message="also before")
    duologue.generate()
    stage.tick_until(lambda: stage.jobs.latest().first_motion_seconds is not None)
    bpy.ops.ed.undo()
    assert stage.keys(scene_object("Alice")) == 0
    for say in later:
        say()
        stage.jobs.tick()
    stage.tick_until(lambda: not stage.jobs.running())
    assert stage.jobs.latest().error is None
    alice = scene_object("Alice")
    assert tuple(alice.animation_data.action.frame_range) == pytest.approx((1, 1 + 2 * 24), abs=1.5)


def test_loading_another_file_ends_the_job(stage, backend):
    begin_over_existing_motion(stage, backend(half))
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    assert not stage.jobs.running()
    stage.jobs.tick()


def test_only_one_thing_is_done_at_a_time(stage, backend):
    backend(half)
    duologue.generate()
    assert "at work" in refused(duologue.generate)
    assert stage.jobs.running()


# --- bad input: one sentence, a next step, nothing changed ------------------------------------------------------------


@pytest.fixture
def nothing_sent(stage, backend) -> Iterator[None]:
    server = backend()
    before = set(bpy.data.actions)
    yield
    assert not any(isinstance(message, Submit) for message in server.received)
    assert set(bpy.data.actions) == before
    assert stage.jobs.refusal() is not None


def test_an_empty_prompt_is_refused(stage, nothing_sent):
    stage.settings.prompt = "   "
    assert refused(duologue.generate) == ("The prompt is empty. Say what the two do, such as “two people shake hands”.")


def test_an_over_long_prompt_is_refused(stage, nothing_sent):
    stage.settings.prompt = "a" * 501
    assert "501 characters, 500 are allowed" in refused(duologue.generate)


@pytest.mark.parametrize("seconds", [0.0, 0.5, 11.0, 1e6])
def test_seconds_out_of_range_are_refused(stage, nothing_sent, seconds):
    stage.settings.seconds = seconds
    assert "only 1 to 10 seconds" in refused(duologue.generate)


def test_no_character_is_said_to_be_missing(stage, nothing_sent):
    stage.settings.character_b = None
    assert refused(duologue.generate) == "Character B is not set. Pick an armature for it in the Duologue tab."


def test_one_rig_for_both_is_refused(stage, nothing_sent):
    stage.settings.character_b = stage.a
    assert "“Alice” is both character A and character B" in refused(duologue.generate)


def test_a_character_that_is_no_longer_in_the_scene_is_named(stage, nothing_sent):
    for collection in list(stage.b.users_collection):
        collection.objects.unlink(stage.b)
    assert "“Bob”, is not in this scene" in refused(duologue.generate)


def test_a_rig_that_cannot_be_mapped_is_refused_with_the_missing_bones(stage, nothing_sent):
    bone_of(stage.b, "LeftHand").name = "Paw"
    said = refused(duologue.generate)
    assert "“Bob”" in said
    assert "left wrist" in said
    assert "LeftHand" in said


def test_no_animation_to_react_to_is_said(stage, nothing_sent):
    assert "“Alice” has no animation" in refused(duologue.react)


def test_no_animation_to_describe_is_said(stage, nothing_sent):
    assert "“Alice” has no animation" in refused(duologue.describe)


def test_an_animation_of_one_frame_is_refused(stage, nothing_sent):
    stage.a.keyframe_insert("location", frame=10)
    bpy.data.actions[0].name = "own"
    assert "single frame, frame 10" in refused(duologue.describe)
    bpy.data.actions.remove(bpy.data.actions["own"])


def test_a_character_that_is_not_of_the_pair_has_no_partner(stage, nothing_sent):
    stranger = bpy.data.objects.new("Stranger", stage.a.data)
    stage.scene.collection.objects.link(stranger)
    stage.activate(stranger)
    assert "“Stranger” is neither character A nor character B" in refused(duologue.react)


def test_nothing_active_is_said(stage, nothing_sent):
    context.view_layer.objects.active = None
    assert "No character is active" in refused(duologue.describe)


def test_a_missing_backend_is_said_with_how_to_install_it(stage, addon, monkeypatch, tmp_path):
    monkeypatch.setenv(connection_file.ENVIRONMENT_VARIABLE, str(tmp_path / "none.json"))
    monkeypatch.delenv(installation.ENVIRONMENT_VARIABLE, raising=False)
    monkeypatch.setattr(addon("protocol.installation"), "note_path", lambda: tmp_path / "no-note.json")
    job = stage.run(duologue.generate)
    assert job.error.code == "backend_missing"
    assert "build.py setup" in job.error.hint
    assert stage.actions() == (None, None)


# --- the furniture ----------------------------------------------------------------------------------------------------


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
    settings: Any = context.scene.duologue
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


def test_a_bone_map_that_is_loaded_makes_an_unknown_rig_usable_and_can_be_forgotten(stage, backend, tmp_path, addon):
    backend()
    bone_of(stage.b, "LeftHand").name = "Paw"
    found = addon("animation.rig").bone_map_of(stage.a).bones
    chains = addon("retarget.mapping").CHAINS
    bones = {joint: list(names) if joint in chains else names[0] for joint, names in found.items()}
    path = tmp_path / "map.json"
    path.write_text(json.dumps({"name": "Paws", "bones": {**bones, "left_wrist": "Paw"}}))
    duologue.load_bone_map(character="Bob", filepath=str(path))
    assert addon("operators.rig_setup").mapping_of(stage.b).name == "Paws"
    assert stage.run(duologue.generate).error is None
    duologue.forget_bone_map(character="Bob")
    assert "LeftHand" in refused(duologue.generate)


@pytest.mark.parametrize("text", ["{", "[]", '{"bones": {}}'])
def test_a_bone_map_that_is_none_is_refused_and_changes_nothing(stage, tmp_path, text, addon):
    path = tmp_path / "map.json"
    path.write_text(text)
    refused(duologue.load_bone_map, character="Bob", filepath=str(path))
    assert addon("animation.rig").BONE_MAP_PROPERTY not in stage.b
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
