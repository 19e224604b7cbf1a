"""Captions of existing animation: of one character, of the pair, of everybody, and as timeline markers."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import bpy
import pytest

from protocol.messages import Error, Result, Submit
from protocol.wire import Envelope
from tests.blender.stage import context, duologue, refused, scene_object
from tests.fake_backend import FakeBackend, play


def speak(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
    """Describe one person as waving, two as greeting each other."""
    submit = envelope.message
    if isinstance(submit, Submit) and submit.task == "describe" and submit.motion is not None:
        text = "greet each other" if submit.motion.persons == 2 else "waves"
        server.say(to, Result(text=text), envelope.header.id)
    else:
        play(server, to, envelope)


@pytest.fixture
def chosen(extension: str) -> Iterator[Any]:
    """The extension's preferences, put back at the end."""
    preferences: Any = context.preferences.addons[extension].preferences
    yield preferences
    preferences.caption_markers, preferences.outliner_captions = False, True


def test_describe_all_captions_each_character_and_the_pair_in_one_undo_step(stage, backend):
    server = backend(speak)
    stage.run(duologue.generate)
    server.received.clear()
    job = stage.run(duologue.describe_all)
    assert job.error is None
    asked = [message.motion.persons for message in server.received if isinstance(message, Submit) and message.motion]
    assert asked == [1, 1, 2]
    assert job.note == "Describe All: 3 of 3 done."
    for character in (stage.a, stage.b):
        assert stage.captions.own(character) == "waves"
        assert stage.captions.of_pair(character) == "greet each other"
        assert stage.captions.shown(character) == f"{character.name}: waves\nTogether: greet each other"
        assert character.animation_data.action_slot.name_display == f"{character.name}: waves"
    assert stage.captions.read_action(stage.a.animation_data.action) == "greet each other\nwaves"
    bpy.ops.ed.undo()
    assert stage.captions.own(scene_object("Alice")) == ""
    assert stage.captions.of_pair(scene_object("Alice")) == "two people wave at each other"


def test_describe_all_passes_over_what_it_cannot_describe_and_says_so(stage, backend):
    backend(speak)
    stage.run(duologue.generate)
    crate = bpy.data.objects.new("Crate", bpy.data.armatures.new("Crate"))
    stage.scene.collection.objects.link(crate)
    for frame in (1, 10):
        crate.keyframe_insert("location", frame=frame)
    still = bpy.data.objects.new("Still", bpy.data.armatures.new("Still"))
    stage.scene.collection.objects.link(still)
    job = stage.run(duologue.describe_all)
    assert job.error is None
    assert job.note.startswith("Describe All: 3 of 4 done. “Crate” was passed over: ")
    assert "Still" not in job.note


def test_one_caption_that_fails_does_not_stop_the_others(stage, backend):
    def lone_ones_fail(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
        submit = envelope.message
        if isinstance(submit, Submit) and submit.motion is not None and submit.motion.persons == 1:
            server.say(to, Error("internal", "The backend stumbled.", "Try again."), envelope.header.id)
        else:
            speak(server, to, envelope)

    backend(lone_ones_fail)
    stage.run(duologue.generate)
    job = stage.run(duologue.describe_all)
    assert job.error is None
    assert "1 of 3 done" in job.note
    assert "“Alice” was passed over: The backend stumbled." in job.note
    assert stage.captions.read(stage.a) == "greet each other"


def test_describe_all_that_is_cancelled_keeps_the_captions_that_are_there(stage, backend):
    def no_pair(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
        submit = envelope.message
        if not (isinstance(submit, Submit) and submit.motion is not None and submit.motion.persons == 2):
            speak(server, to, envelope)

    backend(no_pair)
    stage.run(duologue.generate)
    duologue.describe_all()
    stage.tick_until(lambda: stage.jobs.latest().number == 2)
    duologue.cancel()
    assert stage.jobs.latest().note == "Stopped. Describe All: 2 of 3 done."
    assert stage.captions.own(stage.b) == "waves"
    assert stage.captions.of_pair(stage.b) == "two people wave at each other"


def test_nothing_to_describe_is_said(stage, backend):
    backend(speak)
    assert "No character of this scene has animation. Animate one" in refused(duologue.describe_all)


def test_markers_are_put_where_wanted_and_renamed_and_not_doubled(stage, backend, chosen):
    backend(speak)
    stage.scene.frame_set(5)
    stage.run(duologue.generate)
    stage.run(duologue.describe_all)
    assert not stage.scene.timeline_markers
    chosen.caption_markers = True
    stage.scene.timeline_markers.new("mine", frame=5)
    for _ in range(2):
        stage.run(duologue.describe_all)
    found = sorted((marker.frame, marker.name) for marker in stage.scene.timeline_markers)
    assert found == [(5, "Alice and Bob: greet each other"), (5, "Alice: waves"), (5, "Bob: waves"), (5, "mine")]


def test_an_accepted_motion_gets_a_marker_where_wanted_and_a_rejected_one_none(stage, backend, chosen):
    backend(speak)
    chosen.caption_markers = True
    stage.scene.frame_set(7)
    stage.run(duologue.generate)
    duologue.reject()
    assert not stage.scene.timeline_markers
    stage.run(duologue.generate)
    duologue.accept()
    found = [(marker.frame, marker.name) for marker in stage.scene.timeline_markers]
    assert found == [(7, "Alice and Bob: two people wave at each other")]


def test_a_strip_at_the_current_frame_is_captioned_and_read(stage, backend):
    backend(speak)
    stage.run(duologue.generate)
    duologue.push_to_nla()
    assert stage.captions.read(stage.a) == "two people wave at each other"
    stage.run(duologue.describe, alone=True)
    assert stage.captions.own(stage.a) == "waves"
    stage.scene.frame_set(500)
    assert stage.captions.read(stage.a) == ""


def test_the_captions_at_the_foot_of_the_outliner_can_be_switched_off(stage, backend, addon, chosen):
    backend(speak)
    stage.run(duologue.generate)
    footer = addon("ui.outliner").footer_of
    assert footer(context) == "Alice: two people wave at each other"
    chosen.outliner_captions = False
    assert footer(context) == ""


class Layout:
    """Stands in for Blender's layout and notes which operators and menus are drawn."""

    def __init__(self, drawn: list[str]) -> None:
        self.drawn = drawn

    def __getattr__(self, name: str) -> Any:
        if name in ("row", "column", "box"):
            return lambda **_: Layout(self.drawn)
        return lambda *values, **_: self.drawn.append(f"{name} {values[0] if values else ''}") or SimpleNamespace()


def test_the_panel_offers_what_can_be_done_and_the_menu_everything(stage, backend, addon):
    backend(speak)
    drawn: list[str] = []
    panel = addon("ui.result").DUOLOGUE_PT_result
    fake: Any = SimpleNamespace(layout=Layout(drawn), _draw_pending=panel._draw_pending)
    panel.draw(fake, context)
    assert "operator duologue.accept" not in drawn
    stage.settings.variations = 2
    stage.run(duologue.generate)
    panel.draw(fake, context)
    assert {"operator duologue.accept", "operator duologue.reject", "operator duologue.reroll"} <= set(drawn)
    assert "template_list DUOLOGUE_UL_variations" in drawn
    drawn.clear()
    addon("ui.menus").DUOLOGUE_MT_duologue.draw(fake, context)
    offered = {line.partition(" ")[2] for line in drawn if line.startswith("operator ")}
    assert offered == {
        f"duologue.{name}"
        for name in (
            *("generate", "react", "describe", "describe_all", "cancel", "accept", "reject", "reroll"),
            *("edit", "ask", "continue", "regenerate", "story", "push_to_nla", "mark_asset", "export"),
        )
    }
    addon("ui.menus")._submenu(fake, context)
    assert "menu DUOLOGUE_MT_duologue" in drawn


@pytest.mark.parametrize(("room", "shown"), [(20.0, 6), (10.0, 4), (5.0, 2), (1.0, 1)])
def test_captions_leave_the_rows_of_a_small_outliner_in_sight(addon, room: float, shown: int):
    lines = [f"line {number}" for number in range(8)]
    found = addon("ui.outliner").shortened(lines, room)
    assert len(found) == shown
    assert found[:-1] == lines[: shown - 1]
    assert found[-1] == f"{lines[shown - 1]} …"
    assert addon("ui.outliner").shortened(lines[:1], room) == lines[:1]
