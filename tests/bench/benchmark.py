"""tests/bench/run, once everything is built: rounds, checks, and the table."""

import argparse
import json
import pathlib
import shutil
import signal
import statistics
import sys
import tempfile
import time

import archiving
import connecting
import growth
from load import PROGRAMS, ROOT, Load, call
from profiling import run_profile
from quiet import Quiet
from replaying import run_replay
from sections import write_results
from restart import run_restart
from sharding import run_shards
from stack.kafka import Broker
from stack.process import Failed
from subjects import Hub, Limit, Streams

RESULTS = pathlib.Path(__file__).resolve().parent / "RESULTS.md"
SEED = 20261125
ENTITIES_MIN, ENTITIES_MAX = 1_000, 11_000_000  # tests/bench/statements.h
# A broker that also keeps what the tests of speed make: more memory, and no flush in between.
BROKER_HEAP = "1g"
USUAL = {"events": 1_000_000, "trials": 100_000, "rounds": 5, "repeats": 500_000, "latency_s": 15,
         "mapping": connecting.USUAL, "archive": archiving.USUAL, "growth": growth.IN_MAIN_RUN}
QUICK = {"events": 100_000, "trials": 10_000, "rounds": 1, "repeats": 50_000, "latency_s": 3,
         "mapping": connecting.QUICK, "archive": archiving.QUICK, "growth": growth.QUICK}


def note(text):
    print(f"{time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)


def read_entities(text):
    """N,N,N"""
    found = [int(each) for each in text.split(",")]
    if min(found) < ENTITIES_MIN or max(found) > ENTITIES_MAX:
        raise argparse.ArgumentTypeError(f"from {ENTITIES_MIN:,} to {ENTITIES_MAX:,}")
    return found


def parse_arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run")
    parser.add_argument("--restart", action="store_true",
                        help="measure restarts after kill -9 instead")
    parser.add_argument("--connector", action="store_true",
                        help="measure mapping, and a connector at rest, instead")
    parser.add_argument("--archive", action="store_true",
                        help="measure what archiving and verifying cost instead")
    parser.add_argument("--replay", action="store_true",
                        help="measure the replay of an archive instead")
    parser.add_argument("--profile", action="store_true",
                        help="show where the time of an event goes instead")
    parser.add_argument("--shards", action="store_true",
                        help="measure one to four hubs on a domain with several shards instead")
    parser.add_argument("--growth", action="store_true",
                        help="measure the hub among few entities and among many instead")
    parser.add_argument("--entities", type=read_entities, default=[], metavar="N[,N...]",
                        help="of the restarted hub, or those that growth is measured with")
    parser.add_argument("--rounds", type=int, default=3, help="of restarts, or of shards")
    parser.add_argument("--hub-option", action="append", default=[], metavar="OPTION",
                        help="of atmp-hub, as in --hub-option=--batch-count-max=1000; may be given again")
    parser.add_argument("--threads", type=int, default=2, help="of Kafka Streams")
    parser.add_argument("--quick", action="store_true", help="fewer events and rounds")
    parser.add_argument("--json", metavar="FILE", help="write the ratios there")
    arguments = parser.parse_args()
    if arguments.restart:
        arguments.entities = arguments.entities or [1_000_000]
        if len(arguments.entities) != 1:
            parser.error("--restart is of one number of entities")
    return arguments


def describe(measured):
    return (f"{measured['rate']:,.0f} events/s, {measured['cpu']:.2f} CPU s per million, "
            f"{measured['memory'] / 1e6:,.0f} MB")


def run_rounds(subjects, load, rounds):
    """The subjects in turn, a warm-up first; {name: [measured]}."""
    measured = {subject.name: [] for subject in subjects}
    for number in range(rounds + 1):
        for subject in subjects:
            found = subject.run(load, number)
            note(f"{f'round {number}' if number else 'warm-up'}: {subject.name}: "
                 f"{describe(found)}")
            if number > 0:
                measured[subject.name].append(found)
    return measured


def medians(rounds):
    return {key: statistics.median(each[key] for each in rounds) for key in rounds[0]}


def of_rounds(measured):
    return {name: medians(rounds) for name, rounds in measured.items()}


def merging():
    """How much faster three statements are merged by slices than, by the same rules, by avro-c's values."""
    note("merging alone")
    found = json.loads(call([PROGRAMS / "merging"], HUB_SCHEMAS=str(ROOT / "schemas")))
    return found["values_us"] / found["slices_us"]


def ratios(middle):
    """Of the hub to each of the others, of their medians."""
    found = {f"{what}_vs_{name}": middle["hub"][what] / middle[name][what]
             for name in ("limit", "streams") for what in ("cpu", "rate", "memory", "private")}
    found["p99_vs_limit"] = middle["hub"]["p99_ms"] / middle["limit"]["p99_ms"]
    found["noop_vs_copy"] = middle["hub"]["repeats"] / middle["limit"]["repeats"]
    return found


def run_quiet(quiet, scale, rate):
    """{name: [{p50_ms, p99_ms, repeats}]}; rate: statements a second."""
    events = max(int(rate * scale["latency_s"]), 1)
    measured = {"limit": [], "hub": [], "streams": []}
    for number in range(scale["rounds"]):
        for name, latency, repeats in (("limit", quiet.latency_of_limit, quiet.repeats_of_limit),
                                       ("hub", quiet.latency_of_hub, quiet.repeats_of_hub),
                                       ("streams", quiet.latency_of_peer, None)):
            found = latency(events, rate, number)
            found["repeats"] = repeats(scale["repeats"], number) if repeats else float("nan")
            note(f"round {number + 1}: {name}: p50 {found['p50_ms']:.1f} ms, p99 {found['p99_ms']:.1f} ms; "
                 f"repeats {found['repeats']:.2f} CPU s per million")
            measured[name].append(found)
    return measured


class Measurement:
    """One broker, one load, and the subjects on it."""

    def __init__(self, scale, folder, threads, options):
        """options: of the hub"""
        self.scale = scale
        self.folder = folder
        self.broker = Broker(folder / "kafka", heap=BROKER_HEAP, long_lived=True)
        self.hub = Hub(self.broker, folder, options)
        self.peer = Streams(self.broker, folder, threads)
        self.subjects = [Limit(self.broker, folder), self.hub, self.peer]
        self.load = None
        self.rate = None  # statements a second, for latency
        self.mapping = self.archive = None  # medians, of a connector and of an archive
        self.grown = None  # by number of entities

    def run(self):
        """{name: what was measured, medians}"""
        try:
            note("starting Kafka")
            self.broker.start()
            note(f"writing {self.scale['events']:,} statements about {self.scale['trials']:,} "
                 "trials")
            self.load = Load(self.broker, self.scale["events"], self.scale["trials"], SEED)
            middle = of_rounds(run_rounds(self.subjects, self.load, self.scale["rounds"]))
            self.rate = middle["hub"]["rate"] / 10
            quiet = Quiet(*self.subjects, self.load, SEED, self.scale["trials"])
            for name, found in of_rounds(run_quiet(quiet, self.scale, self.rate)).items():
                middle[name].update(found)
            return middle
        finally:
            self.broker.stop()

    def run_beside(self):
        """What does without that broker, and has the machine alone."""
        self.mapping = connecting.map_documents(self.scale["mapping"], note)
        self.archive = archiving.archive_records(self.scale["archive"], note)
        self.grown = growth.measure_growth(self.scale["growth"], self.hub.options, self.folder, SEED, BROKER_HEAP,
                                           note)
        return {**connecting.ratios(self.mapping), **archiving.ratios(self.archive), **growth.ratios(self.grown)}


def write_json(arguments, found):
    if arguments.json:
        pathlib.Path(arguments.json).write_text(
            json.dumps({key: round(value, 4) for key, value in found.items()}, indent=2) + "\n")


def run(arguments, folder):
    if arguments.restart:
        write_json(arguments, run_restart(arguments, folder, SEED, BROKER_HEAP, note, RESULTS))
        return 0
    if arguments.connector:
        write_json(arguments, connecting.run_connector(folder, BROKER_HEAP, note, RESULTS))
        return 0
    if arguments.archive:
        write_json(arguments, archiving.run_archive(note, RESULTS))
        return 0
    if arguments.replay:
        write_json(arguments, run_replay(folder, SEED, note, RESULTS))
        return 0
    if arguments.profile:
        write_json(arguments, run_profile(folder, SEED, BROKER_HEAP, note, RESULTS))
        return 0
    if arguments.shards:
        write_json(arguments, run_shards(arguments, folder, SEED, BROKER_HEAP, note, RESULTS))
        return 0
    if arguments.growth:
        write_json(arguments, growth.run_growth(arguments, folder, SEED, BROKER_HEAP, note, RESULTS))
        return 0
    measurement = Measurement(QUICK if arguments.quick else USUAL, folder, arguments.threads, arguments.hub_option)
    middle = measurement.run()
    found = {**ratios(middle), **measurement.run_beside()}
    found["slices_vs_values"] = merging()
    print(write_results(RESULTS, measurement, middle, found, arguments), end="")
    write_json(arguments, found)
    return 0


def interrupt(*_):
    raise KeyboardInterrupt


def main():
    arguments = parse_arguments()
    signal.signal(signal.SIGTERM, interrupt)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="atmp-bench-"))
    try:
        return run(arguments, folder)
    except Failed as failure:
        note(f"FAILED: {failure}")
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
