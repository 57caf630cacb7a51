"""What is done to a running hub. Each takes the world and a generator of chance, writes its share of
records, does one harm to whoever takes them, and leaves a hub that runs."""

import contextlib
import pathlib
import signal
import subprocess
import threading
import time

import proxy
from stack.process import wait_until
from world import DOMAIN, INSTITUTIONS, restart_broker

WAIT_S = 300
PIECE_WAIT_S = 5
ANSWER_WAIT_S = 5
MOMENT_WAIT_S = 5
DELAY_MAX_S = 0.8
TRANSACTIONAL = (proxy.PRODUCE, proxy.ADD_PARTITIONS_TO_TXN, proxy.ADD_OFFSETS_TO_TXN,
                 proxy.TXN_OFFSET_COMMIT, proxy.END_TXN)
# A kill at a named moment: when such a message passes the network.
MOMENTS = [(way, api_key) for api_key in (proxy.INIT_PRODUCER_ID, *TRANSACTIONAL)
           for way in (proxy.REQUEST, proxy.ANSWER)]
HELD = [(api_key, task) for task in ("admit", "fold")
        for api_key in (proxy.END_TXN, proxy.TXN_OFFSET_COMMIT, proxy.PRODUCE,
                        proxy.ADD_PARTITIONS_TO_TXN, proxy.ADD_OFFSETS_TO_TXN)]
CUTS = [(proxy.REQUEST, proxy.ANSWER), (proxy.ANSWER,), (proxy.REQUEST,)]
ZOMBIES = ["in a transaction", "at any time"]
FEEDS = ["poison", "again", "shuffled"]
POISON = 28  # each kind that feed.c knows, twice
HOUR_S = 3600
START_MAX_S = 1.5
CLOCKS = [HOUR_S, -HOUR_S, 2038, 2056]  # seconds by which the clock is set, or the year
CHURN = 8
CHURN_S = 1
TURNS = 4
TURN_MAX_S = 1.2
LOADED = 12_000  # statements that an empty cache takes some time to catch up with
COMPACTED = [f"{kind}.{DOMAIN}" for kind in ("unified", "conflict", "match")] + [
    "unified.identifier", *(f"admitted.{institution}.{DOMAIN}" for institution in INSTITUTIONS)]
COMPACT_ALWAYS = {"min.compaction.lag.ms": "0", "min.cleanable.dirty.ratio": "0.01",
                  "segment.ms": "1000"}


def moment_name(moment):
    return f"{moment[0]} of {proxy.NAMES[moment[1]]}"


def held_name(what):
    return f"{proxy.NAMES[what[0]]} of {what[1]}"


def let_run(hub, seconds):
    with contextlib.suppress(subprocess.TimeoutExpired):
        hub.child.wait(seconds)


def restart(world, chance):
    if chance.random() < 0.25:
        world.lose_cache()
    world.start_hub()


def kill_at_random(world, chance, how):
    """kill -9 some time after it has begun to write."""
    writing = threading.Event()
    world.proxy.when(proxy.REQUEST, proxy.PRODUCE, writing.set)
    world.feed.write(world.piece, how or "next")
    assert world.wait_for(writing, world.patience_s) or world.weakened, "nothing was written"
    hub = world.hubs["hub-1"]
    delay_s = chance.uniform(0, DELAY_MAX_S)
    let_run(hub, delay_s)
    hub.kill()
    restart(world, chance)
    return f"{delay_s:.2f} s after it began to write"


def kill_at_a_moment(world, chance, moment):
    """kill -9 when a message passes, before anybody has it."""
    way, api_key = moment
    if api_key == proxy.INIT_PRODUCER_ID:  # said at a start only
        world.kill_hub()
        world.proxy.when(way, api_key, world.kill_hub)
        world.start_hub()
    else:
        world.proxy.when(way, api_key, world.kill_hub)
    world.feed.write(world.piece)
    wait_until(lambda: not world.hubs["hub-1"].is_running(), f"a kill at {moment_name(moment)}",
               WAIT_S)
    restart(world, chance)
    return moment_name(moment)


def cache_of(hub):
    """The file; one that took the name of another has a folder of its own."""
    return pathlib.Path(hub.command[hub.command.index("--state") + 1]) / "data.mdb"


def kill_at_a_checkpoint(world, _, __=None):
    """kill -9 when the cache has just been written with what came."""
    world.wait_until_settled()
    cache = cache_of(world.hubs["hub-1"])
    before, taken = cache.stat().st_mtime_ns, threading.Event()
    world.proxy.when(proxy.ANSWER, proxy.TXN_OFFSET_COMMIT, taken.set)
    world.feed.write(world.piece)
    assert world.wait_for(taken, WAIT_S), "nothing was taken"
    wait_until(lambda: cache.stat().st_mtime_ns != before, "a checkpoint", WAIT_S, interval_s=0.005)
    world.kill_hub()
    world.start_hub()
    return "with all that was written"


def write_until(world, event, otherwise):
    deadline = time.monotonic() + WAIT_S
    while not event.is_set():
        assert time.monotonic() < deadline, otherwise
        world.feed.write(world.piece)
        world.wait_for(event, PIECE_WAIT_S)


def hold(world, chance, what):
    """A request is held back until its sender has given it up, gone on, and has the next transaction
    open with records in it; then it is delivered, and the sender killed before it can end that
    transaction."""
    api_key, task = what
    held = world.proxy.hold_next(api_key, task)
    world.feed.write(world.piece)
    assert world.wait_for(held.caught, WAIT_S), f"no {held_name(what)}"
    assert world.wait_for(held.given_up, WAIT_S), f"its sender still waits for {held_name(what)}"
    gate = world.proxy.hold_next(proxy.TXN_OFFSET_COMMIT, task, after_records=True)
    write_until(world, gate.caught, "no further transaction")
    held.release()
    held.answered.wait(ANSWER_WAIT_S)
    world.kill_hub()
    gate.drop()
    restart(world, chance)
    return held_name(what)


def stop_within_a_transaction(world, chance, name):
    """SIGSTOP, in the middle of a transaction where it has one."""
    moment = world.proxy.hold_next(chance.choice((proxy.END_TXN, proxy.TXN_OFFSET_COMMIT)))
    moment.caught.wait(MOMENT_WAIT_S)
    world.hubs[name].child.send_signal(signal.SIGSTOP)
    world.proxy.cancel(moment)
    moment.release()


def zombie(world, chance, who):
    """A hub is stopped in the middle, another takes over when its session has ended, and it goes on as
    if nothing had been."""
    world.start_hub("hub-2")
    world.feed.write(world.piece)
    first = chance.choice(["hub-1", "hub-2"])
    if who == ZOMBIES[0]:
        stop_within_a_transaction(world, chance, first)
    else:
        world.hubs[first].child.send_signal(signal.SIGSTOP)
    world.feed.write(world.piece)
    world.wait_until_settled()
    world.hubs[first].child.send_signal(signal.SIGCONT)
    world.feed.write(world.piece)
    world.wait_until_settled()
    world.hubs.pop("hub-2").stop()
    return f"{first} stood still {who}"


def replace(world, chance, _=None):
    """A hub is stopped in the middle, another of its name is started on another machine, and it goes
    on. Whoever was there last has the name; the other ends."""
    stopped = world.hubs["hub-1"]
    world.feed.write(world.piece)
    stop_within_a_transaction(world, chance, "hub-1")
    fresh = world.start_hub("hub-1", machine=f"-{stopped.pid}")
    world.feed.write(world.piece)
    world.wait_until_settled()
    stopped.child.send_signal(signal.SIGCONT)
    world.feed.write(world.piece)
    wait_until(lambda: not (stopped.is_running() and fresh.is_running()),
               "the end of one of two hubs of one name", WAIT_S)
    world.hubs["hub-1"] = stopped if stopped.is_running() else fresh
    world.wait_until_settled()
    return f"the {'old' if stopped.is_running() else 'new'} hub went on"


def kill_broker(world, _, at):
    world.feed.write(world.piece)
    moment = world.proxy.hold_next(at)
    caught = moment.caught.wait(MOMENT_WAIT_S)
    hanging = restart_broker(world.broker)
    world.proxy.cancel(moment)
    moment.release()
    world.feed.write(world.piece)
    return (f"with a {proxy.NAMES[at]} under way" if caught else "between transactions") + (
        f", which hung in {hanging} partitions" if hanging else "")


def cut(world, chance, ways):
    """Nothing passes for longer than a request may wait, and nobody is told."""
    world.feed.write(world.piece)
    at = chance.choice(TRANSACTIONAL)
    moment = world.proxy.hold_next(at)
    caught = moment.caught.wait(MOMENT_WAIT_S)
    world.proxy.cut(*ways)
    world.proxy.cancel(moment)
    moment.release()
    wait_until(lambda: world.supervise() or world.proxy.is_given_up(), "the hub giving up a request",
               WAIT_S)
    world.feed.write(world.piece)
    world.proxy.heal()
    return " and ".join(ways) + "s lost" + (f" at {proxy.NAMES[at]}" if caught else "")


def feed_badly(world, chance, how):
    """Poison, what was said before, or everything in another order; and a kill upon it."""
    world.feed.write(world.piece)
    world.feed.write(POISON if how == "poison" else world.piece, how)
    kill_at_random(world, chance, "next")
    return how


def churn(world, chance, _=None):
    """Hubs come and go by the second, asked to or killed, while one stays."""
    for number in range(CHURN):
        name = f"hub-{2 + number % 3}"
        world.feed.write(world.piece // CHURN)
        if name in world.hubs:
            hub = world.hubs.pop(name)
            chance.choice((hub.stop, hub.kill))()
        else:
            world.start_hub(name)
        let_run(world.hubs["hub-1"], CHURN_S)
    world.wait_until_settled()
    for name in [name for name in world.hubs if name != "hub-1"]:
        world.hubs.pop(name).stop()
    return f"{CHURN} came or went"


def take_turns(world, chance, _=None):
    """A hub whose cache is empty stays, and is given all shards whenever the other goes: what it followed it holds,
    and follows again, before it has caught up. In the end it goes on from what its cache says."""
    world.feed.write(LOADED)
    world.wait_until_settled()
    world.lose_cache("hub-2")
    fresh = world.start_hub("hub-2")
    for _ in range(TURNS):
        let_run(fresh, chance.uniform(0, TURN_MAX_S))
        world.hubs["hub-1"].stop()
        let_run(fresh, chance.uniform(0, TURN_MAX_S))
        world.start_hub()
    let_run(fresh, TURN_MAX_S)
    world.hubs.pop("hub-1").stop()
    world.feed.write(world.piece)
    world.wait_until_settled()
    world.start_hub()
    world.hubs.pop("hub-2").stop()
    return f"{TURNS} times"


def compact(world, chance, _=None):
    """From now on Kafka compacts what the hub loads at a start, all the time; and a kill upon it."""
    before = world.cleaned_up_to(f"unified.{DOMAIN}")
    world.configure(COMPACTED, COMPACT_ALWAYS)
    world.compacted = True

    def is_cleaned():
        world.feed.write(world.piece // 10)  # a segment is closed by what comes after it
        return world.cleaned_up_to(f"unified.{DOMAIN}") > before
    wait_until(is_cleaned, "Kafka compacting", WAIT_S, interval_s=0.5)
    kill_at_random(world, chance, "next")
    return f"up to offset {world.cleaned_up_to(f'unified.{DOMAIN}')}"


def clock_name(clock):
    return f"to the year {clock}" if 0 < clock < HOUR_S else f"by {clock} s"


def clock_ahead_ms(clock):
    seconds = clock
    if 0 < clock < HOUR_S:  # to a moment in that year, past the end of 32 bits
        seconds = (clock - 1970) * 365.2425 * 24 * HOUR_S + 90 * 24 * HOUR_S - time.time()
    return int(seconds * 1000)


def set_clock(world, chance, clock):
    """The wall clock is set while a hub starts or records are under way, and set back: nothing is
    ordered by it, and nothing waits by it for long."""
    world.set_clock(0)
    world.hubs["hub-1"].stop()
    hub = world.start_hub()
    if chance.random() < 0.5:
        let_run(hub, chance.uniform(0, START_MAX_S))
        world.set_clock(clock_ahead_ms(clock))
    world.feed.write(world.piece)
    under_way = world.proxy.hold_next(chance.choice(TRANSACTIONAL))
    under_way.caught.wait(WAIT_S)
    world.set_clock(clock_ahead_ms(clock))
    under_way.release()
    world.feed.write(world.piece)
    world.wait_until_settled()
    world.set_clock(0)
    world.feed.write(world.piece)
    world.wait_until_settled()
    return clock_name(clock)
