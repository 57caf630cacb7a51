"""tests/bench/run --replay: how fast an archive is replayed, beside the same segments read and decoded with
nothing else done."""

import json
import os
import pathlib
import resource
import statistics
import tempfile
import time

from load import BIN, MEMORY, PROGRAMS, ROOT, call, expect
from sections import write_replay

EVENTS, TRIALS, ROUNDS = 200_000, 20_000, 9


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
    """To a file there, from the start of the program to its certificate."""
    file, told = folder / "replayed", folder / "told"
    _, took, cpu = timed([BIN / "hubctl", "replay", "--archive", archive, "--to-file", file,
                          "--certificate", told])
    expect("records replayed", json.loads(told.read_text())["count"], EVENTS)
    size = file.stat().st_size
    file.unlink()
    told.unlink()
    return took, cpu, size


def run_round(archive, memory, folder):
    read_s, read_cpu = read(archive)
    replay_s, replay_cpu, size = replay(archive, memory)
    disk_s, disk_cpu, _ = replay(archive, folder)
    return {"read_s": read_s, "read_cpu": read_cpu, "replay_s": replay_s, "replay_cpu": replay_cpu,
            "disk_s": disk_s, "disk_cpu": disk_cpu, "size": size, "rate": read_cpu / replay_cpu,
            "wall": read_s / replay_s, "disk_wall": read_s / disk_s}


def run_replay(folder, seed, note, results):
    archive = folder / "archive"
    note(f"an archive of {EVENTS:,} statements about {TRIALS:,} trials")
    call([PROGRAMS / "segments", "write", archive, EVENTS, TRIALS, seed],
         HUB_SCHEMAS=str(ROOT / "schemas"))
    os.sync()
    rounds = []
    with tempfile.TemporaryDirectory(dir=MEMORY, prefix="atmp-bench-") as memory:
        for number in range(ROUNDS + 1):
            found = run_round(archive, pathlib.Path(memory), folder)
            note(f"{f'round {number}' if number else 'warm-up'}: {EVENTS / found['read_s']:,.0f} records/s "
                 f"read and decoded, {EVENTS / found['replay_s']:,.0f} replayed, "
                 f"{EVENTS / found['disk_s']:,.0f} to the disk")
            if number > 0:
                rounds.append(found)
    middle = {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
    found = {"replay_rate_vs_read": middle["rate"], "replay_wall_vs_read": middle["wall"],
             "replay_to_disk_wall_vs_read": middle["disk_wall"]}
    print(write_replay(results, EVENTS, ROUNDS, middle, found), end="")
    return found
