"""tests/fault/run, once everything is built: harms to running hubs, in worlds side by side, and then
what the checker says of each world's records."""

import argparse
import collections
import concurrent.futures
import dataclasses
import functools
import itertools
import os
import pathlib
import random
import shutil
import sys
import tempfile
import time

import nemeses
import report
import starving
from checker import Findings, check, read_topic
from soak import Soak
from stack.process import Failed
from world import DOMAIN, INSTITUTIONS, PIECE, World


@dataclasses.dataclass
class Part:
    """One kind of harm: how often in the usual run and in the long one, and each time to what.
    together: all in one world, as they change it."""

    name: str
    nemesis: callable
    usual: int
    long: int
    choices: tuple = (None,)
    together: bool = False


PARTS = [
    Part("kills at random", nemeses.kill_at_random, 28, 760),
    Part("kills at named moments", nemeses.kill_at_a_moment, 12, 240, tuple(nemeses.MOMENTS)),
    Part("kills at a checkpoint", nemeses.kill_at_a_checkpoint, 2, 40),
    Part("zombies", nemeses.zombie, 5, 200, tuple(nemeses.ZOMBIES)),
    Part("hubs replaced by one of their name", nemeses.replace, 3, 60),
    Part("held requests", nemeses.hold, 15, 300, tuple(nemeses.HELD)),
    Part("broker kills", nemeses.kill_broker, 5, 100, nemeses.TRANSACTIONAL),
    Part("cuts", nemeses.cut, 5, 100, tuple(nemeses.CUTS)),
    Part("clocks", nemeses.set_clock, 4, 40, tuple(nemeses.CLOCKS)),
    Part("poison, repeats and shuffles", nemeses.feed_badly, 6, 120, tuple(nemeses.FEEDS)),
    Part("group churn", nemeses.churn, 2, 40),
    Part("turns taken", nemeses.take_turns, 2, 40),
    Part("compactions", nemeses.compact, 2, 40, together=True),
    Part("want of memory", starving.starve, 10, 200),
]
PART = {part.name: part for part in PARTS}
# What hubs can lack: the harm that finds it, how often it is done, the word for what is found.
CONTROLS = {"guard": ("held requests", 3, "duplicate"),
            "read-committed": ("kills at named moments", 3, "wrong"),
            "offsets": ("kills at random", 3, "lost"),
            "commit": ("kills at random", 3, "lost"),
            "cache": ("kills at a checkpoint", 3, "wrong")}
LONG_PIECE = 3000
LONG_LIVED = 100  # harms
WORLDS = 4
LONG_WORLDS = 32  # the more, the shorter each one's log, and the sooner a hub has loaded it
AT_ONCE = 6


def note(text):
    print(f"{time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)


@dataclasses.dataclass
class Share:
    """What one world is to suffer: (name of the part, number, to what), in that order."""

    seed: int
    number: int
    harms: list
    folder: pathlib.Path
    weakened: str = None
    preload: str = None
    piece: int = PIECE


@dataclasses.dataclass
class Result:
    """What came of one world, or of all of them."""

    findings: Findings = dataclasses.field(default_factory=Findings)
    numbers: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    harms: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    seconds: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    librdkafka: set = dataclasses.field(default_factory=set)
    failures: list = dataclasses.field(default_factory=list)

    def take(self, other):
        self.findings.take(other.findings)
        self.librdkafka |= other.librdkafka
        self.failures += other.failures
        for name in ("numbers", "harms", "seconds"):
            getattr(self, name).update(getattr(other, name))


def judge(world):
    """(findings, numbers) of a world in which everything has come to rest."""
    findings, numbers = check(functools.partial(read_topic, world.broker.bootstrap), INSTITUTIONS,
                              DOMAIN, compacted=world.compacted)
    findings.add("wrong", world.feed.written != numbers["inputs"], "inputs in Kafka")
    findings.add("wrong", world.feed.poison != numbers["dead letters"], "dead letters in all")
    findings.add("wrong", world.differences(DOMAIN),
                 "differences from a single-threaded fold of the log")
    for text in world.unbalanced():
        findings.add("wrong", 1, text)
    return findings, numbers


def harm(world, share, result):
    chance = random.Random(f"{share.seed}/{share.number}")
    world.start_hub()
    for name, number, choice in share.harms:
        began = time.monotonic()
        what = PART[name].nemesis(world, chance, choice)
        result.harms[name] += 1
        result.seconds[name] += time.monotonic() - began
        note(f"world {share.number}: {name} {number}: {what}")
    world.wait_until_settled()


def run_share(share):
    result = Result()
    began = time.monotonic()
    world = World(share.folder, share.seed ^ share.number, share.weakened, share.preload,
                  piece=share.piece, long_lived=len(share.harms) > LONG_LIVED)
    result.seconds["starts"] += time.monotonic() - began
    try:
        harm(world, share, result)
        began = time.monotonic()
        result.findings, numbers = judge(world)
        result.numbers.update(numbers)
        result.numbers["ended by their watchdog"] = world.ended_by_watchdog
        result.seconds["checks"] += time.monotonic() - began
        note(f"world {share.number}: {result.findings}")
    except (Failed, AssertionError) as failure:
        result.failures.append(f"world {share.number}: {failure}")
        note(f"FAILED: {result.failures[0]}")
    result.librdkafka = world.librdkafka()
    world.stop()
    if result.findings.is_clean and not result.failures:
        shutil.rmtree(share.folder, ignore_errors=True)
    return result


def deal(counts, seed, worlds):
    """The harms for each world, each kind of them dealt out evenly, in an order of its own."""
    dealt = [[] for _ in range(worlds)]
    places = itertools.cycle(range(worlds))
    for name, count in counts.items():
        part = PART[name]
        for number in range(count):
            place = 0 if part.together else next(places)
            dealt[place].append((name, number + 1, part.choices[number % len(part.choices)]))
    for place, harms in enumerate(dealt):
        random.Random(f"{seed}/{place}/order").shuffle(harms)
    return [harms for harms in dealt if harms]


def run_side_by_side(shares, workers):
    """Their results, as they come."""
    with concurrent.futures.ProcessPoolExecutor(workers) as pool:
        for done in concurrent.futures.as_completed(pool.submit(run_share, each) for each in shares):
            yield done.result()


def run(counts, seed, folder, worlds=1, **how):
    """counts: how many of which part. how: what else Share has."""
    total = Result()
    shares = [Share(seed, number, harms, pathlib.Path(folder) / f"world-{number}", **how)
              for number, harms in enumerate(deal(counts, seed, worlds))]
    for result in run_side_by_side(shares, min(len(shares), AT_ONCE)):
        total.take(result)
    return total


def run_statistic(tries, seed, folder, worlds, **how):
    """How many of the worlds in which one EndTxn was held are not clean: with the guard off and with
    it on. Each try has a world and a verdict of its own."""
    red = {}
    held = [(nemeses.proxy.END_TXN, task) for task in ("admit", "fold")]
    for weakened in ("guard", None):
        shares = [Share(seed, number, [("held requests", number + 1, held[number % 2])],
                        pathlib.Path(folder) / f"try-{weakened}-{number}", weakened=weakened, **how)
                  for number in range(tries)]
        results = list(run_side_by_side(shares, worlds))
        failures = [text for result in results for text in result.failures]
        if failures:
            raise Failed(failures[0])
        red[weakened] = sum(not result.findings.is_clean for result in results)
        how_many = f"{red[weakened]} of {tries} tries"
        print(f"guard {'off' if weakened else 'on'}: the checker was red in {how_many}", flush=True)
    return {"tries": tries, "red without": red["guard"], "red with": red[None],
            "librdkafka": ", ".join(sorted(set().union(*(each.librdkafka for each in results))))}


def parse_arguments():
    parser = argparse.ArgumentParser(prog="tests/fault/run")
    parser.add_argument("--seed", type=int, help="the same harms again")
    parser.add_argument("--part", action="append", choices=list(PART),
                        help="only this kind of harm; may be given more than once")
    parser.add_argument("--count", type=int, help="how many of each, instead of the usual number")
    parser.add_argument("--percent", type=int, default=100, help="a part of each number")
    parser.add_argument("--long", action="store_true", help="the numbers of the long run")
    parser.add_argument("--worlds", type=int,
                        help=f"how many: {WORLDS}, or {LONG_WORLDS} in the long run; {AT_ONCE} at once")
    parser.add_argument("--weakened", choices=CONTROLS, metavar="WHAT",
                        help="hubs that lack one thing: " + ", ".join(CONTROLS))
    parser.add_argument("--statistic", type=int, metavar="TRIES",
                        help="how often a held EndTxn does harm, with the guard off and with it on")
    parser.add_argument("--soak", type=int, metavar="MINUTES",
                        help="no harm: steady load, and what it does to memory")
    parser.add_argument("--preload", help="another librdkafka, by its path")
    parser.add_argument("--report", metavar="FILE", help="write the figures there")
    arguments = parser.parse_args()
    arguments.worlds = arguments.worlds or (LONG_WORLDS if arguments.long else WORLDS)
    return arguments


def counts_of(arguments):
    return {part.name: arguments.count or max(1, (part.long if arguments.long else part.usual)
                                              * arguments.percent // 100)
            for part in PARTS if not arguments.part or part.name in arguments.part}


def show(result, seconds):
    numbers = result.numbers
    print(f"{numbers['inputs']:,} records, {numbers['entries']:,} log entries, "
          f"{numbers['dead letters']:,} dead letters, {numbers['entities']:,} entities, librdkafka "
          f"{', '.join(sorted(result.librdkafka))}, {numbers['ended by their watchdog']} hubs ended by "
          f"their watchdog, {seconds:.0f} s")
    for name, count in result.harms.items():
        print(f"  {count:5} {name}, {result.seconds[name] / count:.1f} s each")
    print(f"  starts {result.seconds['starts']:.0f} s, checks {result.seconds['checks']:.0f} s")
    print(f"the records are: {result.findings}")


def run_programme(arguments, seed, folder):
    """Its exit code."""
    began = time.monotonic()
    result = run(counts_of(arguments), seed, folder, arguments.worlds, weakened=arguments.weakened,
                 preload=arguments.preload, piece=LONG_PIECE if arguments.long else PIECE)
    seconds = time.monotonic() - began
    show(result, seconds)
    if result.failures:
        return 2
    if arguments.report:
        report.add_run(pathlib.Path(arguments.report), result, seconds, seed, arguments)
    return 0 if result.findings.is_clean else 1


def run_tries(arguments, seed, folder):
    """Its exit code."""
    began = time.monotonic()
    statistic = run_statistic(arguments.statistic, seed, folder, arguments.worlds,
                              preload=arguments.preload)
    if arguments.report:
        report.add_statistic(pathlib.Path(arguments.report), statistic,
                             time.monotonic() - began, seed)
    kept = statistic["red with"] == 0 and statistic["red without"] * 100 >= 95 * statistic["tries"]
    return 0 if kept else 1


def run_soak(minutes, seed):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="atmp-soak-"))
    note(f"seed {seed}: tests/fault/run --seed {seed} --soak {minutes}")
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
    folder = pathlib.Path(tempfile.mkdtemp(prefix="atmp-fault-"))
    note(f"seed {seed}, {os.cpu_count()} processors: again with --seed {seed} "
         f"--worlds {arguments.worlds}")
    try:
        code = (run_tries if arguments.statistic else run_programme)(arguments, seed, folder)
    except Failed as failure:
        note(f"FAILED: {failure}")
        code = 2
    if code == 0:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        note(f"its files are in {folder}")
    return code


if __name__ == "__main__":
    sys.exit(main())
