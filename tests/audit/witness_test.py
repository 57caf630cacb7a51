"""Witnesses beside a running archiver: what it signs is cosigned, one that is away holds nothing up, and an
archive that was put back with all its files is refused by any one of them."""

import shutil
import subprocess

import pytest

from archives import DEPLOYMENT, PROGRAMS, WAIT_S, Archiver, Feed, metric, wait_for_round
from stack.installation import make_signing_key
from stack.kafka import Broker
from stack.process import Process, free_port, wait_until


class Witness:
    def __init__(self, folder, name):
        self.name = f"{name}.example/witness"
        self.state = folder / name
        self.log = folder / f"{name}.log"
        self.logs = folder / "logs.vkey"
        self.pem = folder / f"{name}.pem"
        self.port = free_port()
        self.process = None
        make_signing_key(self.pem)
        self.key = subprocess.run(self.command(), check=True, capture_output=True,
                                  text=True).stdout.strip()

    def command(self):
        return [PROGRAMS / "connector", "witness", self.name, "--key", self.pem]

    def start(self):
        self.process = Process(self.name, [*self.command(), "--logs", self.logs, "--listen",
                                           f"127.0.0.1:{self.port}", "--state", self.state],
                               self.log).start()
        return self

    @property
    def line(self):
        return f"http://127.0.0.1:{self.port} {self.key}\n"

    def cosigned(self, archiver):
        """The note of the last checkpoint that it has cosigned of an archive."""
        path = archiver.folder / "rollup" / "witnesses" / self.key.split("+")[1]
        return path.read_text() if path.exists() else ""


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    broker = Broker(tmp_path_factory.mktemp("witnessed") / "kafka").start()
    subprocess.run([PROGRAMS / "hubctl", "topic", "create", "--bootstrap", broker.bootstrap],
                   check=True, capture_output=True, cwd=PROGRAMS.parents[2])
    yield broker
    broker.stop()


@pytest.fixture
def scene(broker, tmp_path, seed):
    """An archive that was begun, so that its key is known, and two witnesses that know it."""
    make_signing_key(tmp_path / "archive.pem")
    feed = Feed(broker.bootstrap, seed)
    feed.write(20, commits=True)
    archiver = Archiver(tmp_path, broker.bootstrap, tmp_path / "archive.pem", arguments=[
        "--interval-ms", "100", "--witnesses", tmp_path / "witnesses"])
    witnesses = [Witness(tmp_path, name) for name in ("sus", "lumc")]
    (tmp_path / "witnesses").write_text("# who cosigns\n" + "".join(each.line for each in witnesses))
    archiver.run_once()  # nobody is there yet
    shutil.copy(archiver.folder / "rollup" / "log.vkey", tmp_path / "logs.vkey")
    for each in witnesses:
        each.start()
    yield feed, archiver, witnesses
    for process in [archiver.process, *(each.process for each in witnesses)]:
        process.stop()


def size_of(note):
    return int(note.splitlines()[1]) if note else 0


def test_what_is_signed_is_cosigned_by_all(scene):
    feed, archiver, witnesses = scene
    assert [each.cosigned(archiver) for each in witnesses] == ["", ""]
    archiver.start()
    for _ in range(3):
        before = [size_of(each.cosigned(archiver)) for each in witnesses]
        feed.write(20, commits=True)
        wait_until(lambda: all(size_of(each.cosigned(archiver)) > size for each, size in
                               zip(witnesses, before)), "two cosignatures", WAIT_S)
    for each in witnesses:
        note = each.cosigned(archiver)
        assert note.startswith(f"{DEPLOYMENT}/rollup\n")
        assert f"\n— {DEPLOYMENT}/rollup " in note and f"\n— {each.name} " in note
    assert metric(archiver, "atmp_archive_witness_refusals_total") == 0


def test_one_that_is_away_holds_nothing_up_and_catches_up(scene):
    feed, archiver, witnesses = scene
    archiver.start()
    wait_until(lambda: all(each.cosigned(archiver) for each in witnesses), "cosignatures", WAIT_S)
    away, there = witnesses
    away.process.kill()
    behind = size_of(away.cosigned(archiver))
    feed.write(20, commits=True)
    wait_until(lambda: size_of(there.cosigned(archiver)) > behind, "the other's", WAIT_S)
    assert size_of(away.cosigned(archiver)) == behind
    assert "event=witness_away" in archiver.log.read_text()
    away.start()
    wait_until(lambda: size_of(away.cosigned(archiver)) > behind, "its return", WAIT_S)


@pytest.mark.parametrize("goes_on", [False, True], ids=["as it was", "and went on otherwise"])
def test_an_archive_that_was_put_back_is_refused_by_any_one(scene, tmp_path, goes_on):
    """With all its files, by somebody who has its key."""
    feed, archiver, witnesses = scene
    shutil.copytree(archiver.folder, tmp_path / "before")
    feed.write(50, commits=True)
    archiver.start()
    wait_until(lambda: all(each.cosigned(archiver) for each in witnesses), "cosignatures", WAIT_S)
    archiver.process.stop()
    witnesses[0].process.stop()  # one is enough
    shutil.rmtree(archiver.folder)
    shutil.copytree(tmp_path / "before", archiver.folder)
    if goes_on:
        # The same records, in other rounds: another roll-up.
        (tmp_path / "nobody").write_text("")
        for _ in range(10):
            feed.write(5, commits=True)
            archiver.start("--witnesses", tmp_path / "nobody", "--once").process.wait(WAIT_S)
        archiver.start()
        wait_until(lambda: "event=witness_refuses" in archiver.log.read_text(), "a refusal", WAIT_S)
        wait_for_round(archiver)
        assert metric(archiver, "atmp_archive_witness_refusals_total") > 0
        assert "event=log_forked" in witnesses[1].log.read_text()
        assert list((witnesses[1].state / "witness").glob("*.refused"))
        archiver.process.stop()
    verified = subprocess.run(
        [PROGRAMS / "hubctl", "archive", "verify", archiver.folder, "--seen",
         next((witnesses[1].state / "witness").glob("[0-9a-f]" * 8)), "--key", keys_of(
             tmp_path, archiver, witnesses[1])], capture_output=True, text=True, check=False)
    assert verified.returncode == 1, verified.stdout + verified.stderr
    assert "put back" in verified.stdout or "does not begin with" in verified.stdout


def keys_of(folder, archiver, *witnesses):
    path = folder / "keys.vkey"
    path.write_text((archiver.folder / "rollup" / "log.vkey").read_text() +
                    "".join(f"{each.key}\n" for each in witnesses))
    return path


def test_an_auditor_sees_who_has_cosigned(scene, tmp_path):
    feed, archiver, witnesses = scene
    archiver.start()
    wait_until(lambda: all(each.cosigned(archiver) for each in witnesses), "cosignatures", WAIT_S)
    archiver.process.stop()
    verify = [PROGRAMS / "hubctl", "archive", "verify", archiver.folder, "--key",
              keys_of(tmp_path, archiver, *witnesses)]
    verified = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    for each in witnesses:
        assert each.name in verified.stdout
    (archiver.folder / "rollup" / "witnesses" / witnesses[0].key.split("+")[1]).unlink()
    verified = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert verified.returncode == 1
    assert f"{witnesses[0].name} has cosigned nothing" in verified.stdout
