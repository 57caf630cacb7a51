"""One to four hubs in one group, which share the shards of two domains out among them while records
come: hubs are added, one is asked to end, one is killed. At each stage the records are looked at, and
what was counted."""

import collections
import functools
import threading
import time
import urllib.request

import pytest

import cleaning
from checker import Schemas, check, read_topic
from sharded import DOMAINS, Feed, shard_of
from stack.process import wait_until
from world import INSTITUTIONS, World

pytestmark = pytest.mark.long("minutes of hubs that come and go")
PIECE = 40
PAUSE_S = 0.02
SPREAD_TIMEOUT_S = 90
SESSION_TIMEOUT_S = 10
TAKEOVER_SLACK_S = 5  # the group noticing it; on a busy machine
TASKS = ("admit", "fold", "refer")


class Writing:
    """Writes on and on, in a thread of its own."""

    def __init__(self, feed):
        self.feed = feed
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.ended.wait(PAUSE_S):
            self.feed.write(PIECE)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


def shares(world):
    """{hub: {task: how many partitions it has}}, of those that answer."""
    found = {}
    for name in world.hubs:
        counts = collections.Counter()
        try:
            text = urllib.request.urlopen(f"http://{world.listens[name]}/metrics", timeout=2).read()
        except OSError:
            continue
        for line in text.decode().splitlines():
            if line.startswith("atmp_partitions{"):
                counts[line.split('"')[1]] = int(line.split()[-1])
        found[name] = counts
    return found


def loaded(world, name):
    """(from the cache, from Kafka): records that a hub has loaded since it was started."""
    text = urllib.request.urlopen(f"http://{world.listens[name]}/metrics", timeout=30).read().decode()
    return [sum(int(line.split()[-1]) for line in text.splitlines()
                if line.startswith("atmp_loaded_records_total{") and f'from="{source}"' in line)
            for source in ("cache", "kafka")]


def is_spread(world, totals):
    """Every partition has one hub, and every hub has some of each task."""
    found = shares(world)
    return (set(found) == set(world.hubs)
            and all(counts[task] > 0 for counts in found.values() for task in TASKS)
            and all(sum(counts[task] for counts in found.values()) == totals[task]
                    for task in TASKS))


def look(world):
    """What the records say, stage by stage of the hub, and the counts that ride with the offsets."""
    world.wait_until_settled()
    schemas = Schemas(world.schemas)
    read = functools.partial(read_topic, world.broker.bootstrap)
    for domain in DOMAINS:
        findings, numbers = check(read, INSTITUTIONS, domain, schemas,
                                  functools.partial(shard_of, domain))
        assert findings.is_clean, f"{domain}: {findings}"
        assert numbers["inputs"] == world.feed.written[domain]
        assert world.differences(domain) == 0
    assert world.unbalanced() == []


@pytest.fixture
def world(seed, tmp_path):
    print(f"tests/run --long fault/scale_test.py -- --seed {seed}")
    schemas = cleaning.add_to(tmp_path / "schemas", sharded=True)
    world = World(tmp_path / "world", seed, schemas=schemas,
                  feed=lambda bootstrap, seed, _: Feed(schemas, bootstrap, seed))
    yield world
    world.stop()


@pytest.fixture
def totals(world):
    """How many partitions there are for each task: what one hub alone has."""
    world.start_hub("hub-1")
    return wait_until(lambda: all(shares(world).get("hub-1", {}).get(task) for task in TASKS) and
                      shares(world)["hub-1"], "a first hub", SPREAD_TIMEOUT_S)


def wait_until_spread(world, totals):
    wait_until(lambda: is_spread(world, totals), f"shards spread over {sorted(world.hubs)}",
               SPREAD_TIMEOUT_S, interval_s=0.2)
    print(f"{time.strftime('%H:%M:%S')} {shares(world)}")


def test_shards_move_between_hubs_and_nothing_is_lost_or_doubled(world, totals):
    """1, 2, 3, 4 hubs, and back to 1."""
    for name in ("hub-2", "hub-3", "hub-4"):
        with Writing(world.feed):
            world.start_hub(name)
            wait_until_spread(world, totals)
        look(world)
    with Writing(world.feed):
        world.hubs.pop("hub-4").kill()
        wait_until_spread(world, totals)
    look(world)
    with Writing(world.feed):
        assert world.hubs.pop("hub-1").stop() == 0
        wait_until_spread(world, totals)
    look(world)
    with Writing(world.feed):
        world.hubs.pop("hub-3").kill()
        world.start_hub("hub-3")  # within the session: nobody else has its shards
        wait_until_spread(world, totals)
        assert world.hubs.pop("hub-3").stop() == 0
        wait_until_spread(world, totals)
    look(world)


def wait_until_written(world, more):
    wanted = sum(world.feed.written.values()) + more
    wait_until(lambda: sum(world.feed.written.values()) >= wanted, f"{more} more records")


def longest_pause_s(world, since_ms):
    """Of the partitions of unified topics to which something was written after that: the longest time
    between two records around it and after it."""
    pauses = []
    for domain in DOMAINS:
        times = collections.defaultdict(list)
        for record in read_topic(world.broker.bootstrap, f"unified.{domain}"):
            times[record.partition].append(record.time_ms)
        for moments in times.values():
            before = [moment for moment in moments if moment < since_ms]
            near = before[-1:] + moments[len(before):]
            pauses += [after - before for before, after in zip(near, near[1:])]
    return max(pauses) / 1000


def test_who_is_asked_to_end_hands_over_at_once_and_who_is_killed_within_its_session(world, totals):
    world.start_hub("hub-2")
    wait_until_spread(world, totals)
    with Writing(world.feed):
        wait_until_written(world, 2000)
        began_ms = time.time() * 1000
        assert world.hubs.pop("hub-2").stop() == 0
        wait_until_spread(world, totals)
    world.wait_until_settled()
    handed_over_s = longest_pause_s(world, began_ms)
    world.start_hub("hub-2")
    wait_until_spread(world, totals)
    with Writing(world.feed):
        wait_until_written(world, 2000)
        began_ms = time.time() * 1000
        world.hubs.pop("hub-2").kill()
        wait_until_spread(world, totals)
    world.wait_until_settled()
    taken_over_s = longest_pause_s(world, began_ms)
    print(f"without a commit: {handed_over_s:.1f} s at a hand-over, {taken_over_s:.1f} s after a kill")
    assert handed_over_s < taken_over_s
    assert taken_over_s < SESSION_TIMEOUT_S + TAKEOVER_SLACK_S + handed_over_s
    look(world)


def test_who_takes_over_reads_only_what_came_since(world, totals):
    """hub-2 has followed what hub-1 held: of what is there it asks the cache, when somebody comes near it."""
    written = 3000
    world.start_hub("hub-2")
    wait_until_spread(world, totals)
    world.feed.write(written)
    world.wait_until_settled()
    before = loaded(world, "hub-2")
    world.hubs.pop("hub-1").kill()
    wait_until_spread(world, totals)
    cached, read = (now - then for now, then in zip(loaded(world, "hub-2"), before))
    print(f"{cached} records asked of the cache, {read} read from Kafka")
    assert read < written / 20
    world.kill_hub("hub-2")  # the control: without its cache it reads them
    world.lose_cache("hub-2")
    world.start_hub("hub-2")
    wait_until_spread(world, totals)
    assert loaded(world, "hub-2")[1] > written
    look(world)
