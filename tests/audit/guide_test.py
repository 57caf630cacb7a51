"""FORMAT.md and verify.sh, which stand in every archive: with them and the usual small programs it is checked
without us, and in thirty years too."""

import datetime
import re
import shutil
import struct
import subprocess
import time

import pytest

import programs
from written_archive import CACHE, ROOT, Archive
from public_tools import absent

SIZE = 262
SOURCES = ROOT / "hub" / "archive"
TIMEOUT_S = 300
# What verify.sh may use.
TOOLS = ("sh", "awk", "sed", "grep", "od", "tr", "cut", "cmp", "fold", "head", "tail", "wc", "cat", "cp", "rm",
         "date", "dirname", "mktemp", "sha256sum", "base64", "openssl")
CLOCK = ROOT / "build" / "release" / "tests" / "fault" / "libclock.so"
FAKETIME = CACHE / "faketime" / "usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return Archive(tmp_path_factory.mktemp("archive") / "unified.slot-0", SIZE).write()


@pytest.fixture(scope="module")
def bin_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bin")
    for name in TOOLS:
        (folder / name).symlink_to(shutil.which(name))
    return folder


@pytest.fixture
def archive(written, tmp_path):
    folder = tmp_path / "archive" / "unified.slot-0"
    shutil.copytree(written.folder, folder)
    shutil.copy(SOURCES / "verify.sh", folder.parent)
    return folder


@pytest.fixture
def verify(archive, bin_folder, tmp_path):
    """verify(*words): what verify.sh does with nothing but TOOLS."""
    def run(*words, **environment):
        return subprocess.run([bin_folder / "sh", archive.parent / "verify.sh", *map(str, words)],
                              capture_output=True, text=True, check=False, timeout=TIMEOUT_S,
                              env={"PATH": str(bin_folder), "TMPDIR": str(tmp_path), **environment})
    return run


def change(path, at, mask=1):
    data = bytearray(path.read_bytes())
    data[at] ^= mask
    path.write_bytes(data)


def test_what_was_signed_passes(written, archive, verify, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text(f"{written.key}\n")
    done = verify("-k", keys)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr
    assert f"as signed by {written.origin}: {SIZE} records, 3 checkpoints" in done.stdout
    assert "who signed it is not shown" not in done.stdout


def test_small_logs_pass_and_without_keys_it_says_what_that_shows(verify, tmp_path):
    folders = [Archive(tmp_path / "logs" / str(size), size).write().folder for size in (1, 2, 3, 5, 8)]
    done = verify(*folders)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("who signed it is not shown") == len(folders)


@pytest.fixture
def told(tmp_path):
    """A small log that the roll-up log beside it was told of, and the roll-up log."""
    small = Archive(tmp_path / "logs" / "unified.slot-0", 9, signed=(3, 9)).write()
    return small, small.roll_up()


def test_one_key_is_enough_and_the_roll_up_log_is_checked_too(verify, told):
    small, rollup = told
    done = verify("-k", rollup / "log.vkey", small.folder, rollup)
    assert done.returncode == 0, done.stdout
    assert "rollup: 1 entries, 1 checkpoints" in done.stdout
    assert "every log that it speaks of has the checkpoints that it was told of" in done.stdout
    change(next((rollup / "tile/0").rglob("1")), 3)
    assert verify("-k", rollup / "log.vkey", rollup).returncode == 1


def test_a_log_put_back_without_a_trace_is_found_by_the_roll_up_log(verify, told):
    small, rollup = told
    kept = (small.folder / "checkpoints" / "9").read_bytes()
    shutil.rmtree(small.folder)
    small.written_until(3, small.folder)
    assert verify(small.folder).returncode == 0  # alone it shows nothing
    done = verify(small.folder, rollup)
    assert done.returncode == 1
    assert "entry 0: audit.example/unified.slot-0 had 9 entries, and has no such checkpoint now" in done.stdout
    (small.folder / "checkpoints" / "9").write_bytes(kept)
    assert "has fewer now: it was put back" in verify(rollup).stdout
    shutil.rmtree(small.folder)
    assert verify(rollup).returncode == 1


def segment_of(written, index):
    return f"segments/{written.leaf(index)['segment']}.avro"


def some_record(written, archive):
    change(archive / segment_of(written, 200), written.leaf(200)["at"] + 5)


def before_a_record(written, archive):
    change(archive / segment_of(written, 200), written.leaf(200)["at"] - 1)


def after_a_record(written, archive):
    leaf = written.leaf(200)
    change(archive / segment_of(written, 200), leaf["at"] + leaf["size"] + 7)


def put_back(_, archive):
    size = sorted(int(path.name) for path in (archive / "checkpoints").iterdir())[1]
    shutil.copy(archive / "checkpoints" / str(size), archive / "checkpoint")


def earlier_of_another_log(written, archive):
    other = Archive(archive.parent.parent / "other" / "unified.slot-0", SIZE, seed=2).write()
    shutil.copy(other.folder / "checkpoints" / str(written.signed[0]), archive / "checkpoints")


def closed_segment(archive):
    """One that does not go on: there is a later one of the same schema."""
    return sorted((archive / "segments").iterdir(), key=lambda path: int(path.stem))[0]


def extend(path):
    path.write_bytes(path.read_bytes() + b"more")


def cut(path):
    path.write_bytes(path.read_bytes()[:-30])


def another_segment(_, archive):
    taken = {path.name for path in (archive / "segments").iterdir()}
    free = next(name for name in (f"{number}.avro" for number in range(SIZE)) if name not in taken)
    (archive / "segments" / free).write_bytes(b"more")


MUTATIONS = {
    "are not those that were archived": some_record,
    "what is around it in": before_a_record,
    "around it in": after_a_record,
    "the header of": lambda _, archive: change(archive / "segments/0.avro", 50),
    "bytes at its end that no entry speaks of": lambda _, archive: extend(closed_segment(archive)),
    "record ": lambda _, archive: cut(closed_segment(archive)),
    ": no entry speaks of it": another_segment,
    "segments/0.avro is missing": lambda _, archive: (archive / "segments/0.avro").unlink(),
    "tile/0: a hash is not that": lambda _, archive: change(archive / "tile/entries/000", 100),
    "tile/0: a hash": lambda _, archive: change(archive / "tile/0/000", 100),
    "tile/1: a hash is not that": lambda _, archive: change(archive / "tile/1/000.p/1", 5),
    "is cut or damaged": lambda _, archive: cut(archive / f"tile/entries/001.p/{SIZE - 256}"),
    "checkpoint: 'audit.example/unified.slot-0'":
        lambda _, archive: change(archive / "checkpoint", 40),
    f"a log of {SIZE} entries was signed": put_back,
    "the log does not begin with what was signed then": earlier_of_another_log,
    "its key has another id": lambda _, archive: change(archive / "log.vkey", 33),
}


@pytest.mark.parametrize("why", MUTATIONS)
def test_whatever_is_done_to_it_is_found(written, archive, verify, why):
    MUTATIONS[why](written, archive)
    done = verify()
    assert done.returncode == 1, done.stdout
    assert "NOT as signed: " in done.stdout and why in done.stdout, done.stdout


def test_another_key_has_signed_nothing(written, verify, tmp_path):
    other = Archive(tmp_path / "other" / "unified.slot-0", 3, private=bytes(32)).write()
    keys = tmp_path / "keys"
    keys.write_text(f"{other.key}\n")
    done = verify("-k", keys)
    assert done.returncode == 1 and "has not signed it" in done.stdout
    keys.write_text(other.key.replace(other.origin, "another.example/log") + "\n")
    done = verify("-k", keys)
    assert done.returncode == 1
    assert f"none of the keys in {keys} is of '{written.origin}'" in done.stdout


def test_what_is_not_signed_yet_is_counted(written, archive, verify):
    extend(archive / segment_of(written, SIZE - 1))
    done = verify()
    assert done.returncode == 0, done.stdout
    assert "4 bytes in " in done.stdout and "are not signed yet" in done.stdout


def test_nothing_in_a_hostile_archive_is_run(written, archive, verify, tmp_path):
    """Entries become part of what the shell is given; here they are commands."""
    path = archive / "tile/entries/000"
    data, trap = path.read_bytes(), tmp_path / "trap"
    text = f"';: >{trap} #".encode()
    size = int.from_bytes(data[:2], "big")
    path.write_bytes(data[:2] + text[:size].ljust(size, b"'") + data[2 + size:])
    (archive / "log.vkey").write_text(f"$(: >{trap})+`: >{trap}`+'; : >{trap}\n")
    assert verify().returncode == 1
    (archive / "log.vkey").write_text(f"{written.key}\n")
    assert verify().returncode == 1
    assert not trap.exists()


# --- FORMAT.md ---


def commands(word):
    """The block of commands in which the word stands."""
    found = re.findall(r"^```sh\n(.*?)^```", (SOURCES / "FORMAT.md").read_text(), re.S | re.M)
    return next(text for text in found if word in text)


def typed(text, folder, bin_folder):
    return subprocess.run([bin_folder / "sh", "-c", text], cwd=folder, capture_output=True, text=True,
                          check=False, timeout=TIMEOUT_S, env={"PATH": str(bin_folder)})


def test_the_signature_is_checked_by_the_commands_that_it_tells(archive, bin_folder):
    done = typed(commands("openssl"), archive, bin_folder)
    assert done.returncode == 0 and "Verified Successfully" in done.stdout
    change(archive / "checkpoint", 40)
    assert typed(commands("openssl"), archive, bin_folder).returncode != 0


def test_a_record_is_found_by_the_command_that_it_tells(written, archive, bin_folder):
    leaf = written.leaf(200)
    text = commands("tail -c +413").replace("+413", f"+{leaf['at'] + 1}") \
        .replace("-c 77", f"-c {leaf['size']}").replace("1000.avro", f"{leaf['segment']}.avro")
    assert typed(text, archive, bin_folder).stdout.split()[0] == leaf["sha256"]


def test_it_names_every_file_that_a_log_has(written):
    text = (SOURCES / "FORMAT.md").read_text()
    for path in written.folder.iterdir():
        assert re.search(rf"^{path.name}\b", text, re.M), path.name


# --- thirty years on ---


@pytest.fixture
def in_2056():
    if not FAKETIME.exists():
        absent("FAKETIME", "deploy/setup --tests unpacks it")
    return {"LD_PRELOAD": str(FAKETIME), "FAKETIME": "@2056-03-02 00:00:00", "TZ": "UTC"}


def test_the_clock_says_2056(in_2056):
    """The control."""
    done = subprocess.run(["date", "+%Y"], env=in_2056, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "2056"


def test_in_2056_it_passes_and_says_how_old_the_signature_is(archive, verify, in_2056):
    done = verify(**in_2056)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "its newest record is of 2026-03-01, 30 years ago" in done.stdout
    assert "One of more than 10 years should be renewed" in done.stdout
    assert "should be renewed" not in verify().stdout


def test_in_2056_hubctl_says_so_too(archive, tmp_path):
    """By a clock of our own: libfaketime and jemalloc wait for each other before hubctl begins."""
    ahead_s = datetime.datetime(2056, 3, 2, tzinfo=datetime.UTC).timestamp() - time.time()
    (tmp_path / "clock").write_bytes(struct.pack("=q", int(ahead_s * 1000)))
    done = programs.run("hubctl", "archive", "verify", archive, LD_PRELOAD=str(CLOCK),
                        HUB_CLOCK=str(tmp_path / "clock"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "its newest record is of 2026-03-01, 30 years ago, and its signature (Ed25519)" in done.stdout
    assert "One of more than 10 years should be renewed" in done.stdout
    assert "renewed" not in programs.run("hubctl", "archive", "verify", archive).stdout
