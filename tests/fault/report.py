"""The report that people read, the figures it is made of (a file beside it), and what the README says
of them. A run replaces its own part: the one of the same kind with the same librdkafka."""

import json
import os
import pathlib
import time

from results import processor, revision, table

ROOT = pathlib.Path(__file__).resolve().parents[2]
RESULTS = ROOT / "tests" / "fault" / "RESULTS.md"
WORDS = ("lost", "duplicate", "torn", "out of order", "wrong")


def made(seed, seconds):
    return {"date": time.strftime("%Y-%m-%d"), "revision": revision(), "seed": seed,
            "seconds": round(seconds), "machine": f"{processor()}, {os.cpu_count()} cores",
            "kafka": "4.3.1"}


def read(path):
    path = path.with_suffix(".json")
    return json.loads(path.read_text()) if path.exists() else {"runs": {}, "statistics": {}}


def write(path, kept):
    path.with_suffix(".json").write_text(json.dumps(kept, indent=1) + "\n")
    path.write_text(render(kept))


def add_run(path, result, seconds, seed, arguments):
    kept = read(path)
    kind = "long" if arguments.long else "usual"
    if arguments.percent != 100:
        kind += f", {arguments.percent} % of it"
    librdkafka = ", ".join(sorted(result.librdkafka))
    kept["runs"][f"{kind}, librdkafka {librdkafka}"] = {
        **made(seed, seconds), "kind": kind, "librdkafka": librdkafka, "worlds": arguments.worlds,
        "harms": dict(result.harms), "numbers": dict(result.numbers),
        "harm seconds": {name: round(value) for name, value in result.seconds.items()},
        "findings": {word: result.findings.counts[word] for word in WORDS}}
    write(path, kept)


def add_statistic(path, statistic, seconds, seed):
    kept = read(path)
    kept["statistics"][statistic["librdkafka"]] = {**made(seed, seconds), **statistic}
    write(path, kept)


def duration(seconds):
    return f"{seconds // 60} min {seconds % 60} s"


def columns(runs):
    """A table with a column for each run."""
    harms = list(dict.fromkeys(name for run in runs for name in run["harms"]))
    rows = [[""] + [f"{run['kind']}, librdkafka {run['librdkafka']}" for run in runs]]
    for name in ("inputs", "entries", "dead letters", "entities", "ended by their watchdog"):
        rows.append([name] + [f"{run['numbers'].get(name, 0):,}" for run in runs])
    for name in harms:
        rows.append([name] + [f"{run['harms'].get(name, 0):,}" for run in runs])
    for word in WORDS:
        rows.append([f"**{word}**"] + [f"**{run['findings'][word]}**" for run in runs])
    for name in ("worlds", "seed", "date", "revision"):
        rows.append([name] + [str(run[name]) for run in runs])
    rows.append(["duration"] + [duration(run["seconds"]) for run in runs])
    return table(rows)


def guard(statistics):
    rows = [["librdkafka", "tries", "red, guard off", "red, guard on", "seed", "duration"]]
    for each in statistics:
        rows.append([each["librdkafka"], str(each["tries"]), str(each["red without"]),
                     str(each["red with"]), str(each["seed"]), duration(each["seconds"])])
    return table(rows)


def render(kept):
    runs, statistics = list(kept["runs"].values()), list(kept["statistics"].values())
    last = (runs + statistics)[-1]
    return f"""# What harm comes to

Written by `tests/fault/run --report`. Each run starts brokers, a proxy that knows Kafka's frames, and
the hub's release build, does the harms of the table while statements come in, and then looks at the
records alone: each input has the one outcome that the inputs before it demand, in their order, with
the log entry that belongs to it; each poisoned one has a dead letter with its bytes; revisions have no
gap; the whole equals a single-threaded fold of the log; the hub's own counts add up.

{columns(runs) if runs else ""}
`tests/fault/run --seed N --worlds N` does the same harms again (`--preload` names another librdkafka);
when they strike is also the machine's choice. No finding among n harms means, with 95 % confidence,
fewer than 3 in n.

A request to end a transaction, held back until its sender has given it up and delivered into its next
transaction (KAFKA-17754), `tests/fault/run --statistic`:

{guard(statistics) if statistics else ""}
Machine: {last["machine"]}. Kafka {last["kafka"]}, one node for each world, plain text on the
loopback.
"""


def readme_text(kept):
    """What the README says of it."""
    runs = list(kept["runs"].values())
    done = {name: sum(run["harms"].get(name, 0) for run in runs)
            for run in runs for name in run["harms"]}
    inputs = sum(run["numbers"]["inputs"] for run in runs)
    found = {word: sum(run["findings"][word] for run in runs) for word in WORDS}
    harms = ", ".join(f"{count:,} {name}" for name, count in done.items())
    findings = ", ".join(f"{count} {word}" for word, count in found.items())
    versions = " and ".join(sorted({run["librdkafka"] for run in runs}, reverse=True))
    tries = list(kept["statistics"].values())
    held = "".join(
        f" A held `EndTxn` did harm in {sum(each['red without'] for each in tries)} of "
        f"{sum(each['tries'] for each in tries)} tries with the guard off, and in "
        f"{sum(each['red with'] for each in tries)} with it on." for _ in tries[:1])
    return (f"With librdkafka {versions}, on {inputs:,} records: {harms}. Found: {findings}.{held}\n")
