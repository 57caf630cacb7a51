"""Hub and connectors under a steady load on things that stay the same, so that what they hold does not
grow: then neither may their memory, descriptors and threads.

Every few seconds the kernel is asked. The slope is that of the least-squares line through the samples
after the warm-up; its margin is twice the line's standard error, taken as if there were a tenth as many
samples, for neighbours are alike."""

import dataclasses
import functools
import math
import pathlib
import re
import statistics
import time

from origins import Files, Pages, Rows
from stack.process import Failed, Process
from world import BIN, Feed, World

WARM_UP_PART = 1 / 3
SAMPLE_S = 5
FEED_PER_S = 200
TRIALS = 100  # few, so that soon nothing is new about them
SLOPE_MAX_MIB = 1.0  # an hour
ALIKE = 10


class RowsToAndFro(Rows):
    """What is told of a key was told before."""

    def _row(self, key):
        return {**super()._row(key), "title": f"told {self.told[key] % 8} times"}


class ReplacedFiles(Files):
    """Twenty files, one after the other replaced."""

    piece = 1
    names = 20

    def __init__(self, folder, seed):
        super().__init__(folder, seed)
        self.rows = RowsToAndFro(seed)


class RepeatedPages(Pages):
    """Five pages, swept again and again, and new at every sweep."""

    interval_ms = 2000

    def __init__(self, folder, seed):
        super().__init__(folder, seed)
        self.rows = RowsToAndFro(seed)

    def page(self, _, number):
        with self.more:
            rows = self.rows.next_document()
        return {"rows": rows, **({"next": str(number + 1)} if number < 4 else {})}


@dataclasses.dataclass
class Sample:
    at_s: float
    resident_kib: int
    anonymous_kib: int
    descriptors: int
    threads: int


def sample(process, at_s):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()

    def number(name):
        return int(re.search(rf"^{name}:\s+(\d+)", status, re.M)[1])

    return Sample(at_s, number("VmRSS"), number("RssAnon"),
                  len(list(pathlib.Path(f"/proc/{process.pid}/fd").iterdir())), number("Threads"))


def slope(points):
    """(slope, margin) of y over x."""
    xs, ys = zip(*points)
    line = statistics.linear_regression(xs, ys)
    left = sum((y - line.slope * x - line.intercept) ** 2 for x, y in points)
    spread = sum((x - statistics.fmean(xs)) ** 2 for x in xs)
    error = math.sqrt(left / max(1, len(points) - 2) / spread)
    return line.slope, 2 * error * math.sqrt(ALIKE)


class Soak:
    def __init__(self, folder, seed):
        self.world = World(folder, seed, feed=functools.partial(Feed, trials=TRIALS, how=["to-and-fro"]))
        self.sources = [ReplacedFiles(self.world.folder, seed), RepeatedPages(None, seed)]
        self.processes = [self.world.start_hub()]
        self.processes += [self.start_connector(source) for source in self.sources]
        self.samples = {process.name: [] for process in self.processes}

    def start_connector(self, source):
        name = f"soak-{source.name}"
        institution, system = source.harmed
        file = self.world.folder / f"{name}.yaml"
        file.write_text(f"connector: {name}\ninstitution: {institution}\nsystem: {system}\n"
                        f"{source.configuration()}")
        environment = {**self.world.environment, "HUB_BOOTSTRAP": self.world.broker.bootstrap}
        return Process(name, [BIN / "connector", "run", file, "--state", self.world.folder],
                       self.world.folder / f"{name}.log", environment).start()

    def run(self, minutes, note):
        began = next_sample = time.monotonic()
        while (now := time.monotonic()) < began + 60 * minutes:
            self.world.feed.write(FEED_PER_S)
            self.sources[0].write()
            if now >= next_sample:
                self.look(now - began)
                next_sample += SAMPLE_S
            time.sleep(max(0, now + 1 - time.monotonic()))  # the load is so much a second
        for connector in self.processes[1:]:
            connector.stop()
        self.world.wait_until_settled()
        note(f"{self.world.feed.written:,} fed, "
             f"{sum(source.rows.count for source in self.sources):,} rows of the sources")

    def look(self, at_s):
        for process in self.processes:
            if not process.is_running():
                raise Failed(f"{process.name} ended\n{process.tail()}")
            self.samples[process.name].append(sample(process, at_s))

    def judge(self):
        """Lines to print, and whether everything is steady."""
        lines = [f"{'':12} {'MiB then':>9} {'now':>7} {'MiB/h':>8} {'margin':>7} {'anonymous':>9} "
                 f"{'descriptors':>12} {'threads':>8}"]
        steady = True
        for name, samples in self.samples.items():
            kept = [each for each in samples if each.at_s >= samples[-1].at_s * WARM_UP_PART]
            grows, margin = slope([(each.at_s / 3600, each.resident_kib / 1024) for each in kept])
            anonymous, _ = slope([(each.at_s / 3600, each.anonymous_kib / 1024) for each in kept])
            ranges = {what: (min(values), max(values)) for what, values in (
                ("descriptors", [each.descriptors for each in kept]),
                ("threads", [each.threads for each in kept]))}
            lines.append(f"{name:12} {kept[0].resident_kib / 1024:9.1f} "
                         f"{kept[-1].resident_kib / 1024:7.1f} {grows:8.2f} {margin:7.2f} "
                         f"{anonymous:9.2f} " + " ".join(
                             f"{f'{low} to {high}':>{width}}" for (low, high), width in
                             zip(ranges.values(), (12, 8))))
            steady &= grows - margin <= SLOPE_MAX_MIB
            steady &= all(is_level([getattr(each, what) for each in kept]) for what in ranges)
        return lines, steady

    def stop(self):
        for source in self.sources:
            source.stop()
        for process in self.processes[1:]:
            process.stop()
        self.world.stop()


def is_level(values):
    """They come and go, but the last third has not more than the first."""
    third = max(1, len(values) // 3)
    return max(values[-third:]) <= max(values[:third])
