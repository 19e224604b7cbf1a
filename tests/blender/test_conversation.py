"""The conversation of a pair: change this, ask about this, stories, and going back to what was there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest

from protocol.messages import ASK, EDIT, STORY, Error, Submit
from protocol.wire import Envelope
from tests.blender.stage import Stage, context, duologue, refused, scene_object, submitted
from tests.fake_backend import WELCOME, FakeBackend, play


def turns(stage: Stage) -> list[tuple[str, str]]:
    return [(turn.task, turn.said) for turn in stage.settings.conversation.turns]


def change(stage: Stage, words: str) -> Any:
    stage.settings.conversation.words = words
    return stage.run(duologue.edit)


def test_a_change_sends_the_motion_of_both_with_its_script_and_is_a_result_like_any_other(stage, backend):
    server = backend()
    stage.scene.frame_set(11)
    stage.run(duologue.generate)
    first = stage.actions()[0]
    job = change(stage, "but B refuses ")
    assert job.error is None
    sent = submitted(server)
    assert (sent.task, sent.prompt, sent.script) == (EDIT, "but B refuses", "two people wave at each other")
    assert sent.motion is not None
    assert sent.motion.persons == 2
    assert sent.motion.frames == pytest.approx(60, abs=2)
    second = stage.actions()[0]
    assert stage.actions() == (second, second)
    assert second != first
    assert second.frame_range[0] == 11
    assert second["duologue_script"] == "two people wave at each other; but B refuses"
    assert stage.captions.read(stage.a) == "two people wave at each other (but B refuses)"
    assert turns(stage) == [("generate", "two people wave at each other"), ("edit", "but B refuses")]
    assert stage.settings.conversation.words == ""
    duologue.reject()
    assert stage.actions() == (first, first)
    assert turns(stage) == [("generate", "two people wave at each other")]


def test_any_turn_can_be_gone_back_to_and_the_next_change_starts_from_it(stage, backend, addon):
    server = backend()
    own = bpy.data.actions.new("Alice's own")
    stage.a.animation_data_create().action = own
    stage.a.keyframe_insert("location", frame=1)
    stage.run(duologue.generate)
    change(stage, "slower")
    change(stage, "with the left hand")
    assert [task for task, _ in turns(stage)] == ["before", "generate", "edit", "edit"]
    held = stage.settings.conversation
    current = addon("conversation").is_current
    assert [current(stage.settings, turn) for turn in held.turns] == [False, False, False, True]
    latest = stage.actions()[0]
    duologue.turn_use(number=1)
    generated = stage.actions()[0]
    assert generated["duologue_script"] == "two people wave at each other"
    assert [current(stage.settings, turn) for turn in held.turns] == [False, True, False, False]
    assert stage.actions() == (generated, generated)
    change(stage, "angrily")
    assert submitted(server).script == "two people wave at each other"
    duologue.turn_use(number=3)
    assert stage.actions() == (latest, latest)
    duologue.turn_use(number=0)
    assert stage.a.animation_data.action == own
    duologue.turn_remove(number=3)
    assert [said for _, said in turns(stage)][1:] == ["two people wave at each other", "slower", "angrily"]
    assert generated in set(bpy.data.actions)


def test_a_change_of_the_preview_range_keeps_the_rest(stage, backend):
    server = backend()
    stage.scene.render.fps = 30
    stage.run(duologue.generate)
    kept = [curve.evaluate(5) for curve in stage.curves(stage.b)]
    stage.scene.use_preview_range = True
    stage.scene.frame_preview_start, stage.scene.frame_preview_end = 21, 40
    assert change(stage, "slower").error is None
    sent = submitted(server).motion
    assert sent is not None
    assert sent.frames == 20
    assert tuple(stage.actions()[0].frame_range) == (1, 60)
    found = {(curve.data_path, curve.array_index): curve.evaluate(5) for curve in stage.curves(stage.b)}
    assert list(found.values()) == kept


def test_a_question_is_answered_in_the_conversation_and_nothing_moves(stage, backend):
    server = backend()
    stage.run(duologue.generate)
    before = stage.actions(), stage.keys(stage.a)
    stage.settings.conversation.words = "who leads?"
    job = stage.run(duologue.ask)
    assert (job.error, job.note) == (None, "Both of them.")
    sent = submitted(server)
    assert (sent.task, sent.prompt) == (ASK, "who leads?")
    assert sent.motion is not None
    assert sent.motion.persons == 2
    assert (stage.actions(), stage.keys(stage.a)) == before
    turn = stage.settings.conversation.turns[-1]
    assert (turn.said, turn.answer, turn.pending) == ("who leads?", "Both of them.", False)
    duologue.reject()
    assert [task for task, _ in turns(stage)] == ["ask"]


def test_a_rerolled_change_starts_from_the_same_motion_and_stays_one_turn(stage, backend):
    server = backend()
    stage.run(duologue.generate)
    generated = stage.actions()[0]
    change(stage, "slower")
    first = submitted(server)
    job = stage.run(duologue.reroll)
    assert job.error is None
    second = submitted(server)
    assert (second.task, second.prompt, second.script) == (EDIT, "slower", first.script)
    assert first.motion is not None
    assert second.motion is not None
    np.testing.assert_array_equal(first.motion.rotations, second.motion.rotations)
    assert second.seed != first.seed
    assert [task for task, _ in turns(stage)] == ["generate", "edit"]
    assert stage.captions.read(stage.a) == "two people wave at each other (slower)"
    duologue.reject()
    assert stage.actions() == (generated, generated)


def test_turns_outlive_saving_and_a_dead_backend(stage, backend, tmp_path):
    server = backend()
    stage.run(duologue.generate)
    change(stage, "slower")
    stage.settings.conversation.words = "why?"
    stage.run(duologue.ask)
    duologue.accept()
    server.close()
    path = str(tmp_path / "talk.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=path)
    scene: Any = context.scene
    held = scene.duologue.pairs[0].conversation
    assert [turn.said for turn in held.turns] == ["two people wave at each other", "slower", "why?"]
    assert held.turns[2].answer == "Both of them."
    alice = scene_object("Alice")
    duologue.turn_use(number=0)
    assert alice.animation_data.action["duologue_script"] == "two people wave at each other"
    assert len(bpy.data.actions) == 2


def test_a_scene_that_is_appended_brings_its_conversation_and_a_character_its_script(stage, backend, tmp_path):
    server = backend()
    stage.run(duologue.generate)
    change(stage, "slower")
    duologue.accept()
    stage.scene.name = "Talk"
    path = str(tmp_path / "talk.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    libraries: Any = bpy.data.libraries
    with libraries.load(path) as (_, chosen):
        chosen.scenes = ["Talk"]
    appended: Any = bpy.data.scenes["Talk"]
    pair = appended.duologue.pairs[0]
    assert [turn.said for turn in pair.conversation.turns] == ["two people wave at each other", "slower"]
    first, second = ([part.action for part in turn.parts] for turn in pair.conversation.turns)
    assert None not in first + second
    assert first != second
    assert pair.character_a.animation_data.action == second[0]
    assert second[0]["duologue_script"] == "two people wave at each other; slower"
    assert server.received


def test_a_change_that_fails_leaves_the_words_to_be_said_again(stage, backend):
    def fail(server: FakeBackend, to: bytes, envelope: Envelope) -> None:
        if isinstance(envelope.message, Submit) and envelope.message.task == EDIT:
            server.say(to, Error("internal", "The backend stumbled.", "Try again."), envelope.header.id)
        else:
            play(server, to, envelope)

    backend(fail)
    stage.run(duologue.generate)
    first = stage.actions()
    assert change(stage, "slower").error.code == "internal"
    assert stage.actions() == first
    assert stage.settings.conversation.words == "slower"
    assert [task for task, _ in turns(stage)] == ["generate"]
    stage.settings.conversation.words = " "
    assert "Say what shall be different" in refused(duologue.edit)
    stage.settings.conversation.words = "x" * 501
    assert "501 characters" in refused(duologue.edit)


def test_a_story_plays_its_scenes_from_here_or_from_where_the_motion_ends(stage, backend):
    server = backend()
    stage.scene.render.fps = 30
    told = stage.settings.conversation
    for text in ("they meet", "  ", "they part"):
        told.scenes.add().prompt = text
    told.story_seconds = 5.0
    stage.scene.frame_set(5)
    job = stage.run(duologue.story)
    assert job.error is None
    sent = submitted(server)
    assert (sent.task, sent.prompts, sent.seconds, sent.motion) == (STORY, ["they meet", "they part"], 5.0, None)
    assert tuple(stage.actions()[0].frame_range) == (5, 154)
    assert stage.captions.read(stage.a) == "they meet, then they part"
    arm = [curve for curve in stage.curves(stage.a) if "RightArm" in curve.data_path]
    before = [curve.evaluate(frame) for curve in arm for frame in range(5, 155)]
    told.goes_on, told.fill, stage.scene.frame_end = True, True, 264
    assert stage.run(duologue.story).error is None
    sent = submitted(server)
    assert sent.motion is not None
    assert (sent.motion.persons, sent.motion.frames) == (2, 120)
    assert sent.seconds == pytest.approx(110 / 30)
    assert tuple(stage.actions()[0].frame_range) == (5, 264)
    arm = [curve for curve in stage.curves(stage.a) if "RightArm" in curve.data_path]
    after = [curve.evaluate(frame) for curve in arm for frame in range(5, 155)]
    assert before == after
    told.story_seconds, told.fill = 25.0, False
    assert "Choose 2 to 20 seconds" in refused(duologue.story)
    duologue.scene_add()
    duologue.scene_remove(number=1)
    assert [one.prompt for one in told.scenes] == ["they meet", "they part", ""]
    told.scenes.add()
    assert not duologue.scene_add.poll()


_drawing: Any = bpy.types.UILayout.bl_rna
ICONS = {item.identifier for item in _drawing.functions["prop"].parameters["icon"].enum_items}


class Drawn:
    """Stands in for Blender's layout, notes what is drawn, and knows Blender's icons."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines

    def __getattr__(self, name: str) -> Any:
        if name in ("row", "column", "box"):
            return lambda **_: Drawn(self.lines)

        def note(*values: object, **options: object) -> SimpleNamespace:
            assert options.get("icon", "NONE") in ICONS
            self.lines.append(" ".join(str(one) for one in (name, *values[-1:], options.get("text", ""))).strip())
            return SimpleNamespace()

        return note


def test_what_the_checkpoint_has_not_learned_is_greyed_out_and_said(stage, backend, addon, monkeypatch):
    backend()
    stage.run(duologue.generate)
    assert duologue.edit.poll()
    simple = type(WELCOME)(
        "0.1.0", ["generate", "react", "describe", "ask"], "duologue-small", "cpu", True, WELCOME.limits
    )
    monkeypatch.setattr(stage.jobs.session._client, "welcome", simple)
    offered = {name: getattr(duologue, name).poll() for name in ("generate", "edit", "edit_with_words", "ask", "story")}
    assert offered == {"generate": True, "edit": False, "edit_with_words": False, "ask": True, "story": False}
    assert not getattr(duologue, "continue").poll()
    lines: list[str] = []
    panel = addon("ui.conversation").DUOLOGUE_PT_conversation

    def in_one_line(layout: Any, _context: object, text: str, icon: str = "NONE") -> None:
        layout.label(text=text, icon=icon)

    # Without a window there is no width to wrap text at.
    monkeypatch.setattr(addon("ui.conversation"), "paragraph", in_one_line)
    fake: Any = SimpleNamespace(layout=Drawn(lines), _draw_turns=panel._draw_turns)
    panel.draw(fake, context)
    said = " ".join(line.removeprefix("label ") for line in lines)
    assert "template_list" in said
    assert "has not learned to change a motion by words, nor to continue a motion" in " ".join(said.split())
    stage.settings.conversation.scenes.add()
    fake.layout = Drawn(lines)
    addon("ui.conversation").DUOLOGUE_PT_story.draw(fake, context)
    assert "operator duologue.story" in lines
    row = addon("ui.conversation").DUOLOGUE_UL_turns
    for turn in stage.settings.conversation.turns:
        row.draw_item(None, context, Drawn(lines), None, turn, None, None, None, 0, None)


def test_right_click_offers_to_continue_and_to_edit_and_search_finds_everything(stage, backend, addon):
    backend()
    lines: list[str] = []
    menus = addon("ui.menus")
    menus._draw_character(Drawn(lines), stage.a)
    assert [line.split()[1] for line in lines if line.startswith("operator")] == [
        f"duologue.{name}" for name in ("react", "describe", "continue", "edit_with_words")
    ]
    lines.clear()
    fake: Any = SimpleNamespace(layout=Drawn(lines))
    menus.DUOLOGUE_MT_duologue.draw(fake, context)
    assert {f"operator duologue.{name}" for name in ("edit", "ask", "continue", "regenerate", "story")} <= set(lines)


def test_edit_with_words_from_a_right_click_is_about_the_clicked_characters_pair(stage, backend):
    server = backend()
    stage.run(duologue.generate)
    stage.activate(stage.b)
    duologue.edit_with_words(instruction="slower")
    stage.tick_until(lambda: not stage.jobs.running())
    assert (submitted(server).task, submitted(server).prompt) == (EDIT, "slower")
    crate = bpy.data.objects.new("Crate", bpy.data.armatures.new("Crate"))
    stage.scene.collection.objects.link(crate)
    stage.activate(crate)
    assert "neither character A nor character B" in refused(duologue.edit, instruction="slower", clicked=True)
