"""The file that a cluster is kept in: what it takes, what it refuses, and that it is written whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from prt.local.postgres import archive
from prt.local.postgres.programs import service_user


@pytest.fixture
def cluster(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    for folder in ("base/5", "pg_wal", "pg_replslot/slot", "pg_dynshmem"):
        (data / folder).mkdir(parents=True)
    for name, content in {
        "PG_VERSION": b"18\n",
        "base/5/1259": b"\0rows\0",
        "base/5/1259_vm": b"map",
        "base/5/1259_fsm": b"map",
        "base/5/pg_internal.init": b"cache",
        "pg_wal/000000010000000000000001": b"records" + bytes(100_000),
        "pg_replslot/slot/state": b"slot",
        "pg_dynshmem/mmap.1": b"memory",
        "postmaster.pid": b"1\n",
    }.items():
        (data / name).write_bytes(content)
    return data


def contents(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def test_a_copy_has_all_but_what_postgresql_makes_anew(cluster: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    archive.pack(cluster, kept, {"password": "x"})
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.stat().st_size < 2_000
    assert archive.unpack(kept, tmp_path / "copy", None) == {"password": "x"}
    copied = contents(tmp_path / "copy")
    assert copied == {
        "PG_VERSION": b"18\n",
        "base": None,
        "base/5": None,
        "base/5/1259": b"\0rows\0",
        "pg_wal": None,
        "pg_wal/000000010000000000000001": b"records" + bytes(100_000),
        "pg_replslot": None,
        "pg_dynshmem": None,
    }
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "copy").rglob("*")} == {0}
    assert [path.name for path in tmp_path.iterdir() if "draft" in path.name] == []


def test_a_link_in_a_cluster_is_not_followed(cluster: Path, tmp_path: Path) -> None:
    (cluster / "base/6").symlink_to("/etc")
    with pytest.raises(ValueError, match="base/6"):
        archive.pack(cluster, tmp_path / "kept", {})
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_second_name_of_a_file_and_a_link_to_a_folder_are_not_read(cluster: Path, tmp_path: Path) -> None:
    """Root packs the cluster of a user who may have put them there."""
    (tmp_path / "secret").write_bytes(b"secret")
    (cluster / "base/7").hardlink_to(tmp_path / "secret")
    with pytest.raises(ValueError, match="7"):
        archive.pack(cluster, tmp_path / "kept", {})
    (cluster / "base/7").unlink()
    (cluster / "base/8").symlink_to("/etc")
    with pytest.raises(ValueError, match="base/8"):
        archive.pack(cluster, tmp_path / "kept", {})


@pytest.mark.skipif(service_user() is None, reason="only root gives files to another user")
def test_a_copy_belongs_to_the_user_of_postgresql(
    cluster: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = service_user()
    assert user is not None
    archive.pack(cluster, tmp_path / "kept", {})
    copy = tmp_path / "copy"
    write, owners = archive._write, set[int]()

    def watched(folder: int, name: str, content: bytes, size: int) -> None:
        owners.update(path.stat().st_uid for path in (copy, *copy.rglob("*")))
        write(folder, name, content, size)

    monkeypatch.setattr(archive, "_write", watched)
    archive.unpack(tmp_path / "kept", copy, (user.uid, user.gid))
    # Its new owner could lead us elsewhere as long as we write into it.
    assert owners == {0}
    assert {path.stat().st_uid for path in (copy, *copy.rglob("*"))} == {user.uid}


@pytest.mark.parametrize("flaw", ["cut at the end", "cut in the middle", "empty", "open to others", "a link"])
def test_what_is_not_a_whole_file_of_ours_is_refused(cluster: Path, tmp_path: Path, flaw: str) -> None:
    kept = tmp_path / "kept"
    archive.pack(cluster, kept, {})
    whole = kept.read_bytes()
    match flaw:
        case "cut at the end":
            kept.write_bytes(whole[:-1])
        case "cut in the middle":
            kept.write_bytes(whole[1:])
        case "empty":
            kept.write_bytes(b"")
        case "open to others":
            kept.chmod(0o644)
        case _:
            kept.rename(tmp_path / "elsewhere")
            kept.symlink_to(tmp_path / "elsewhere")
    with pytest.raises((ValueError, OSError)):
        archive.unpack(kept, tmp_path / "copy", None)
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("name", ["/etc/passwd", "../outside", "base/../../outside"])
def test_no_name_leads_out_of_the_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    kept = tmp_path / "kept"
    kept.touch(0o600)
    head: archive.Head = {"note": {}, "folders": [], "files": [(name, 0, 0)]}
    monkeypatch.setattr(archive, "_head", lambda *_: head)
    with pytest.raises(ValueError, match="leads out"):
        archive.unpack(kept, tmp_path / "copy", None)


def test_a_disk_that_is_full_leaves_the_former_file(
    cluster: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept"
    archive.pack(cluster, kept, {"is": "former"})

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        archive.pack(cluster, kept, {"is": "new"})
    assert archive.unpack(kept, tmp_path / "copy", None) == {"is": "former"}
    assert [path.name for path in tmp_path.iterdir() if "draft" in path.name] == []
