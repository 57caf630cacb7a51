"""OpenSSH's SFTP server, Debian's own, as a place where files are dropped; and one that lies.

What needs no broker is shown by the transport alone (tests/interop/reader.c); then connectors are killed
while they read: nothing may be skipped or doubled. A file has a key of its own, so that this can be
seen from the keys alone."""

import collections
import hashlib
import json
import os
import signal
import socket
import subprocess
import time

import pytest

from killing import read_and_kill
from sftp_server import PASSWORD, SftpServer
from stack.installation import ROOT
from stack.process import Process, wait_until

READER = ROOT / "build" / "release" / "tests" / "interop" / "reader"
HOSTILE = ROOT / "tests" / "interop" / "hostile_sftp.py"
SIZE_MAX = 16 * 1024 * 1024
STOP_MAX_S = 5  # of a busy machine; it takes a quarter of a second


class Reader:
    """file-drop with these options, and what it has said so far."""

    def __init__(self, folder, options):
        self.options = folder / "options.json"
        self.options.write_text(json.dumps(options))
        self.process = Process("reader", [READER, "file-drop", self.options, folder / "position"],
                               folder / "reader.log")

    def start(self):
        self.process.start()
        return self

    def said(self, *kinds):
        told = [json.loads(line) for line in self.process.log_text().splitlines(keepends=True)
                if line.endswith("\n")]
        return [each for each in told if not kinds or set(kinds) & set(each)]

    def texts(self):
        return [(each["name"], each["text"]) for each in self.said("text")]

    def refused(self):
        return {each["name"]: each["code"] for each in self.said("refused")}

    def is_committed(self):
        """Whether the position has all that has come."""
        return sum(each["committed"] for each in self.said("committed")) == \
            len(self.said("text", "refused"))

    def wait_for(self, *texts):
        """Until exactly these have come, in any order."""
        wanted = collections.Counter(texts)
        try:
            wait_until(lambda: collections.Counter(self.texts()) >= wanted and self.is_committed(),
                       "the files")
        finally:
            print(self.process.tail())
        assert collections.Counter(self.texts()) == wanted

    def wait_to_hear(self, kind, text):
        return wait_until(lambda: [each for each in self.said(kind) if text in each[kind]],
                          f"'{text}'")

    def fatal(self):
        assert self.process.wait(60) == 1, self.process.tail()
        return self.said("fatal")[-1]["fatal"]


@pytest.fixture
def server():
    server = SftpServer().start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def hostile():
    server = SftpServer()
    program = server.copy(HOSTILE)
    log = server.write("asked", "")
    log.chmod(0o666)
    server.write("sshd_config", (server.folder / "sshd_config").read_text().replace(
        "internal-sftp", f"/usr/bin/python3 {program} {log}"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def read(tmp_path):
    """read(options) starts a reader; the next one goes on where it was."""
    running = []

    def start(options):
        for each in running:
            each.process.stop()
        running.append(Reader(tmp_path, options).start())
        return running[-1]

    yield start
    for each in running:
        each.process.stop()


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


# --- files ---


def test_a_file_is_taken_once_when_it_stays_as_it_is(server, read):
    reader = read(server.options())
    server.put("b.csv", "b\n")
    server.put("a å.csv", "a\n")
    server.put("empty.csv", "")
    reader.wait_for(("a å.csv", "a\n"), ("b.csv", "b\n"), ("empty.csv", ""))
    reader.process.stop()
    reader = read(server.options())  # writes on in the same log
    server.put("c.csv", "c\n")
    reader.wait_for(("a å.csv", "a\n"), ("b.csv", "b\n"), ("empty.csv", ""), ("c.csv", "c\n"))
    assert not reader.said("retry")


def test_a_file_that_grows_is_taken_whole(server, read):
    reader = read(server.options(sftp_settle_ms=1500))
    with (server.drop / "grows.csv").open("w", buffering=1) as file:
        for _ in range(15):
            file.write("line\n")
            time.sleep(0.1)  # as whoever writes it would
    reader.wait_for(("grows.csv", "line\n" * 15))


def test_a_file_that_is_being_written_under_another_name_is_taken_when_it_is_renamed(server, read):
    for name in ("a.csv.part", "b.csv.tmp", ".c.csv"):
        (server.drop / name).write_text("whole\n")
    reader = read(server.options())
    server.put("first.csv", "first\n")
    reader.wait_for(("first.csv", "first\n"))
    (server.drop / "a.csv.part").rename(server.drop / "a.csv")
    reader.wait_for(("first.csv", "first\n"), ("a.csv", "whole\n"))


def test_a_file_that_is_replaced_is_read_again(server, read):
    reader = read(server.options())
    server.put("a.csv", "one\n")
    reader.wait_for(("a.csv", "one\n"))
    server.put("a.csv", "three\n")
    reader.wait_for(("a.csv", "one\n"), ("a.csv", "three\n"))


def test_nothing_at_the_server_is_changed(server, read):
    server.put("a.csv", "a\n")
    os.link(server.drop / "a.csv", server.drop / "b.csv")
    before = [(entry.name, entry.stat().st_mtime_ns, entry.stat().st_ctime_ns)
              for entry in sorted(os.scandir(server.drop), key=lambda entry: entry.name)]
    read(server.options()).wait_for(("a.csv", "a\n"), ("b.csv", "a\n"))
    assert before == [(entry.name, entry.stat().st_mtime_ns, entry.stat().st_ctime_ns)
                      for entry in sorted(os.scandir(server.drop), key=lambda entry: entry.name)]


def test_links_pipes_and_names_that_are_none_are_refused_and_the_next_goes_on(server, read):
    server.write("secret", "secret\n")
    (server.drop / "link.csv").symlink_to("../secret")
    (server.drop / "dangling.csv").symlink_to("nowhere")
    os.mkfifo(server.drop / "pipe.csv")
    (server.drop / "folder.csv").mkdir()
    server.put("line\nbreak.csv", "x\n")
    server.put("es\x1bcape.csv", "x\n")
    server.put("of 19121212-1212.csv", "x\n")
    server.put("z.csv", "last\n")
    reader = read(server.options())
    reader.wait_for(("(held back)", "x\n"), ("z.csv", "last\n"))
    assert reader.refused() == {
        "link.csv": "FILE", "dangling.csv": "FILE", "pipe.csv": "FILE", "break.csv": "FILE",
        "es%1Bcape.csv": "FILE"}
    position = (reader.options.parent / "position").read_text()
    assert "19121212" not in position + reader.process.log_text()
    before = len(reader.said())
    server.put("zz.csv", "more\n")
    reader.wait_for(("(held back)", "x\n"), ("z.csv", "last\n"), ("zz.csv", "more\n"))
    assert not [each for each in reader.said()[before:] if "refused" in each]


def test_a_file_over_the_limit_is_refused_and_the_next_goes_on(server, read):
    with (server.drop / "a.csv").open("w") as file:
        file.truncate(SIZE_MAX + 1)
    server.put("b.csv", "b\n")
    reader = read(server.options())
    reader.wait_for(("b.csv", "b\n"))
    assert reader.refused() == {"a.csv": "SIZE"}


def test_a_file_that_may_not_be_read_is_told_after_the_others(server, read):
    server.put("a.csv", "a\n")
    (server.drop / "a.csv").chmod(0)
    server.put("b.csv", "b\n")
    reader = read(server.options())
    reader.wait_for(("b.csv", "b\n"))
    reader.wait_to_hear("retry", "a.csv: Could not open remote file for reading: Permission denied")
    (server.drop / "a.csv").chmod(0o644)
    reader.wait_for(("a.csv", "a\n"), ("b.csv", "b\n"))


# --- manifests ---


def test_a_manifest_beside_a_file_says_that_it_is_whole(server, read):
    reader = read(server.options(manifest="beside", manifest_wait_ms=500))
    server.put("a.csv", "half")
    server.put("a.csv.sha256", f"{digest('whole')}  a.csv\n")
    wait_until(lambda: reader.refused() == {"a.csv": "DIGEST"}, "the refusal")
    server.put("a.csv", "whole")
    reader.wait_for(("a.csv", "whole"))
    server.put("late.csv", "late")
    reader.wait_to_hear("note", "late.csv: late.csv.sha256 has told nothing of it for")
    server.put("late.csv.sha256", digest("late"))
    reader.wait_for(("a.csv", "whole"), ("late.csv", "late"))


def test_a_manifest_of_the_folder_says_which_files_are_whole(server, read):
    reader = read(server.options(manifest="listing"))
    server.put("a.csv", "a\n")
    server.put("b.csv", "b\n")
    server.put("SHA256SUMS", f"{digest(chr(97) + chr(10))}  a.csv\n")
    reader.wait_for(("a.csv", "a\n"))
    server.put("SHA256SUMS", f"{digest('a' + chr(10))}  a.csv\n{digest('b' + chr(10))} *./b.csv\n")
    reader.wait_for(("a.csv", "a\n"), ("b.csv", "b\n"))


# --- the server ---


def test_a_server_with_another_key_is_refused(server, read):
    for known, why in (("other", "is not the one that"), (None, "the server's key is not in")):
        file = server.trust(known, "changed") if known else server.write("nobody", "")
        fatal = read(server.options(sftp_known_hosts=str(file))).fatal()
        assert why in fatal and "would pass" in fatal
    assert "Accepted" not in (server.folder / "sshd.log").read_text()


def test_who_is_not_known_there_is_told_so(server, read):
    other = server.options(sftp_key=str(server.folder / "other"))
    assert "a key that the server knows of would pass" in read(other).fatal()


@pytest.mark.parametrize("way", ["password", "passphrase"])
def test_a_secret_opens(server, read, monkeypatch, way):
    server.put("a.csv", "a\n")
    options = server.options()
    if way == "password":
        del options["sftp_key"]
        monkeypatch.setenv("SFTP_TEST_SECRET", PASSWORD)
        options["sftp_password"] = "${env:SFTP_TEST_SECRET}"
    else:
        subprocess.run(["ssh-keygen", "-q", "-p", "-N", "l0cked", "-f", server.folder / "user"],
                       check=True)
        options["sftp_key_passphrase"] = f"${{file:{server.write('passphrase', 'l0cked')}}}"
    reader = read(options)
    reader.wait_for(("a.csv", "a\n"))
    assert not {PASSWORD, "l0cked"} & set(reader.process.log_text())


def test_a_server_that_goes_and_comes_back_is_read_on(server, read):
    server.put("a.csv", "a\n")
    reader = read(server.options())
    reader.wait_for(("a.csv", "a\n"))
    server.kill()
    reader.wait_to_hear("retry", "")
    server.put("b.csv", "b\n")
    server.start()
    reader.wait_for(("a.csv", "a\n"), ("b.csv", "b\n"))
    server.drop.rename(server.folder / "away")
    reader.wait_to_hear("retry", "No such file or directory")
    (server.folder / "away").rename(server.drop)
    server.put("c.csv", "c\n")
    reader.wait_for(("a.csv", "a\n"), ("b.csv", "b\n"), ("c.csv", "c\n"))


def test_a_server_that_hangs_holds_up_no_stop(server, read):
    server.put("a.csv", "a\n")
    reader = read(server.options())
    reader.wait_for(("a.csv", "a\n"))
    server.signal_sessions(signal.SIGSTOP)
    wait_until(server.is_asked, "a question")
    began = time.monotonic()
    reader.process.child.terminate()
    assert reader.process.wait(60) == 0
    assert time.monotonic() - began < STOP_MAX_S
    server.signal_sessions(signal.SIGCONT)


def test_a_server_that_hangs_is_given_up_and_asked_again(server, read):
    server.put("a.csv", "a\n")
    reader = read(server.options(sftp_timeout_ms=1000))
    reader.wait_for(("a.csv", "a\n"))
    server.signal_sessions(signal.SIGSTOP)
    reader.wait_to_hear("retry", "timed out")
    server.put("b.csv", "b\n")
    reader.wait_for(("a.csv", "a\n"), ("b.csv", "b\n"))  # by a connection of its own


def test_who_listens_and_never_answers_is_given_up(server, read):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"sftp://hub@127.0.0.1:{silent.getsockname()[1]}/drop"
        reader = read(server.options(folder=[address, server.address], sftp_connect_timeout_ms=500))
        reader.wait_to_hear("retry", "it timed out while it was connected to")
        server.put("a.csv", "a\n")
        reader.wait_for(("a.csv", "a\n"))


# --- one that lies ---


def test_what_a_hostile_server_says_is_refused_within_bounds(hostile, read):
    reader = read(hostile.options(sftp_slow_s=2))
    reader.wait_for(("plain.csv", "plain\n"), ("last.csv", "last\n"), ("grows.csv", "all of it"))
    wait_until(lambda: len(reader.refused()) == 5, "the refusals")
    assert reader.refused() == {"../up.csv": "FILE", "sub/in.csv": "FILE", "/etc/passwd": "FILE",
                                "tab%09here.csv": "FILE", "endless.csv": "SIZE"}
    reader.wait_to_hear("retry", "silent.csv: ")
    asked = {line for line in (hostile.folder / "asked").read_text().splitlines() if "/" in line}
    assert {path.removeprefix(str(hostile.drop) + "/") for path in asked} == {
        "", "plain.csv", "grows.csv", "silent.csv", "endless.csv", "last.csv"}


@pytest.mark.parametrize("folder, why", [
    ("strange", "its listing is not as ls -l writes one"),
    ("many", "over the limit of")])
def test_a_listing_that_is_none_is_for_a_person(hostile, read, folder, why):
    assert why in read(hostile.options(folder=f"{hostile.address}/{folder}")).fatal()


# --- connectors that are killed ---


@pytest.fixture(scope="module")
def installation(install):
    return install(hub=False)


def configure(server, folder):
    file = folder / "sftp.yaml"
    file.write_text(f"""\
connector: sftp-files
institution: sus
system: sus-trials
source: {json.dumps({"transport": "file-drop", "format": "csv", **server.options()})}
target: {{domain: trial}}
records:
  - key: id
    version: {{tie: position}}
    fields:
      titles: [{{lang: {{value: en}}, text: {{value: A trial}}}}]
      status: {{value: PLANNED}}
""")
    return file


class Drops:
    """Files that a source puts there, ten at a time; every fifth time its server is killed, too."""

    def __init__(self, server):
        self.server = server
        self.files = 0
        self.times = 0

    def grow(self):
        for number in range(self.files, self.files + 10):
            self.server.put(f"{number:05}.csv", f"id\nf{number}\n")
        self.files += 10
        self.times += 1
        if self.times % 5 == 0:
            self.server.kill()
            self.server.start()


def test_a_killed_connector_skips_and_doubles_nothing(request, server, installation, tmp_path, seed):
    drops = Drops(server)
    keys = read_and_kill(request, installation, configure(server, tmp_path), drops, seed)
    assert keys == collections.Counter(f"sus-trials/f{number}" for number in range(drops.files))
