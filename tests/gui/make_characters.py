"""Saves the two characters that the window tests open: ``make_characters.py FILE.blend``, run with the bpy wheel."""

import os
import sys

import bpy

from tests.e2e import characters

bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
characters.build_mixamo("Adam", 1.68)
characters.build_rigify("Beth", 1.85)
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[1])
sys.stdout.flush()
# bpy 4.5 can hang for ever in its own exit.
os._exit(0)
