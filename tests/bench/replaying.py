"""tests/bench/run --replay: how fast an archive is replayed, beside the same segments read and decoded with
nothing else done."""

import json
import os
import resource
import statistics
import time

from load import BIN, PROGRAMS, ROOT, call, expect
from report import write_replay

EVENTS, TRIALS, ROUNDS = 200_000, 20_000, 7


def timed(command, **environment):
    """(what it printed, seconds, seconds of CPU)"""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    said = call(command, **environment)
    took = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return said, took, sum(getattr(after, name) - getattr(before, name)
                           for name in ("ru_utime", "ru_stime"))


def read(archive):
    said, took, cpu = timed([PROGRAMS / "segments", "read", archive])
    expect("records read", json.loads(said)["records"], EVENTS)
    return took, cpu


def replay(archive, folder):
    """To a file, from the start of the program to its certificate."""
    file, told = folder / "replayed", folder / "told"
    _, took, cpu = timed([BIN / "hubctl", "replay", "--archive", archive, "--to-file", file,
                          "--certificate", told])
    expect("records replayed", json.loads(told.read_text())["count"], EVENTS)
    size = file.stat().st_size
    file.unlink()
    told.unlink()
    return took, cpu, size


def run_replay(folder, seed, note, results):
    archive = folder / "archive"
    note(f"an archive of {EVENTS:,} statements about {TRIALS:,} trials")
    call([PROGRAMS / "segments", "write", archive, EVENTS, TRIALS, seed],
         HUB_SCHEMAS=str(ROOT / "schemas"))
    os.sync()
    rounds = []
    for number in range(ROUNDS + 1):
        (read_s, read_cpu), (replay_s, replay_cpu, size) = read(archive), replay(archive, folder)
        note(f"{f'round {number}' if number else 'warm-up'}: {EVENTS / read_s:,.0f} records/s read and "
             f"decoded, {EVENTS / replay_s:,.0f} replayed")
        if number > 0:
            rounds.append({"read_s": read_s, "read_cpu": read_cpu, "replay_s": replay_s,
                           "replay_cpu": replay_cpu, "rate": read_s / replay_s,
                           "cpu": replay_cpu / read_cpu, "size": size})
    middle = {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
    found = {"replay_rate_vs_read": middle["rate"], "replay_cpu_vs_read": middle["cpu"]}
    print(write_replay(results, EVENTS, ROUNDS, middle, found), end="")
    return found
