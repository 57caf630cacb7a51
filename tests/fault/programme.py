"""tests/fault/run, once everything is built: harms one after the other to running hubs, then what the
checker says of the records."""

import argparse
import dataclasses
import datetime
import functools
import json
import pathlib
import platform
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

import nemeses
import proxy
from checker import check, read_topic
from soak import Soak
from stack.process import Failed
from world import DOMAIN, INSTITUTIONS, ROOT, World


@dataclasses.dataclass
class Part:
    """One kind of harm: how often in the ordinary run and in the long one, and each time to what."""

    name: str
    nemesis: callable
    usual: int
    long: int
    choices: tuple = (None,)


PARTS = [
    Part("kills at random", nemeses.kill_at_random, 28, 760),
    Part("kills at named moments", nemeses.kill_at_a_moment, 12, 240, tuple(nemeses.MOMENTS)),
    Part("zombies", nemeses.zombie, 5, 200),
    Part("held requests", nemeses.hold, 15, 300, tuple(nemeses.HELD)),
    Part("broker kills", nemeses.kill_broker, 5, 100),
    Part("cuts", nemeses.cut, 5, 100,
         ((proxy.REQUEST, proxy.ANSWER), (proxy.ANSWER,), (proxy.REQUEST,))),
    Part("clocks", nemeses.set_clock, 4, 40, nemeses.CLOCKS),
]
CONTROLS = {"guard": "held requests", "read-committed": "kills at named moments",
            "offsets": "kills at random", "commit": "kills at random"}
LONG_PIECE = 8000


def note(text):
    print(f"{time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)


def parse_arguments():
    parser = argparse.ArgumentParser(prog="tests/fault/run")
    parser.add_argument("--seed", type=int, help="the same harms again")
    parser.add_argument("--part", action="append", choices=[part.name for part in PARTS],
                        help="only this kind of harm; may be given more than once")
    parser.add_argument("--count", type=int, help="how many of each, instead of the usual number")
    parser.add_argument("--long", action="store_true", help="the numbers of the long run")
    parser.add_argument("--weakened", choices=CONTROLS, metavar="WHAT",
                        help="hubs that lack one thing: " + ", ".join(CONTROLS))
    parser.add_argument("--preload", help="another librdkafka, by its path")
    parser.add_argument("--report", metavar="FILE", help="write the figures there")
    parser.add_argument("--soak", type=float, metavar="MINUTES",
                        help="no harm: steady load, and what it does to memory")
    return parser.parse_args()


class Programme:
    def __init__(self, seed, folder, count=None, long=False, weakened=None, preload=None):
        self.seed = seed
        self.chance = random.Random(seed)
        self.count = count
        self.long = long
        self.world = World(folder, seed, weakened, preload)
        self.done = {}

    def run(self, parts):
        world = self.world
        world.start_hub()
        for part in parts:
            count = self.count or (part.long if self.long else part.usual)
            began = time.monotonic()
            for number in range(count):
                choice = part.choices[number % len(part.choices)]
                what = part.nemesis(world, self.chance, choice)
                note(f"{part.name} {number + 1} of {count}: {what}")
            world.wait_until_settled()
            self.done[part.name] = {"count": count, "seconds": round(time.monotonic() - began)}
        world.wait_until_settled()
        return self.judge()

    def judge(self):
        note("checking the records")
        read = functools.partial(read_topic, self.world.broker.bootstrap)
        findings, numbers = check(read, INSTITUTIONS, DOMAIN)
        findings.add("wrong", self.world.feed.written != numbers["inputs"], "inputs in Kafka")
        findings.add("wrong", self.world.differences(DOMAIN),
                     "differences from a single-threaded fold of the log")
        for text in self.world.unbalanced():
            findings.add("wrong", 1, text)
        return findings, numbers

    def librdkafka(self):
        found = re.findall(r"librdkafka ([\d.]+)", self.world.hubs["hub-1"].log_text())
        return sorted(set(found))


def revision():
    said = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty", "--abbrev=12"],
                          check=False, capture_output=True, text=True)
    return said.stdout.strip() or "unknown"


def write_report(path, programme, findings, numbers, seconds):
    report = {"date": datetime.date.today().isoformat(), "revision": revision(),
              "seed": programme.seed, "librdkafka": programme.librdkafka(), "kafka": "4.3.1",
              "machine": platform.platform(), "seconds": round(seconds),
              "harms": programme.done, **numbers, "findings": dict(findings.counts)}
    pathlib.Path(path).write_text(json.dumps(report, indent=2) + "\n")


def run_soak(minutes, seed):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="atmp-soak-"))
    note(f"seed {seed}: tests/fault/run --seed {seed} --soak {minutes:g}")
    soak = Soak(folder, seed)
    try:
        soak.run(minutes, note)
        lines, steady = soak.judge()
    except Failed as failure:
        note(f"FAILED: {failure}")
        return 2
    finally:
        soak.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print("\n".join(lines))
    print("steady" if steady else "NOT STEADY")
    return 0 if steady else 1


def main():
    arguments = parse_arguments()
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(1 << 32)
    if arguments.soak:
        return run_soak(arguments.soak, seed)
    parts = [part for part in PARTS if not arguments.part or part.name in arguments.part]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="atmp-fault-"))
    note(f"seed {seed}: tests/fault/run --seed {seed}")
    began = time.monotonic()
    programme = Programme(seed, folder, arguments.count, arguments.long, arguments.weakened,
                          arguments.preload)
    try:
        findings, numbers = programme.run(parts)
    except (Failed, AssertionError) as failure:
        note(f"FAILED: {failure}; its files are in {folder}")
        programme.world.stop()
        return 2
    seconds = time.monotonic() - began
    if arguments.report:
        write_report(arguments.report, programme, findings, numbers, seconds)
    librdkafka = programme.librdkafka()
    programme.world.stop()
    shutil.rmtree(folder, ignore_errors=True)
    print(f"{numbers['inputs']:,} records, {numbers['entries']:,} log entries, "
          f"{numbers['entities']:,} entities, librdkafka "
          f"{', '.join(librdkafka)}, {seconds:.0f} s")
    for name, done in programme.done.items():
        print(f"  {done['count']:5} {name}")
    print(f"the records are: {findings}")
    return 0 if findings.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
