"""tests/bench/run --profile: what an event costs, by part. perf looks at the whole hub and at the limit under
load, callgrind at admit and fold alone. What is not found where it is looked for ends the run."""

import collections
import re
import shutil

from load import PROGRAMS, ROOT, Load, call
from sections import write_profile
from stack.kafka import Broker
from stack.process import Failed, Process, wait_until
from subjects import Hub, Limit

EVENTS, TRIALS, ROUNDS = 400_000, 40_000, 3
SAMPLES_PER_S = 2000  # of each processor
ALONE = 10_000  # statements that callgrind sees, which makes a program fifty times slower
TOP = 20
# What perf must have seen of what the kernel counted as a process's CPU time.
SEEN_MIN, SEEN_MAX = 0.9, 1.1

# By name, the first that fits; `own` is the program's.
THREADS = {"main thread": "own", "librdkafka's broker threads": "rdk:broker.*", "other threads": ".*"}
LIBRARIES = {"its own code": "own", "libc": r"libc\.so.*", "librdkafka": r"librdkafka\.so.*",
             "jemalloc": r"libjemalloc\.so.*", "libcrypto": r"libcrypto\.so.*", "lmdb": r"liblmdb\.so.*",
             "kernel": r"\[kernel\..*\]", "others": ".*"}

# Of each function that is measured alone: (a part of it, in which other part or in the function itself, what
# the part is for). Parts of the same lie beside each other, so that what they leave is the rest.
PARTS = {
    "hub_admit_record": [
        ("hub_admit_check_key", "hub_admit_record", "the key"),
        ("hub_readers_open", "hub_admit_record", "reading the record"),
        ("hub_admit_check_statement", "hub_admit_record", "checking what it states"),
        ("hub_statement_digest", "hub_admit_record", "the digest of what it states"),
        ("hub_sources_find", "hub_admit_record", "finding what its source said before"),
        ("write_log", "hub_admit_record", "writing the log"),
        ("write_admitted", "hub_admit_record", "writing what was admitted"),
    ],
    "hub_fold_entry": [
        ("fold_wake", "hub_fold_entry", "waking what sleeps"),
        ("fold_statement_take", "hub_fold_entry", "taking the statement"),
        ("hub_readers_open", "fold_statement_take", "reading the record"),
        ("fold_identifier_claims_stand", "hub_fold_entry", "whether its identifiers stand"),
        ("fold_bucket_recluster", "hub_fold_entry", "clustering"),
        ("fold_publish_merge", "hub_fold_entry", "merging"),
        ("hub_merge", "fold_publish_merge", "by the rules of the fields"),
        ("fold_conflict_of_values", "hub_fold_entry", "conflicts of values"),
        ("fold_reference_find", "hub_fold_entry", "references"),
        ("fold_likeness_of_change", "hub_fold_entry", "who looks alike"),
        ("fold_near_find", "hub_fold_entry", "whose identifiers are near"),
        ("fold_overlap_find", "hub_fold_entry", "what overlaps"),
        ("fold_publish_unified", "hub_fold_entry", "publishing what is unified"),
        ("fold_hooks_append", "fold_publish_unified", "what it is found by"),
        ("fold_conflict_publish", "hub_fold_entry", "publishing conflicts"),
        ("fold_match_publish", "hub_fold_entry", "publishing matches"),
        ("fold_listing_publish", "hub_fold_entry", "publishing identifiers"),
    ],
}
HASHING = "sha256"  # in several of the parts


def check_tools():
    missing = [name for name in ("perf", "valgrind") if shutil.which(name) is None]
    if missing:
        raise Failed(f"not installed: {', '.join(missing)} (Debian: linux-perf, valgrind)")


def read_samples(text, pid):
    """{(thread, library): seconds} of a process, from perf's lines `thread pid nanoseconds address (library)`."""
    found = collections.Counter()
    for line in filter(str.strip, text.splitlines()):
        said = re.fullmatch(r"\s*(.*\S)\s+(-?\d+)\s+(\d+):?\s+[0-9a-f]+ \((.*)\)", line)
        if said is None:
            raise Failed(f"perf says what is not understood: {line}")
        if int(said[2]) == pid:
            found[said[1], said[4].rpartition("/")[2]] += int(said[3]) / 1e9
    if not found:
        raise Failed(f"perf has seen nothing of process {pid}")
    return found


def add_up(samples, program, place, kinds, needed=()):
    """{kind: seconds}, by the samples' name at that place: 0 the thread's, 1 the library's."""
    seconds = dict.fromkeys(kinds, 0.0)
    for names, value in samples.items():
        seconds[next(kind for kind, pattern in kinds.items()
                     if re.fullmatch(re.escape(program) if pattern == "own" else pattern,
                                     names[place]))] += value
    for kind in needed:
        if seconds[kind] == 0:
            raise Failed(f"perf has seen nothing of {program} in: {kind}")
    return seconds


def watch(subject, load, number, folder):
    """(samples, CPU seconds by the kernel's count) of one run of a subject. perf looks at all processors, because
    at a process alone it does not see the threads that this starts; and its samples are chosen here, because
    perf's own --pid loses those of some threads."""
    data = folder / f"perf-{subject.name}-{number}"
    perf = Process("perf", ["perf", "record", "--all-cpus", "--event", "cpu-clock", "--freq", SAMPLES_PER_S,
                            "--output", data], folder / "perf.log").start()
    try:
        wait_until(lambda: not perf.is_running() or (data.exists() and data.stat().st_size > 0), "perf")
        found = subject.run(load, number)
        if not perf.is_running():
            raise Failed(f"perf ended\n{perf.tail()}")
    finally:
        perf.stop()
    said = call(["perf", "script", "--input", data, "--fields", "comm,pid,period,ip,dso"])
    return read_samples(said, found["pid"]), found["cpu"] * load.events / 1e6


def check_seen(name, seen_s, counted_s):
    """The part that was seen."""
    if not SEEN_MIN <= seen_s / counted_s <= SEEN_MAX:
        raise Failed(f"{name}: perf has seen {seen_s:.2f} s of CPU, and the kernel counted {counted_s:.2f} s")
    return seen_s / counted_s


def sample(folder, seed, heap, note):
    """({name of a subject: {kind: CPU microseconds an event}}, {name: the part that perf has seen})"""
    broker = Broker(folder / "kafka", heap=heap, long_lived=True)
    totals = {"limit": collections.Counter(), "hub": collections.Counter()}
    counted = collections.Counter()
    try:
        broker.start()
        load = Load(broker, EVENTS, TRIALS, seed)
        subjects = [Limit(broker, folder), Hub(broker, folder)]
        for number in range(ROUNDS + 1):
            for subject in subjects:
                note(f"{f'round {number}' if number else 'warm-up'}: {subject.name}, with perf beside")
                samples, seconds = watch(subject, load, number, folder)
                if number > 0:
                    totals[subject.name].update(samples)
                    counted[subject.name] += seconds
    finally:
        broker.stop()
    seen = {name: check_seen(name, sum(samples.values()), counted[name]) for name, samples in totals.items()}
    return {name: by_kind(name, samples) for name, samples in totals.items()}, seen


def by_kind(name, samples):
    """CPU microseconds an event; the hub has something in each kind that has a name."""
    program = {"limit": "copy", "hub": "atmp-hub"}[name]
    threads, libraries = (
        add_up(samples, program, place, kinds, list(kinds)[:-1] if name == "hub" else [])
        for place, kinds in enumerate((THREADS, LIBRARIES)))
    return {kind: value * 1e6 / (EVENTS * ROUNDS) for kind, value in {**threads, **libraries}.items()}


def place_of(file, library):
    """Where a function is: a file of ours, or a library."""
    ours = f"{ROOT}/"
    return file.removeprefix(ours) if file.startswith(ours) else library.rpartition("/")[2]


def read_callgrind(text):
    """({function: instructions, with all that it calls}, {(function, where): its own}) of callgrind's file,
    whose names and lines are not compressed. The compiler's copies of a function are one."""
    whole, own = collections.Counter(), collections.Counter()
    at, called = {}, None
    for line in text.splitlines():
        name, _, value = line.partition("=")
        if name in ("ob", "fl", "fn"):
            at[name] = value
        elif name == "cfn":
            called = value
        elif costs := re.fullmatch(r"\d+(?: (\d+))?", line):
            cost = int(costs[1] or 0)
            if called is None:
                plain = re.sub(r"(\.(isra|constprop|part|cold)(\.\d+)?|'\d+)+$", "", at["fn"])
                plain = "(no name)" if plain.startswith("0x") else plain
                own[plain, place_of(at["fl"], at["ob"])] += cost
            else:  # a call by itself is of f'2, and to what the compiler split off of f.part.0
                whole[re.sub(r"(\.(isra|constprop)\.\d+)+$", "", called)] += cost
            called = None
    return whole, own


def parts_of(function, whole):
    """[(depth, what for, name, instructions)] of a function and its parts, what they leave, and hashing."""
    names = [function, *(part for part, _, _ in PARTS[function]), HASHING]
    lost = [name for name in names if whole[name] == 0]
    if lost:
        raise Failed(f"callgrind has not seen in {function}: {', '.join(lost)}; renamed, inlined or no longer "
                     "called, and listed in tests/bench/profiling.py")
    left = collections.Counter({name: whole[name] for name in names})
    for part, within, _ in PARTS[function]:
        left[within] -= whole[part]
    for name in names:
        if left[name] < 0:
            raise Failed(f"the parts of {name} have more instructions than it has")
    rows = [(1 if within == function else 2, purpose, part, whole[part])
            for part, within, purpose in PARTS[function]]
    return [(0, "", function, whole[function]), *rows, (1, "the rest", "", left[function]),
            (1, "in all of these: SHA-256", HASHING, whole[HASHING])]


def count_instructions(folder, note):
    """([parts_of each function], [(function, where, its own instructions)], the dearest first)"""
    tables, own = [], collections.Counter()
    for function in PARTS:
        note(f"callgrind: {function}, {ALONE:,} statements")
        out = folder / f"callgrind-{function}"
        call(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--compress-strings=no",
              "--compress-pos=no", f"--toggle-collect={function}", PROGRAMS / "stages", ALONE],
             HUB_SCHEMAS=str(ROOT / "schemas"))
        whole, of_functions = read_callgrind(out.read_text())
        tables.append(parts_of(function, whole))
        own.update(of_functions)
    return tables, [(*place, count) for place, count in own.most_common(TOP)]


def run_profile(folder, seed, heap, note, results):
    check_tools()
    tables, dearest = count_instructions(folder, note)
    middle, seen = sample(folder, seed, heap, note)
    print(write_profile(results, middle, seen, tables, dearest, (EVENTS, ROUNDS, SAMPLES_PER_S, ALONE),
                        (THREADS, LIBRARIES)), end="")
    return {**{f"{name}_us": sum(found[kind] for kind in THREADS) for name, found in middle.items()},
            **{f"{rows[0][2]}_instructions": rows[0][3] / ALONE for rows in tables}}
