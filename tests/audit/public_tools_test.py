"""Tools of others read the archive and its proofs, and find what was done to them: Tessera's fsck, torchwood's
spicy and its library, openssl, fastavro, and Avro's own tools for Java."""

import base64
import io
import json
import random
import shutil

import fastavro
import pytest

import programs
from written_archive import Archive, encode, registered
from public_tools import avro_tools, fsck, run, tlog_proof, tool

SIZE = 700
MUTATIONS, MUTATIONS_LONG = 1_000, 10_000
DER_BEGINS = bytes.fromhex("302a300506032b6570032100")  # of an Ed25519 public key (RFC 8410)


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return Archive(tmp_path_factory.mktemp("archive") / "unified.slot-0", SIZE).write()


@pytest.fixture
def copy(archive, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(archive.folder, folder)
    return folder


@pytest.fixture(scope="module")
def proofs(archive, tmp_path_factory):
    """Proofs of some records: (index, the entry's path)."""
    folder = tmp_path_factory.mktemp("proofs")
    made = []
    for index in (0, 1, 255, 256, 511, SIZE - 1):
        done = programs.run("hubctl", "archive", "prove", archive.folder, index, "--to-file",
                            folder / f"{index}")
        assert done.returncode == 0, done.stderr
        made.append((index, folder / f"{index}.json"))
    return made


def change(path, at, mask=1):
    data = bytearray(path.read_bytes())
    data[at] ^= mask
    path.write_bytes(data)


# --- the log ---


def test_fsck_accepts_it_at_every_size(tmp_path):
    for size in (1, 2, 255, 256, 257, 513):
        written = Archive(tmp_path / str(size), size).write()
        assert fsck(written.folder), size


def test_fsck_finds_what_was_changed(copy):
    assert fsck(copy)
    change(next((copy / "tile" / "entries").glob("000")), 100)
    assert not fsck(copy)


def test_openssl_accepts_the_signature_of_every_checkpoint(archive, tmp_path):
    public = tmp_path / "public.der"
    public.write_bytes(DER_BEGINS + base64.b64decode(archive.key.split("+", 2)[2])[1:])
    names = [archive.folder / "checkpoint", *(archive.folder / "checkpoints").iterdir()]
    assert len(names) == 1 + len(archive.signed)
    for path in names:
        text, line = path.read_text().split("\n\n")
        signature = base64.b64decode(line.split()[2])[4:]
        (tmp_path / "signature").write_bytes(signature)
        for body, passes in ((text + "\n", True), (text + " \n", False)):
            (tmp_path / "body").write_text(body)
            done = run("openssl", "pkeyutl", "-verify", "-pubin", "-inkey", public, "-keyform", "DER",
                       "-rawin", "-in", tmp_path / "body", "-sigfile", tmp_path / "signature")
            assert (done.returncode == 0) == passes


# --- proofs ---


def test_spicy_accepts_the_proofs_and_refuses_what_was_changed(archive, proofs):
    for _, path in proofs:
        assert run(tool("spicy"), "-verify", archive.key, path).returncode == 0
    change(proofs[0][1], 30)
    assert run(tool("spicy"), "-verify", archive.key, proofs[0][1]).returncode == 1
    change(proofs[0][1], 30)


def test_torchwood_accepts_tlog_proofs_and_refuses_what_was_changed(archive, proofs):
    for _, path in proofs:
        words = [tlog_proof(), archive.key, path, f"{path}.tlog-proof"]
        done = run(*words)
        assert done.returncode == 0, done.stderr
        change(path, 30)
        assert run(*words).returncode == 1
        change(path, 30)


def test_the_record_beside_its_proof_is_the_one_that_was_put_in(archive, proofs):
    for index, path in proofs:
        (record,) = list(fastavro.reader(path.with_suffix(".avro").open("rb")))
        assert (record["index"], record["offset"]) == (index, archive.records[index]["offset"])


# --- the segments ---


def custom_attributes(schema, found=()):
    """Every hub: attribute, in order."""
    if isinstance(schema, dict):
        own = [(name, json.dumps(value)) for name, value in schema.items() if name.startswith("hub:")]
        return own + [pair for value in schema.values() for pair in custom_attributes(value)]
    if isinstance(schema, list):
        return [pair for value in schema for pair in custom_attributes(value)]
    return list(found)


def schema_of_values(schema):
    """What the values in a segment are of; None where they are no Avro."""
    union = next(field["type"] for field in schema["fields"] if field["name"] == "value")
    return union[2] if len(union) > 2 else None


def texts(value):
    return None if value is None else value.encode() if isinstance(value, str) else value


def check_record(archive, record):
    """Whether it is the one that was put in."""
    put = archive.records[record["index"]]
    assert record["offset"] == put["offset"]
    assert texts(record["key"]) == put["key"]
    assert [(each["name"], texts(each["value"])) for each in record["headers"]] == put["headers"]
    if put["kind"] == "avro":
        assert encode(archive.schemas[put["schema"]][2], record["value"]) == put["encoded"]
    else:
        assert record["value"] == put["encoded"]
    return put["index"]


def test_fastavro_reads_every_segment_as_it_was_put_in(archive):
    read = []
    for path in archive.segments():
        with path.open("rb") as file:
            reader = fastavro.reader(file)
            schema = json.loads(reader.metadata["avro.schema"])
            schema_id = int(reader.metadata["hub.schema_id"])
            assert reader.metadata["hub.origin"] == archive.origin
            read += [check_record(archive, record) for record in reader]
        if schema_id:
            assert schema_of_values(schema) == archive.schemas[schema_id][1]
    assert sorted(read) == list(range(SIZE))
    assert {put["kind"] for put in archive.records} == {"avro", "bytes", "null"}


def test_avro_tools_of_java_read_schema_and_values(archive):
    seen = set()
    for path in archive.segments():
        schema_id = int(fastavro.reader(path.open("rb")).metadata["hub.schema_id"])
        if schema_id in seen:
            continue
        seen.add(schema_id)
        shown = json.loads(avro_tools("getschema", path))
        if schema_id:
            expected = custom_attributes(archive.schemas[schema_id][1])
            assert expected and custom_attributes(schema_of_values(shown)) == expected
        lines = [json.loads(line) for line in avro_tools("tojson", path).split("\n") if line]
        assert lines == as_json(path)
    assert len(seen & set(archive.schemas)) == len(archive.schemas)


def as_json(path):
    """Its records as the Avro specification writes them in JSON, by fastavro."""
    written = io.StringIO()
    with path.open("rb") as file:
        reader = fastavro.reader(file)
        schema = json.loads(reader.metadata["avro.schema"])
        fastavro.json_writer(written, schema, list(reader))
    return [json.loads(line) for line in written.getvalue().split("\n") if line]


def test_the_segments_hold_the_registered_schemas(archive):
    """The control: what is compared with is what the project registers, and has attributes."""
    for subject in ("unified.trial", "unified.gmp-slot"):
        schema_id, path = registered(subject)
        assert schema_id in archive.schemas
        assert "hub:identity" in dict(custom_attributes(json.loads(path.read_text())))
        text = path.read_text().strip().encode()
        assert any(text in segment.read_bytes() for segment in archive.segments())


# --- what is done to it ---


def mutate(dice, folder, path):
    """Does something to a file; says what."""
    data = path.read_bytes()
    at = dice.randrange(len(data))
    kinds = ["flip", "cut", "remove", "insert", "swap"]
    if path.parent.name != "checkpoints":  # with one of those nothing is lost but what the log was once
        kinds.append("delete")
    what = dice.choice(kinds)
    others = [other for other in path.parent.iterdir()
              if other.is_file() and other.read_bytes() != data]
    if what == "swap" and not others:
        what = "flip"
    if what == "delete":
        path.unlink()
    elif what == "swap":
        path.write_bytes(dice.choice(others).read_bytes())
    else:
        path.write_bytes({"flip": data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1:],
                          "cut": data[:at], "remove": data[:at] + data[at + 1:],
                          "insert": data[:at] + dice.randbytes(1) + data[at:]}[what])
    return f"{what} {path.relative_to(folder)} at {at} of {len(data)}"


def is_read(path, folder):
    """Whether a log of that size needs it: earlier partial tiles are nobody's any more."""
    name = str(path.relative_to(folder))
    partial = {"0": SIZE % 256, "1": SIZE // 256, "entries": SIZE % 256}
    return ".p/" not in name or int(path.name) == partial[name.split("/")[1]]


def verified(folder, key):
    return programs.run("hubctl", "archive", "verify", folder, "--key", key).returncode == 0


def seen_by_fsck(path, folder):
    return path.relative_to(folder).parts[0] in ("checkpoint", "tile")


def read_by_others(note):
    """A signed note with its signatures decoded as most do: bits that stand for nothing in the last digit do not
    count. We refuse them (RFC 4648, section 3.5)."""
    parts = []
    for line in note.split(b"\n"):
        head, _, last = line.rpartition(b" ")
        try:
            parts.append((head, base64.b64decode(last, validate=True)))
        except ValueError:
            parts.append((head, last))
    return parts


def test_bits_that_stand_for_nothing_do_not_count(archive):
    note = (archive.folder / "checkpoint").read_bytes()
    at = note.rindex(b"=") - 1
    while note[at:at + 1] == b"=":
        at -= 1
    digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = digits[digits.index(note[at]) ^ 1]
    assert read_by_others(note[:at] + bytes([other]) + note[at + 1:]) == read_by_others(note)
    other = digits[digits.index(note[at - 1]) ^ 1]
    assert read_by_others(note[:at - 1] + bytes([other]) + note[at:]) != read_by_others(note)


def test_fsck_finds_what_we_find(request, archive, tmp_path, seed, record_property):
    """What is done to records and to earlier checkpoints, which it does not read, only we find (and verify.sh,
    guide_test.py)."""
    dice = random.Random(seed)
    count = MUTATIONS_LONG if request.config.getoption("--long") else MUTATIONS
    folder = tmp_path / "log"
    shutil.copytree(archive.folder, folder)
    files = [path for path in sorted(folder.rglob("*"))
             if path.is_file() and path.name != "log.vkey" and is_read(path, folder)]
    where_fsck_looks = [path for path in files if seen_by_fsck(path, folder)]
    seen = 0
    for number in range(count):
        path = dice.choice(where_fsck_looks if number % 4 else files)  # most of them there
        before = path.read_bytes()
        what = mutate(dice, folder, path)
        assert not verified(folder, archive.key), f"seed {seed}: {what}"
        same = (path.name == "checkpoint" and path.exists() and
                read_by_others(path.read_bytes()) == read_by_others(before))
        if seen_by_fsck(path, folder) and not same:
            seen += 1
            assert not fsck(folder), f"seed {seed}: {what}"
        path.write_bytes(before)
    assert verified(folder, archive.key) and fsck(folder)  # the control
    record_property("said", f"fsck looked at {seen:,} of {count:,} mutations and found them; the others "
                            "were of records and earlier checkpoints")


# --- what the log itself shows to nobody ---


def kept_elsewhere(archive, folder):
    """Whether a checkpoint that somebody has kept finds it out: it is put beside the others."""
    shutil.copy(archive.folder / "checkpoint", folder / "checkpoints" / str(SIZE))
    return not verified(folder, archive.key)


def test_a_log_that_was_put_back_is_found_by_what_was_signed_later(archive, copy):
    shutil.copy(copy / "checkpoints" / str(archive.signed[1]), copy / "checkpoint")
    done = programs.run("hubctl", "archive", "verify", copy, "--key", archive.key)
    assert done.returncode == 1
    assert f"a log of {SIZE} entries was signed" in done.stdout


def test_a_log_put_back_without_a_trace_is_found_only_by_who_kept_a_checkpoint(archive, tmp_path):
    """THE GAP: neither fsck nor we can see it in the log alone. Witnesses and the roll-up log keep what it
    takes."""
    earlier = archive.written_until(archive.signed[1], tmp_path / "earlier")
    assert verified(earlier, archive.key)
    assert fsck(earlier)
    assert kept_elsewhere(archive, earlier)


def test_a_fork_by_the_logs_own_key_is_found_only_by_who_kept_a_checkpoint(archive, tmp_path):
    """THE GAP, once more."""
    fork = archive.written_until(archive.signed[1], tmp_path / "fork")
    other = Archive(fork, SIZE, seed=2)
    other.lines = [line for line in other.lines if not line.startswith(("record", "sign"))] + [
        f"record {archive.next_offset + number} 0 - - null 0 -"
        for number in range(SIZE - archive.signed[1])] + [f"sign {archive.next_offset + SIZE}"]
    other.write()
    assert verified(fork, archive.key)
    assert fsck(fork)
    assert kept_elsewhere(archive, fork)


def test_a_log_signed_by_another_key_is_found(archive, tmp_path):
    other = Archive(tmp_path / "other", SIZE, private=bytes(32)).write()
    assert fsck(other.folder)
    assert not fsck(other.folder, archive.folder / "log.vkey")
    assert not verified(other.folder, archive.key)
