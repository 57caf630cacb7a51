"""tests/bench/run --growth: what an event costs among few entities and among many, by the whole hub.

For each number of entities there is a broker of its own, and a hub is told of them all. Then, in turn and a few
times: started with what is in its cache, it takes so many further statements of which few trials get many, as in
a register, after as many that are not measured; and, started again, as many about trials that are drawn evenly.
CPU is of the hub alone, from the first of the statements that are measured to its end, when all is in its cache.
"""

import contextlib
import os
import re
import shutil
import statistics
from pathlib import Path

from restart import TRANSACTION, Restarts, cpu_of
from sections import write_growth
from stack.kafka import Broker
from stack.process import Failed
from subjects import cpu_of_children, read_memory

USUAL = {"entities": [10_000, 100_000, 1_000_000], "events": 200_000, "rounds": 3}
IN_MAIN_RUN = {"entities": [10_000, 1_000_000], "events": 200_000, "rounds": 3}
QUICK = {"entities": [3_000, 10_000], "events": 10_000, "rounds": 1}
# Of disk: of an entity what the broker keeps (5.6 KB among 100,000) and the hub's cache (6 KB); of an event.
ENTITY_BYTES, EVENT_BYTES = 12_000, 2_500
SKEWED, EVEN = "next", "evenly"


def check_disk(folder, entities, scale):
    """Before hours have gone by."""
    events = scale["events"] * scale["rounds"] * 3
    needed = entities * ENTITY_BYTES + events * EVENT_BYTES
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise Failed(f"{entities:,} entities take about {needed / 1e9:.0f} GB in {folder}, where {free / 1e9:.0f} GB "
                     "are free; TMPDIR says where else")


def available_memory():
    """Bytes that the page cache may have."""
    return int(re.search(r"^MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.M)[1]) * 1024


class Grown(Restarts):
    """A hub that holds so many entities."""

    def _has_all(self):
        self.look()
        return super()._has_all()

    def start_hub(self):
        self.resident = self.private = 0
        return super().start_hub()

    def look(self):
        with contextlib.suppress(OSError):  # it has just ended
            resident, private = read_memory(self.hub.pid)
            self.resident, self.private = max(self.resident, resident), max(self.private, private)

    def cache_bytes(self):
        """Those that are on the disk: the file is as long as it may become."""
        return (self.state / "data.mdb").stat().st_blocks * 512

    def take(self, events, how):
        for _ in range(events // TRANSACTION):
            self.feed.write(TRANSACTION, how)
        self.wait_for_all()

    def measure(self, events, how):
        """CPU seconds per million such statements, and bytes of memory."""
        self.stop_hub()
        before = cpu_of_children()
        self.restart_to_rest()
        if how == SKEWED:
            self.take(events, how)
        began = cpu_of(self.hub.pid)
        self.take(events, how)
        self.stop_hub()
        cpu_s = cpu_of_children() - before - began
        return {"cpu": cpu_s * 1e6 / events, "private": self.private, "resident": self.resident}


def medians(rounds):
    return {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}


def measure_rounds(grown, scale, note):
    """{cpu, private, resident} with the skew, and cpu_even"""
    rounds = []
    for number in range(scale["rounds"]):
        skewed, even = (grown.measure(scale["events"], how) for how in (SKEWED, EVEN))
        note(f"round {number + 1}: {grown.entities:,} entities: {skewed['cpu']:.2f} CPU s per million, evenly "
             f"{even['cpu']:.2f}; private {skewed['private'] / 1e6:,.0f} MB, evenly {even['private'] / 1e6:,.0f}")
        rounds.append({**skewed, **{f"{name}_even": value for name, value in even.items()}})
    return medians(rounds)


def measure_entities(entities, scale, options, folder, seed, heap, note, restart):
    """What is measured with so many; restart: and how long starts take, with the cache and without."""
    check_disk(folder, entities, scale)
    place = folder / f"growth-{entities}"
    broker = Broker(place / "kafka", heap=heap, long_lived=True)
    grown = None
    try:
        note(f"a hub that is told of {entities:,} entities")
        broker.start()
        grown = Grown(broker, place, entities, seed, options)
        took_s = grown.fill()
        found = {"told_rate": grown.feed.written / took_s, **measure_rounds(grown, scale, note),
                 "cache": grown.cache_bytes(), "available": available_memory()}
        if restart:
            grown.restart_to_rest()
            found.update(grown.round())
            note(f"started again with the cache {found['with']:.2f} s, without {found['without']:.2f} s")
        return found
    finally:
        if grown is not None:
            grown.close()
        broker.stop()
        shutil.rmtree(place, ignore_errors=True)


def measure_growth(scale, options, folder, seed, heap, note, restart=False):
    """{entities: what was measured}"""
    return {entities: measure_entities(entities, scale, options, folder, seed, heap, note, restart)
            for entities in sorted(scale["entities"])}


def ratios(found):
    """Of the most entities to the fewest."""
    few, many = found[min(found)], found[max(found)]
    return {"growth": many["cpu"] / few["cpu"], "growth_even": many["cpu_even"] / few["cpu_even"]}


def run_growth(arguments, folder, seed, heap, note, results):
    scale = dict(QUICK if arguments.quick else USUAL)
    scale["entities"] = arguments.entities or scale["entities"]
    busy = os.getloadavg()[0]
    found = measure_growth(scale, arguments.hub_option, folder, seed, heap, note, restart=True)
    print(write_growth(results, arguments, scale, busy, found, ratios(found)), end="")
    return {**ratios(found), **{f"{name}_{entities}": each[name] for entities, each in found.items()
                                for name in ("cpu", "cpu_even", "private", "resident", "cache", "with", "without")}}
