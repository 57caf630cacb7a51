"""tests/bench/run --shards: the same load of a domain with several shards, taken by one to four hubs of a group.
The load is in the topics, but not committed, until every hub holds its partitions: then all of it is there."""

import collections
import os
import re
import statistics

from load import INSTITUTIONS, Topics, expect
from sections import write_shards
from slots import DOMAIN, SHARDS, Slots, Withheld
from stack.kafka import Broker
from stack.process import Failed, wait_until
from subjects import TIMEOUT_S, Hub, counts_of, is_taken, rate, read_metrics

HUBS = (1, 2, 3, 4)
USUAL = {"events": 200_000, "slots": 20_000}
QUICK = {"events": 40_000, "slots": 4_000}
INGEST_PARTITIONS = 2 * len(INSTITUTIONS)
TASKS = ("admit", "fold", "refer")
INGEST = [f"ingest.{name}.{DOMAIN}" for name in INSTITUTIONS]
ADMITTED = [f"admitted.{name}.{DOMAIN}" for name in INSTITUTIONS]
TOPICS = [*(f"{kind}.{DOMAIN}" for kind in ("log", "unified", "conflict", "match")), *ADMITTED,
          "deadletter.hub"]


def held(metrics):
    """(ingest partitions, shards) of the domain that a hub holds."""
    patterns = (rf'^atmp_admit_records_total\{{[^}}]*domain="{DOMAIN}"[^}}]*outcome="new"',
                rf'^atmp_entities\{{domain="{DOMAIN}"')
    return tuple(len(re.findall(pattern, metrics, re.M)) for pattern in patterns)


def is_spread(metrics):
    """Every partition of the domain has its hub, and every hub has some partitions of each task."""
    partitions = [dict(re.findall(r'^atmp_partitions\{task="(\w+)"\} (\d+)$', text, re.M)) for text in metrics]
    return (all(int(each.get(task, 0)) > 0 for each in partitions for task in TASKS)
            and tuple(map(sum, zip(*map(held, metrics)))) == (INGEST_PARTITIONS, SHARDS))


def summed(metrics):
    """The counts of all hubs."""
    found = collections.Counter()
    for text in metrics:
        found.update(counts_of(text, DOMAIN))
    return found


def check(load, counts, found):
    """found: {topic: {records}}"""
    Hub.check_counts(load, counts)
    entries = load.expected["created"] + load.expected["changed"]
    expect("entries of the log, one of each shard naming its rules", found[f"log.{DOMAIN}"]["records"],
           entries + SHARDS)
    expect("unified records", found[f"unified.{DOMAIN}"]["records"] >= entries, True)
    expect("admitted records", sum(found[topic]["records"] for topic in ADMITTED), load.events)
    expect("dead letters", found["deadletter.hub"]["records"], 0)


class Group:
    """Hubs of one group, each with a state of its own."""

    def __init__(self, hub, name, count):
        self.hub = hub
        self.runs, self.listens = zip(*(hub.start(name, number) for number in range(1, count + 1)))

    def look(self):
        """What each of them tells."""
        for run in self.runs:
            if not run.look():
                raise Failed(f"a hub ended\n{run.process.tail()}")
        return [read_metrics(listen) for listen in self.listens]

    def wait_until_spread(self):
        """What each then holds."""
        wait_until(lambda: is_spread(self.look()), f"partitions spread over {len(self.runs)} hubs", TIMEOUT_S)
        return [held(text) for text in self.look()]

    def wait_until_taken(self, load):
        entries = load.expected["created"] + load.expected["changed"]

        def look():
            metrics = self.look()
            return metrics if is_taken(summed(metrics), load.events, entries) else None

        return wait_until(look, f"{len(self.runs)} hubs taking the load", TIMEOUT_S, interval_s=0.1)

    def cpu_s(self):
        return sum(run.cpu_so_far() for run in self.runs)

    def memory(self):
        return max(run.memory for run in self.runs)

    def stop(self):
        for run in self.runs:
            run.process.child.terminate()  # all at once: nobody takes over what another has left
        for run in self.runs:
            self.hub.stop(run)


def run_hubs(hub, topics, load, count, name):
    """The load, once, through so many hubs."""
    topics.drop(*INGEST, *TOPICS)
    topics.create_all()
    group = Group(hub, name, count)
    try:
        withheld = Withheld(hub.broker.bootstrap, load.records)
        before, cpu_s = group.wait_until_spread(), group.cpu_s()
        withheld.release()
        metrics = group.wait_until_taken(load)
        cpu_s = group.cpu_s() - cpu_s
    finally:
        group.stop()
    after = [held(text) for text in metrics]
    expect("partitions that each hub held at the end", after, before)
    found = topics.read(*TOPICS)
    check(load, summed(metrics), found)
    times = [each for each in found.values() if each["records"] > 0]
    return {"rate": rate(load, min(found[topic]["first_ms"] for topic in ADMITTED if found[topic]["records"] > 0),
                         max(each["last_ms"] for each in times)),
            "cpu": cpu_s * 1e6 / load.events, "memory": group.memory(), "held": after}


def medians(rounds):
    return {**{key: statistics.median(each[key] for each in rounds) for key in ("rate", "cpu", "memory")},
            "held": rounds[-1]["held"]}


def ratios(middle):
    return {**{f"rate_{count}_vs_1": middle[count]["rate"] / middle[1]["rate"] for count in HUBS[1:]},
            "cpu_4_vs_1": middle[4]["cpu"] / middle[1]["cpu"]}


def run_rounds(hub, load, rounds, note):
    """{how many hubs: [measured]}, a warm-up round first."""
    topics = Topics(hub.broker)
    measured = {count: [] for count in HUBS}
    for number in range(rounds + 1):
        for count in HUBS:
            found = run_hubs(hub, topics, load, count, f"bench-shards-{number}-{count}")
            note(f"{f'round {number}' if number else 'warm-up'}: {count} hubs: {found['rate']:,.0f} events/s, "
                 f"{found['cpu']:.2f} CPU s per million, {found['memory'] / 1e6:,.0f} MB, {found['held']}")
            if number > 0:
                measured[count].append(found)
    return measured


def run_shards(arguments, folder, seed, heap, note, results):
    scale = QUICK if arguments.quick else USUAL
    note(f"{scale['events']:,} statements about {scale['slots']:,} slots")
    load = Slots(scale["events"], scale["slots"], seed)
    broker = Broker(folder / "kafka", heap=heap, long_lived=True)
    try:
        note("starting Kafka")
        broker.start()
        busy = os.getloadavg()[0]
        measured = run_rounds(Hub(broker, folder, arguments.hub_option), load, arguments.rounds, note)
    finally:
        broker.stop()
    middle = {count: medians(rounds) for count, rounds in measured.items()}
    found = ratios(middle)
    print(write_shards(results, arguments, load, busy, middle, found), end="")
    return found
