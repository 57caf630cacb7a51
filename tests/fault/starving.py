"""A hub that finds no memory: one of its allocations fails, or that one and all after it (starve.c).
librdkafka ends the process where it finds none, and is not ours: its allocations, and those that its
own libraries and libc make in whosever name, are passed over."""

import math
import re
import subprocess

from nemeses import WAIT_S, restart
from stack.process import Failed, wait_until
from world import BIN, PROGRAMS

PASSED_OVER = "librdkafka:libsasl2:libcrypto:libssl:libz:liblz4:ld-linux:libc.so"
COUNT_MAX = 200_000  # after loading the schemas; what a piece takes is a part of it
EXIT_CODES = {71: "event=out_of_memory", 1: "event=stopped"}


def starved(environment, **more):
    loaded = [str(PROGRAMS / "libstarve.so"), environment.get("LD_PRELOAD")]
    return {**environment, "LD_PRELOAD": ":".join(filter(None, loaded)),
            "STARVE_EXCEPT": PASSED_OVER, **more}


def loading_count(world):
    """How many allocations the hub's first thread makes before it connects: until it is told of an
    address that it cannot listen at."""
    report = world.folder / "starve.report"
    subprocess.run([BIN / "atmp-hub", "--listen", "nowhere"], check=False,
                   stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   env=starved(world.environment, STARVE_REPORT=str(report)))
    return int(re.search(r"^allocations (\d+)$", report.read_text(), re.M)[1])


def choose(world, chance):
    """Mostly after loading, the earlier the likelier: starts are short, and every step is like the
    last."""
    loading = loading_count(world)
    if chance.random() < 0.1:
        return 1 + chance.randrange(loading)
    return loading + int(math.exp(chance.uniform(0, math.log(COUNT_MAX))))


def starve(world, chance, _=None):
    at, for_ever = choose(world, chance), chance.random() < 0.5
    world.kill_hub()
    more = {"STARVE_FOREVER": "1"} if for_ever else {}
    said = len(world.hubs["hub-1"].log_text())  # before it starts: it may end at once
    hub = world.start_hub(environment=starved(world.environment, STARVE_AT=str(at), **more))
    world.feed.write(world.piece)
    wait_until(lambda: not hub.is_running() or world.ctl_result("lag").returncode == 0,
               "the hub ending, or taking what is there", WAIT_S, interval_s=0.2)
    if hub.is_running():
        world.kill_hub()
        end = "never reached, or done without"
    else:
        code, text = hub.child.returncode, hub.log_text()[said:]
        if EXIT_CODES.get(code, "no such word") not in text:
            raise Failed(f"the hub ended with {code} for want of memory\n{hub.tail()}")
        end = f"exit code {code}"
    restart(world, chance)
    return f"allocation {at}{' and all after it' if for_ever else ''}: {end}"
