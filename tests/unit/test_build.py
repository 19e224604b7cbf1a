"""build.py packs an extension that carries its own copy of `protocol`."""

import tomllib
from pathlib import Path

import pytest

import build
from blender_addon.installer.payload import payload


def test_imports_of_protocol_become_relative_at_the_right_depth() -> None:
    source = b"from protocol.motion import Motion\nif True:\n    from protocol import rotations\n"
    assert build.vendor_imports(source, 1) == (
        b"from .protocol.motion import Motion\nif True:\n    from .protocol import rotations\n"
    )
    assert build.vendor_imports(source, 2).startswith(b"from ..protocol.motion")


def test_other_names_that_begin_alike_are_left_alone() -> None:
    source = b"from protocols import x\nfrom .protocol import y\n"
    assert build.vendor_imports(source, 1) == source


def test_an_import_that_cannot_be_rewritten_stops_the_build(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        build.vendor_imports(b"import protocol.motion\n", 1)
    assert "from protocol.module import name" in capsys.readouterr().err


def test_every_module_of_the_extension_and_of_protocol_is_packed() -> None:
    files = build.extension_files()
    assert "__init__.py" in files
    assert "protocol/motion.py" in files
    assert not any(b"\nfrom protocol" in data for data in files.values())


def test_manifest_carries_version_limits_and_wheels() -> None:
    text = build.manifest("1.2.3", {"blender_version_min": "4.5.0"}, [Path("a.whl"), Path("b.whl")])
    manifest = tomllib.loads(text)
    assert manifest["id"] == "duologue"
    assert manifest["version"] == "1.2.3"
    assert manifest["blender_version_min"] == "4.5.0"
    assert manifest["wheels"] == ["./wheels/a.whl", "./wheels/b.whl"]
    assert "permissions" in manifest


def test_the_backend_is_packed_as_the_extension_reads_it_with_all_that_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("backend/cli.py", "backend/run.log", "protocol/wire.py", "checkpoints/duologue-small/a.safetensors"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "LICENSE").touch()
    monkeypatch.setattr(build, "HERE", tmp_path)
    packed = payload(build.pack_backend("1.2.3", ["numpy>=1.26", "torch>=2.6"]))
    assert packed is not None
    assert packed.version == "1.2.3"
    assert packed.requirements == ("numpy>=1.26", f"torch=={build.TORCH}")
    packed.unpack(tmp_path / "program")
    inside = {path.name for path in (tmp_path / "program").rglob("*") if path.is_file()}
    assert inside == {"cli.py", "wire.py", "a.safetensors", "LICENSE", "backend.json"}
    again = payload(build.pack_backend("1.2.3", ["numpy>=1.26", "torch>=2.6"]))
    assert again is not None
    assert again.identity == packed.identity
