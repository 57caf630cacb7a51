"""hubctl archive: says whether an archive is what was signed, and makes and checks proofs, with its files
alone."""

import json
import os
import pty
import shutil
import subprocess

import pytest

import programs
import readme
from written_archive import Archive

SIZE = 700
FINDINGS, USAGE, NOT_FOUND = 1, 2, 3


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return Archive(tmp_path_factory.mktemp("archive") / "unified.slot-0", SIZE).write()


@pytest.fixture
def archive(written, tmp_path):
    """One of the test's own, in a folder archive/."""
    own = Archive(tmp_path / "archive" / "unified.slot-0", 0)
    own.__dict__.update(written.__dict__, folder=own.folder)
    shutil.copytree(written.folder, own.folder)
    return own


def ctl(*words, **options):
    return programs.run("hubctl", "archive", *words, **{"HUB_SCHEMAS": "/nonexistent", **options})


def rows(*words):
    done = ctl("verify", *words, "-o", "json")
    return done.returncode, json.loads(done.stdout)


def change(path, at=-20, mask=1):
    data = bytearray(path.read_bytes())
    data[at] ^= mask
    path.write_bytes(data)


# --- verify ---


def test_an_archive_that_is_what_was_signed_passes(archive):
    code, (row,) = rows(archive.folder.parent)
    assert code == 0
    assert row["log"] == archive.origin
    assert row["entries"] == row["records"] == SIZE
    assert row["next_offset"] == archive.next_offset
    assert row["checkpoints"] == len(archive.signed)
    assert row["newest"] == "2026-03-01"
    assert row["found"] == "as signed"
    assert row["bytes"] == sum(archive.leaf(index)["size"] for index in range(SIZE))


def test_it_needs_no_kafka_and_no_schemas_and_takes_one_log_too(archive, tmp_path):
    done = ctl("verify", archive.folder, HUB_BOOTSTRAP="127.0.0.1:1", folder=tmp_path)
    assert done.returncode == 0
    assert "as signed" in done.stdout


def test_without_a_key_it_says_that_who_signed_is_not_shown(archive):
    own = ctl("verify", archive.folder)
    given = ctl("verify", archive.folder, "--key", archive.folder / "log.vkey")
    assert "who signed it is not shown" in own.stdout
    assert given.returncode == 0 and "who signed it is not shown" not in given.stdout


def test_the_first_record_that_is_not_what_was_signed_is_named(archive):
    leaf = archive.leaf(123)
    change(archive.folder / "segments" / f"{leaf['segment']}.avro", leaf["at"] + 3)
    done = ctl("verify", archive.folder.parent)
    assert done.returncode == FINDINGS
    assert "record 123" in done.stdout
    assert f"its bytes in segments/{leaf['segment']}.avro are not those that were archived" in done.stdout


def test_a_range_of_records_is_looked_at_by_itself(archive):
    leaf = archive.leaf(123)
    change(archive.folder / "segments" / f"{leaf['segment']}.avro", leaf["at"] + 3)
    code, (row,) = rows(archive.folder, "--from", 124)
    assert (code, row["records"]) == (0, SIZE - 124)
    code, (row,) = rows(archive.folder, "--from", 10, "--to", 124)
    assert code == FINDINGS and "record 123" in row["found"]
    assert ctl("verify", archive.folder, "--from", "ten").returncode == USAGE


def test_another_key_has_signed_nothing(archive, tmp_path):
    other = Archive(tmp_path / "other" / "unified.slot-0", 3, private=bytes(32)).write()
    done = ctl("verify", archive.folder, "--key", other.key)
    assert done.returncode == FINDINGS
    assert "has not signed it" in done.stdout
    assert ctl("verify", archive.folder, "--key", archive.key[:-5]).returncode == USAGE
    assert ctl("verify", archive.folder, "--key", tmp_path / "nonexistent").returncode == USAGE


def test_a_log_that_is_gone_is_missed_by_its_key(archive, tmp_path):
    other = Archive(archive.folder.parent / "unified.trial-0", 20, topic="unified.trial").write()
    keys = tmp_path / "keys"
    keys.write_text(f"{archive.key}\n{other.key}\n")
    code, found = rows(archive.folder.parent, "--key", keys)
    assert code == 0 and [row["log"] for row in found] == [archive.origin, other.origin]
    shutil.rmtree(other.folder)
    done = ctl("verify", archive.folder.parent, "--key", keys)
    assert done.returncode == FINDINGS
    assert f"{other.origin}: there is a key of it, and no log" in done.stdout


def test_one_key_is_enough_for_all_logs_of_a_deployment(archive):
    other = Archive(archive.folder.parent / "unified.trial-0", 20, topic="unified.trial").write()
    rollup = other.roll_up()
    code, found = rows(archive.folder.parent, "--key", rollup / "log.vkey")
    assert code == 0 and len(found) == 3
    assert {row["found"] for row in found} == {"as signed"}
    change(other.folder / "checkpoint", 40)
    code, found = rows(archive.folder.parent, "--key", rollup / "log.vkey")
    assert code == FINDINGS and [row["found"] == "as signed" for row in found] == [False, True, False]


def test_what_the_roll_up_log_says_of_a_log_must_hold(archive, tmp_path):
    """What a log cannot show by itself."""
    rollup = archive.roll_up()
    done = ctl("verify", archive.folder.parent)
    assert done.returncode == 0
    assert "rollup: each of the 1 logs it speaks of is what it was" in done.stdout
    shutil.rmtree(archive.folder)
    archive.written_until(archive.signed[1], archive.folder)
    assert ctl("verify", archive.folder).returncode == 0
    code, (row, _) = rows(archive.folder.parent)
    assert code == FINDINGS and "it was put back" in row["found"]
    shutil.rmtree(archive.folder)
    assert ctl("verify", rollup).returncode == FINDINGS


def test_a_log_that_none_of_the_keys_is_of_is_found(archive):
    other = Archive(archive.folder.parent / "unified.trial-0", 20, topic="unified.trial")
    other.write(deployment="another.example")
    code, found = rows(archive.folder.parent, "--key", archive.key)
    assert code == FINDINGS
    assert found[0]["found"] == "as signed"
    assert "none of the keys is of 'another.example/unified.trial-0'" in found[1]["found"]


def test_a_folder_without_logs_is_none(tmp_path):
    assert ctl("verify", tmp_path).returncode == NOT_FOUND
    assert ctl("verify", tmp_path / "nonexistent").returncode == NOT_FOUND


def test_progress_is_shown_to_people_only(tmp_path):
    archive = Archive(tmp_path / "unified.slot-0", 0)
    archive.lines += [f"record {number} 0 - - null 0 -" for number in range(70000)] + ["sign 70000"]
    archive.write()
    assert not ctl("verify", archive.folder).stderr
    leader, follower = pty.openpty()
    done = subprocess.run([programs.PROGRAMS / "hubctl", "archive", "verify", archive.folder],
                          stderr=follower, stdout=subprocess.DEVNULL, check=False, timeout=60)
    os.close(follower)
    shown = os.read(leader, 4096).decode()
    os.close(leader)
    assert done.returncode == 0
    assert f"{archive.origin}: 65536 of 70000 entries" in shown


# --- prove, check ---


@pytest.fixture
def proved(archive, tmp_path):
    done = ctl("prove", archive.folder, 300, "--to-file", tmp_path / "rec")
    assert done.returncode == 0, done.stderr
    return tmp_path / "rec.json.spicy"


def test_a_record_is_proved_by_index_and_by_offset(archive, proved, tmp_path):
    offset = archive.records[300]["offset"]
    assert ctl("prove", archive.folder, "--offset", offset, "--to-file", tmp_path / "same").returncode == 0
    for suffix in (".json", ".json.spicy", ".json.tlog-proof", ".avro"):
        assert (tmp_path / f"same{suffix}").read_bytes() == (tmp_path / f"rec{suffix}").read_bytes()
    for path in (proved, proved.with_suffix(".tlog-proof")):
        done = ctl("check", path, "--key", archive.folder / "log.vkey")
        assert done.returncode == 0, done.stderr
        assert f"of its {SIZE} entries, number 300 is this one" in done.stdout
        assert f"offset {offset}." in done.stdout
        assert "rec.avro is that record" in done.stdout


@pytest.mark.parametrize("words", [("300", "--offset", "5"), (), ("x",), (str(SIZE),),
                                   ("--offset", "999999")])
def test_what_is_no_record_is_not_proved(archive, tmp_path, words):
    done = ctl("prove", archive.folder, *words, "--to-file", tmp_path / "rec")
    assert done.returncode == FINDINGS and done.stderr
    assert not list(tmp_path.glob("rec*"))


@pytest.mark.parametrize("name", ["rec.json", "rec.json.spicy", "rec.avro"])
def test_a_proof_of_which_something_was_changed_shows_nothing(archive, proved, name):
    change(proved.with_name(name))
    done = ctl("check", proved, "--key", archive.key)
    assert done.returncode == FINDINGS and done.stderr


def test_a_proof_shows_nothing_without_a_key_or_by_another(archive, proved, tmp_path):
    other = Archive(tmp_path / "other", 3, private=bytes(32)).write()
    assert ctl("check", proved).returncode == USAGE
    assert ctl("check", proved, "--key", other.key).returncode == FINDINGS
    assert ctl("check", proved.with_name("rec.avro"), "--key", archive.key).returncode == FINDINGS
    assert ctl("check", tmp_path / "none.json.spicy", "--key", archive.key).returncode == NOT_FOUND


def test_nothing_is_proved_by_tiles_that_were_changed(archive, tmp_path):
    change(archive.folder / "tile" / "0" / "000", 0)
    done = ctl("prove", archive.folder, 1, "--to-file", tmp_path / "rec")
    assert done.returncode == FINDINGS
    assert not (tmp_path / "rec.json.spicy").exists()


def test_growth_between_two_checkpoints_is_proved(archive, tmp_path):
    first, second, _ = archive.signed
    path = tmp_path / "growth"
    done = ctl("prove-growth", archive.folder, first, second, "--to-file", path)
    assert done.returncode == 0, done.stderr
    done = ctl("check", path, "--key", archive.key)
    assert done.returncode == 0
    assert f"with {second} entries it begins with what it was with {first}" in done.stdout
    change(path, 30)
    assert ctl("check", path, "--key", archive.key).returncode == FINDINGS
    assert ctl("prove-growth", archive.folder, second, first, "--to-file", path).returncode == FINDINGS
    assert ctl("prove-growth", archive.folder, first, second).returncode == USAGE


# --- the README ---


@pytest.fixture
def as_the_readme_has_it(tmp_path):
    """A folder with archive/log.trial-0, signed at 20 and at 60, and build/."""
    archive = Archive(tmp_path / "archive" / "log.trial-0", 60, topic="log.trial", signed=(20, 60)).write()
    archive.roll_up()
    shutil.copy(programs.ROOT / "hub/archive/verify.sh", tmp_path / "archive")
    (tmp_path / "build").symlink_to(programs.ROOT / "build")
    return tmp_path


def test_the_commands_that_the_readme_tells_do_what_it_says(as_the_readme_has_it):
    lines = [line for text in readme.code("bash") for line in text.splitlines()]
    assert len(lines) == 6
    for line in lines:
        done = subprocess.run(line, shell=True, cwd=as_the_readme_has_it, capture_output=True,
                              text=True, check=False, timeout=60)
        assert done.returncode == 0 and done.stdout, line + done.stdout + done.stderr
    assert {path.name for path in as_the_readme_has_it.glob("record-17*")} == {
        "record-17.json", "record-17.json.spicy", "record-17.json.tlog-proof", "record-17.avro"}
