"""What is done to a running hub. Each takes the world and a generator of chance, writes its share of
records, does one harm to whoever takes them, and leaves a hub that runs."""

import contextlib
import signal
import subprocess
import threading
import time

import proxy
from stack.process import wait_until

PIECE = 2500
WAIT_S = 120
PRODUCED_WAIT_S = 0.5
ANSWER_WAIT_S = 5
DELAY_MAX_S = 0.8
TRANSACTIONAL = (proxy.PRODUCE, proxy.ADD_PARTITIONS_TO_TXN, proxy.ADD_OFFSETS_TO_TXN,
                 proxy.TXN_OFFSET_COMMIT, proxy.END_TXN)
# A kill at a named moment: when such a message passes the network.
MOMENTS = [(way, api_key) for api_key in (proxy.INIT_PRODUCER_ID, *TRANSACTIONAL)
           for way in (proxy.REQUEST, proxy.ANSWER)]


HOUR_S = 3600
CLOCKS = (HOUR_S, -HOUR_S, 2038, 2056)  # seconds by which the clock is set, or the year


HELD = [(api_key, task) for task in ("admit", "fold")
        for api_key in (proxy.END_TXN, proxy.TXN_OFFSET_COMMIT, proxy.PRODUCE,
                        proxy.ADD_PARTITIONS_TO_TXN, proxy.ADD_OFFSETS_TO_TXN)]


def moment_name(moment):
    return f"{moment[0]} of {proxy.NAMES[moment[1]]}"


def held_name(what):
    return f"{proxy.NAMES[what[0]]} of {what[1]}"


def restart(world, chance):
    if chance.random() < 0.25:
        world.lose_cache()
    world.start_hub()


def kill_at_random(world, chance, _=None):
    """kill -9 some time after it has begun to write."""
    writing = threading.Event()
    world.proxy.when(proxy.REQUEST, proxy.PRODUCE, writing.set)
    world.feed.write(PIECE)
    assert writing.wait(world.patience_s) or world.weakened, "nothing was written"
    hub = world.hubs["hub-1"]
    delay_s = chance.uniform(0, DELAY_MAX_S)
    with contextlib.suppress(subprocess.TimeoutExpired):
        hub.child.wait(delay_s)  # it runs on, as it should
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
    world.feed.write(PIECE)
    wait_until(lambda: not world.hubs["hub-1"].is_running(), f"a kill at {moment_name(moment)}",
               WAIT_S)
    restart(world, chance)
    return moment_name(moment)


def hold(world, chance, what):
    """A request is held back until its sender has given it up, gone on, and has the next transaction
    open with records in it; then it is delivered, and the sender killed before it can end that
    transaction."""
    api_key, task = what
    world.wait_until_settled()
    held = world.proxy.hold_next(api_key, task)
    world.feed.write(PIECE)
    assert held.caught.wait(WAIT_S), f"no {held_name(what)}"
    assert held.given_up.wait(WAIT_S), f"its sender still waits for {held_name(what)}"
    gate = world.proxy.hold_next(proxy.TXN_OFFSET_COMMIT, task)
    produced = threading.Event()
    world.feed.write(PIECE)
    assert gate.caught.wait(WAIT_S), "no further transaction"
    world.proxy.when(proxy.ANSWER, proxy.PRODUCE, produced.set)
    produced.wait(PRODUCED_WAIT_S)  # where it had not come before
    held.release()
    held.answered.wait(ANSWER_WAIT_S)
    world.kill_hub()
    gate.drop()
    world.proxy.forget_watchers()
    restart(world, chance)
    return held_name(what)


def zombie(world, chance, _=None):
    """A hub is stopped in the middle, another takes over, and the first goes on as if nothing had
    been."""
    world.start_hub("hub-2")
    world.feed.write(PIECE)
    first, second = chance.sample(["hub-1", "hub-2"], 2)
    caught = world.proxy.hold_next(chance.choice((proxy.END_TXN, proxy.TXN_OFFSET_COMMIT)))
    caught.caught.wait(2)  # in the middle of a transaction, where it has one
    world.hubs[first].child.send_signal(signal.SIGSTOP)
    world.proxy.cancel(caught)
    caught.release()
    world.feed.write(PIECE)
    world.wait_until_settled()
    world.hubs[first].child.send_signal(signal.SIGCONT)
    world.feed.write(PIECE)
    world.wait_until_settled()
    world.hubs.pop("hub-2").stop()
    return f"{first} stood still, {second} took over"


def kill_broker(world, chance, _=None):
    world.feed.write(PIECE)
    at = chance.choice(TRANSACTIONAL)
    moment = world.proxy.hold_next(at)
    caught = moment.caught.wait(5)
    world.restart_broker()
    world.proxy.cancel(moment)
    moment.release()
    world.feed.write(PIECE)
    return f"with a {proxy.NAMES[at]} under way" if caught else "between transactions"


def cut(world, chance, ways):
    """Nothing passes for longer than a request may wait, and nobody is told."""
    world.feed.write(PIECE)
    at = world.proxy.hold_next(chance.choice(TRANSACTIONAL))
    at.caught.wait(5)
    world.proxy.cut(*ways)
    world.proxy.cancel(at)
    at.release()
    wait_until(lambda: "session_ended" in world.hubs["hub-1"].log_text() or
               at.given_up.is_set(), "the hub noticing the cut", WAIT_S)
    world.feed.write(PIECE)
    world.proxy.heal()
    return " and ".join(ways) + "s lost"


def clock_name(clock):
    return f"to the year {clock}" if 0 < clock < HOUR_S else f"by {clock} s"


def set_clock(world, chance, clock):
    """The wall clock is set while records are under way, and set back: nothing is ordered by it, and
    nothing waits by it."""
    seconds = clock
    if clock < HOUR_S and clock > 0:  # to a moment in it, past the end of 32 bits
        seconds = (clock - 1970) * 365.2425 * 24 * HOUR_S + 90 * 24 * HOUR_S - time.time()
    world.set_clock(0)
    world.hubs["hub-1"].stop()
    world.start_hub()
    world.feed.write(PIECE)
    under_way = world.proxy.hold_next(chance.choice(TRANSACTIONAL))
    under_way.caught.wait(WAIT_S)
    world.set_clock(int(seconds * 1000))
    under_way.release()
    world.feed.write(PIECE)
    world.wait_until_settled()
    world.set_clock(0)
    world.feed.write(PIECE)
    world.wait_until_settled()
    return clock_name(clock)
