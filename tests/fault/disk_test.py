"""Hub and connectors on disks that are full, that fail, and that give back something else than was
written: they say so, lose nothing, and go on when they are well again.

Disks are made and mounted here, which takes root."""

import pathlib
import random
import shutil
import subprocess
import time

import pytest

import proxy
from connectors import ConnectorWorld
from origins import GuardedFiles
from programme import judge
from stack.process import wait_until
from world import PIECE, World, restart_broker

pytestmark = pytest.mark.long("minutes of full and failing disks")
WAIT_S = 60
DAMAGES = 6
DEATHS_MAX = 2
MIB = 1024 * 1024


class Disk:
    """A file system in memory, with a size."""

    def __init__(self, folder, size):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.mount(f"size={size}")

    def mount(self, options):
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", self.folder],
                              check=False, capture_output=True, text=True)
        if done.returncode != 0:
            pytest.skip(f"NO DISK WAS FILLED: mounting one was refused ({done.stderr.strip()})")

    def fill(self):
        with (self.folder / "filler").open("wb", buffering=0) as file:
            try:
                while file.write(b"x" * 4096):
                    pass
            except OSError:
                pass

    def make_room(self):
        (self.folder / "filler").unlink()

    def enlarge(self, size):
        self.mount(f"remount,size={size}")

    def stop(self):
        subprocess.run(["umount", "--lazy", self.folder], check=False)


@pytest.fixture
def world(seed, tmp_path):
    """One that has no hub yet."""
    print(f"tests/run --long fault/disk_test.py -- --seed {seed}")
    made = World(tmp_path, seed)
    yield made
    made.stop()


@pytest.fixture
def guarded(seed, tmp_path):
    """A connector, not started, whose guard holds records back."""
    made = ConnectorWorld(tmp_path, GuardedFiles, seed)
    yield made
    made.stop()


@pytest.fixture
def disk():
    """disk(folder, size) makes one."""
    made = []

    def make(folder, size):
        made.append(Disk(folder, size))
        return made[-1]

    yield make
    for each in made:
        each.stop()


@pytest.fixture
def brokers_disk(disk, tmp_path):
    """For a world that is made after it."""
    return disk(tmp_path / "kafka" / "data", 96 * MIB)


def state_folder(world):
    return world.folder / "state-hub-1"


def wait_for_line(world, event):
    wait_until(lambda: f"event={event} " in world.hubs["hub-1"].log_text(), f"a line of {event}",
               WAIT_S)


def expect_clean(world):
    world.wait_until_settled()
    findings, numbers = judge(world)
    assert findings.is_clean, str(findings)
    assert numbers["inputs"] >= PIECE


def feed_and_settle(world):
    world.feed.write(world.piece)
    world.wait_until_settled()


def restart(world):
    world.kill_hub()
    world.start_hub()
    world.wait_until_settled()


def test_a_cache_that_has_no_room_is_written_when_there_is(world, disk):
    full = disk(state_folder(world), MIB)
    world.start_hub()
    world.feed.write(world.piece)
    wait_for_line(world, "checkpoint_failed")
    feed_and_settle(world)
    full.enlarge(256 * MIB)
    wait_for_line(world, "checkpoints_again")
    assert world.hubs["hub-1"].log_text().count("event=checkpoint_failed ") == 1
    restart(world)
    expect_clean(world)


def test_a_hub_that_finds_its_disk_full_goes_on_without_a_cache(world, disk):
    full = disk(state_folder(world), MIB)
    full.fill()
    world.start_hub()
    wait_for_line(world, "no_cache")
    feed_and_settle(world)
    full.make_room()
    full.enlarge(256 * MIB)
    wait_for_line(world, "cache_again")
    feed_and_settle(world)
    restart(world)
    assert world.hubs["hub-1"].log_text().count("event=no_cache ") == 1
    expect_clean(world)


def test_a_disk_that_fills_up_under_a_cache_leaves_it(world, disk):
    """And what is missing comes from the topics."""
    full = disk(state_folder(world), 256 * MIB)
    world.start_hub()
    feed_and_settle(world)
    full.fill()
    feed_and_settle(world)
    restart(world)
    assert "event=no_cache " not in world.hubs["hub-1"].log_text()
    full.make_room()
    expect_clean(world)


def test_a_log_that_has_no_room_stops_nobody(world, disk):
    full = disk(world.folder / "log", MIB)
    (world.folder / "hub-1.log").symlink_to(full.folder / "hub-1.log")
    full.fill()
    world.start_hub()
    feed_and_settle(world)
    restart(world)
    full.make_room()
    world.hubs["hub-1"].child.terminate()
    world.hubs["hub-1"].wait(WAIT_S)
    text = world.hubs["hub-1"].log_text()
    assert "event=log_lost " in text
    assert "event=stopped " in text
    world.start_hub()
    expect_clean(world)


def test_a_connector_that_has_no_room_for_what_it_holds_back_waits(guarded, disk):
    full = disk(guarded.folder / "state", MIB)
    full.fill()
    guarded.source.write()
    connector = guarded.start()
    wait_until(lambda: "No space left" in connector.log_text(), "a line of the full disk", WAIT_S)
    assert not guarded.is_read()
    full.make_room()
    guarded.wait_until_read()
    findings = guarded.judge()
    assert findings.is_clean, str(findings)
    assert len(list((guarded.folder / "state").glob(f"held/{guarded.name}/*"))) == 1


def test_a_broker_whose_disk_is_full_takes_nothing_along(brokers_disk, world):
    """In the middle of a transaction; it gives up, and is started again when there is room."""
    world.start_hub()
    feed_and_settle(world)
    under_way = world.proxy.hold_next(proxy.PRODUCE)
    world.feed.write(world.piece)
    assert under_way.caught.wait(WAIT_S)
    brokers_disk.fill()
    under_way.release()
    wait_until(lambda: "No space left" in world.broker.process.log_text(), "the full disk", WAIT_S)
    brokers_disk.make_room()
    restart_broker(world.broker)
    expect_clean(world)


def test_a_sync_that_fails_throws_the_cache_away(world):
    """And only that: what slept in it comes from the topics, and a cache is begun again."""
    if shutil.which("strace") is None:
        pytest.skip("NO SYNC FAILED: strace is not installed")
    hub = world.start_hub()
    feed_and_settle(world)
    tracer = subprocess.Popen(
        ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fdatasync", "-e",
         "inject=fdatasync:error=EIO", "-p", str(hub.pid)], stdin=subprocess.DEVNULL)
    try:
        world.feed.write(world.piece)
        wait_for_line(world, "cache_given_up")
    finally:
        tracer.terminate()
        tracer.wait(WAIT_S)
    feed_and_settle(world)
    ended_ns = time.time_ns()
    feed_and_settle(world)
    cache = state_folder(world) / "data.mdb"
    wait_until(lambda: cache.exists() and cache.stat().st_mtime_ns > ended_ns, "a checkpoint", WAIT_S)
    restart(world)
    expect_clean(world)


def damage(path, chance):
    """A flipped bit, a lost page, a cut: one of them."""
    content = bytearray(path.read_bytes())
    kind = chance.randrange(3)
    if kind == 0:
        for _ in range(chance.randrange(1, 20)):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    elif kind == 1:
        page = 4096 * chance.randrange(len(content) // 4096)
        content[page:page + 4096] = bytes(4096)
    else:
        del content[chance.randrange(len(content)):]
    path.write_bytes(content)


def test_a_cache_that_is_not_as_it_was_written_changes_nothing(world, seed):
    chance = random.Random(seed)
    world.start_hub()
    for _ in range(DAMAGES):
        feed_and_settle(world)
        world.kill_hub()
        damage(state_folder(world) / "data.mdb", chance)
        start_until_it_runs(world)
    expect_clean(world)


def start_until_it_runs(world):
    """Reading damaged pages may kill a process, and the next one, as the first may have died of something
    else; but of the same damage no third. One that has taken what is new has read them."""
    world.feed.write(world.piece)
    for _ in range(DEATHS_MAX + 1):
        hub = world.start_hub()
        wait_until(lambda hub=hub: not hub.is_running() or world.ctl_result("lag").returncode == 0,
                   "the hub loading", WAIT_S)
        if hub.is_running():
            break
        assert hub.child.returncode < 0, hub.tail()
    world.wait_until_settled()
