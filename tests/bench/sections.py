"""The table, as it is printed and as it is kept."""

import os
import pathlib
import platform
import re
import time

from results import processor, revision, table


# What restart.py fills a hub with: statements for each trial (by then each system has told of all that it tells
# of), and those after which the hub is started again.
SETTLED_MIN, PIECE = 2.1, 500_000


def memory_gb():
    found = re.search(r"MemTotal:\s+(\d+) kB", pathlib.Path("/proc/meminfo").read_text())
    return int(found[1]) / 1e6


def system():
    found = re.search(r'^PRETTY_NAME="(.*)"$', pathlib.Path("/etc/os-release").read_text(), re.M)
    return found[1] if found else platform.system()


def figures(subjects, middle):
    rows = [["", "events/s", "CPU s per million", "peak memory MB", "peak private MB", "latency p50 ms",
             "p99 ms", "CPU s per million repeats"]]
    for subject in subjects:
        found = middle[subject.name]
        rows.append([subject.title, f"{found['rate']:,.0f}", f"{found['cpu']:.2f}",
                     f"{found['memory'] / 1e6:,.0f}", f"{found['private'] / 1e6:,.0f}",
                     f"{found['p50_ms']:.1f}", f"{found['p99_ms']:.1f}",
                     "" if found["repeats"] != found["repeats"] else f"{found['repeats']:.2f}"])
    return table(rows)


def write_section(path, text):
    """Puts the text, which begins with its title, in the place of the section of that title, or
    behind the others."""
    title = text.split("\n", 1)[0]
    sections = re.split(r"^(?=# )", path.read_text(), flags=re.M) if path.exists() else []
    kept = [each.rstrip("\n") + "\n" for each in sections if each.strip()]
    places = [i for i, each in enumerate(kept) if each.startswith(title + "\n")] or [len(kept)]
    kept[places[0]:places[0] + 1] = [text]
    path.write_text("\n".join(kept))
    return text


def told_options(arguments):
    """Of the hub, as they were given."""
    return "".join(f" --hub-option={each}" for each in arguments.hub_option)


def machine():
    return f"""Machine: {processor()}, {os.cpu_count()} cores, {memory_gb():.0f} GB; {system()}, Linux
{platform.release()}. Kafka 4.3.1, one node, plain text on the loopback"""


def write_restart(path, arguments, rounds, middle, ratios):
    """Writes its section of the file; returns the text."""
    entities = arguments.entities[0]
    rows = [["", "seconds", "rounds", "CPU s"]]
    titles = {"read": "the topics read with nothing done", "without": "restart without the cache",
              "with": "restart with the cache"}
    for name, title in titles.items():
        names = ["read_without", "read_with"] if name == "read" else [name]
        rows.append([title, f"{middle[name]:.2f}",
                     ", ".join(f"{each[key]:.2f}" for each in rounds for key in names),
                     f"{middle[f'cpu_{name}']:.2f}"])
    return write_section(path, f"""# How long a restart takes

Written by `tests/bench/run --restart --entities {entities} --rounds {len(rounds)}{told_options(arguments)}` on
{time.strftime('%Y-%m-%d')}, revision {revision()}.

{table(rows)}
{table([['ratio', 'value'], *([name, f'{value:.2f}'] for name, value in ratios.items())])}
A hub that holds {entities:,} entities, which {middle['statements']:,.0f} statements of three
systems are about, is killed with -9 while it takes records. Seconds are from the start of the next one
to the first new unified record that a read_committed reader sees, and medians; CPU is what the process
has used until then. What is read with nothing done is what a start without the cache reads: log, unified,
conflict, match and admitted, {middle['records']:,.0f} records, {middle['bytes'] / 1e6:,.0f} MB of keys and
values; by one program with the settings of the hub's reader, its start included, and for the second time,
so that the broker has it in memory as it has for the hub. The hub's peak memory was
{middle['memory'] / 1e6:,.0f} MB. The broker shares the machine, whose load average before the first
round was {middle['busy']:.1f}.

{machine()}.
""")


def write_connector(path, scale, rest_s, middle, ratios):
    """Writes its section of the file; returns the text."""
    rows = [["", "CPU µs a document"], ["the connector", f"{middle['mapped_us']:.1f}"],
            ["jq", f"{middle['picked_us']:.1f}"]]
    return write_section(path, f"""# What a connector costs

Written by `tests/bench/run --connector` on {time.strftime('%Y-%m-%d')}, revision {revision()}. Medians of
{scale['rounds']} rounds of {scale['documents']:,} documents, the two in turn, in one process.

{table(rows)}
{table([['', 'value'], *([name, f'{value:.3f}'] for name, value in ratios.items())])}
The document is JSON of {middle['document']:,.0f} bytes, of which some thirty values are told of. The
connector parses it, maps it, looks for numbers of persons, encodes it as Avro, and hashes it; jq (its
library, the program compiled once) parses it, names the same values, and prints them. At rest: a
connector whose folder has nothing new, its private memory (what it has written to) and its part of a core
over {rest_s} s. Of program files it is alone to have {middle['files'] / 1e6:.1f} MB mapped, which the next connector
shares.

{machine()}.
""")


def write_archive(path, scale, middle, ratios):
    """Writes its section of the file; returns the text."""
    records = middle["records"]
    rows = [["", "µs a record", "MB"],
            ["archiving", f"{1e6 * middle['archive_s'] / records:.2f}", f"{middle['archive_bytes'] / 1e6:,.0f}"],
            ["copying, with SHA-256", f"{1e6 * middle['copy_s'] / records:.2f}",
             f"{middle['archive_bytes'] / 1e6:,.0f}"],
            ["verifying", f"{1e6 * middle['verify_s'] / records:.2f}", f"{middle['record_bytes'] / 1e6:,.0f}"],
            ["SHA-256 alone", f"{1e6 * middle['digest_s'] / records:.2f}", f"{middle['record_bytes'] / 1e6:,.0f}"]]
    return write_section(path, f"""# What an archive costs

Written by `tests/bench/run --archive` on {time.strftime('%Y-%m-%d')}, revision {revision()}. Medians of {scale['rounds']} rounds,
all in turn, in one process; ratios are medians of those of the rounds.

{table(rows)}
{table([['ratio', 'value'], *([name, f'{value:.2f}'] for name, value in ratios.items())])}
{records:,} records of {middle['record_bytes'] / records:,.0f} bytes with key and headers. Archiving and copying are CPU
time. Archiving reads the records and writes all files of a log, with a descriptor and a hash of each
record, and signs; copying reads the same bytes, and writes as many as the log's files have,
with SHA-256 over them; both in memory, because what a disk's file system asks for a new file depends on
what was removed there lately. Verifying uses all processors, and is time on the wall: every record, descriptor,
hash and checkpoint of the log; SHA-256 alone is one processor, in blocks of 16 KiB, over as many bytes as
the records have.

{machine().partition('. Kafka')[0]}.
""")


def write_replay(path, events, rounds, middle, ratios):
    """Writes its section of the file; returns the text."""
    rows = [["", "records/s", "CPU s per million"],
            ["read and decoded, nothing else done", f"{events / middle['read_s']:,.0f}",
             f"{1e6 * middle['read_cpu'] / events:.2f}"],
            ["replayed to a file in memory", f"{events / middle['replay_s']:,.0f}",
             f"{1e6 * middle['replay_cpu'] / events:.2f}"],
            ["replayed to a file on the disk", f"{events / middle['disk_s']:,.0f}",
             f"{1e6 * middle['disk_cpu'] / events:.2f}"]]
    return write_section(path, f"""# How fast an archive is replayed

Written by `tests/bench/run --replay` on {time.strftime('%Y-%m-%d')}, revision {revision()}. Medians of {rounds} rounds,
in turn, after a warm-up round; ratios are medians of those of the rounds.

{table(rows)}
{table([['ratio', 'value'], *([name, f'{value:.2f}'] for name, value in ratios.items())])}
{events:,} statements in six logs. Read and decoded: each record read by the archive's own reader, which
compares it with its entry and that with its tile, its value walked, and key, headers and value written as JSON
into memory, log after log. Replayed: that, and all else that `hubctl replay --to-file` does, from its start to
its certificate: every log held against its checkpoint, the logs merged, each record counted into the digest,
and {middle['size'] / 1e6:,.0f} MB of lines written and synced; on the disk that is what the disk takes, too. All are
whole programs of one thread, and the segments are in the page cache. The first ratio is of records for a
second of CPU, which other work on the machine moves less than those of the clock.

{machine().partition('. Kafka')[0]}.
""")


def write_profile(path, middle, seen, tables, dearest, scale, kinds):
    """Writes its section of the file; returns the text."""
    events, rounds, samples_per_s, alone = scale
    rows = [["CPU µs an event", "the hub", "two raw copies"]]
    for each in kinds:
        rows += [[kind, *(f"{middle[name][kind]:.2f}" for name in ("hub", "limit"))] for kind in each]
        rows.append(["together", *(f"{sum(middle[name][kind] for kind in each):.2f}"
                                   for name in ("hub", "limit"))])
    parts = [["part", "function", "instructions an event"]]
    for each in tables:
        parts += [["· " * depth + (purpose or "the whole of"), f"`{name}`" if name else "", f"{count / alone:,.0f}"]
                  for depth, purpose, name, count in each]
    own = [["function", "where", "its own instructions an event"],
           *([f"`{name}`", where, f"{count / alone:,.0f}"] for name, where, count in dearest)]
    return write_section(path, f"""# Where the time goes

Written by `tests/bench/run --profile` on {time.strftime('%Y-%m-%d')}, revision {revision()}. What was tried
and did not help is in [TRIED.md](TRIED.md).

{table(rows)}
The whole hub and the limit, by thread and by library: means of {rounds} rounds of {events:,} statements, the two
in turn, after a warm-up round; starts and ends are in it. perf looks {samples_per_s:,} times a second at each
processor, and has seen {100 * seen['hub']:.0f} % of the CPU time that the kernel counted for the hub and
{100 * seen['limit']:.0f} % of the copies'; were it off by more than a tenth, there would be no table.

{table(parts)}
Admit and fold alone (tests/bench/stages), on {alone:,} statements about {alone // 10 + 1:,} trials: what callgrind counts
in a function and in all that it calls, for each statement, those included that say nothing new and never come
to the fold. The counts do not move with the machine's load, and nothing sleeps in a cache here. valgrind
has no instructions for SHA-256, so hashing counts for more than it takes: its time is libcrypto's above.

{table(own)}
The dearest functions of both together, without what they call.

{machine()}.
""")


def write_shards(path, arguments, load, busy, middle, ratios):
    """Writes its section of the file; returns the text."""
    rows = [["hubs", "events/s", "CPU s per million", "peak memory MB", "ingest partitions + shards of each"]]
    for count, found in middle.items():
        rows.append([str(count), f"{found['rate']:,.0f}", f"{found['cpu']:.2f}", f"{found['memory'] / 1e6:,.0f}",
                     ", ".join(f"{ingest} + {shards}" for ingest, shards in found["held"])])
    wanted = load.expected
    return write_section(path, f"""# What more hubs give

Written by `tests/bench/run --shards{' --quick' if arguments.quick else ''} --rounds {arguments.rounds}{told_options(arguments)}` on
{time.strftime('%Y-%m-%d')}, revision {revision()}. Medians of {arguments.rounds} rounds, the numbers of hubs
in turn, after a warm-up round.

{table(rows)}
{table([['ratio', 'value'], *([name, f'{value:.2f}'] for name, value in ratios.items())])}
The machine has {os.cpu_count()} processors, which the hubs share with the broker: beyond what these can do, more hubs are
not faster. Its load average before the first round was {busy:.1f}. Load: {load.events:,} statements about {wanted['entities']:,} slots of GMP facilities, from three systems of
two institutions, {load.bytes / load.events:.0f} bytes each with key; as many facilities in each of the domain's shards:
{wanted['created']:,} first told, {wanted['changed']:,} changed, {wanted['unchanged']:,} repeated. Each time the
group and the domain's topics are new. The load is written in one transaction, which is committed once every hub
holds its partitions; what each held is of the last round, and the same at its start and end; those of an
institution that says nothing are counted, too. Every statement is accounted for by the counts of all hubs together;
otherwise there would be no table.

Rates are by the broker's clock, from the first record that was admitted to the last that was written. CPU is of
all hubs, from the load's commit until all is taken; memory is the largest hub's, over its life.

{machine()}.
""")


def beside(mapping, archive):
    """What a connector and an archive take, each beside what it is held against."""
    us = {name: 1e6 * archive[f"{name}_s"] / archive["records"] for name in ("archive", "copy", "verify", "digest")}
    rows = [["", "a second", "µs each", "beside it", "µs each of these"],
            *([what, f"{1e6 / own:,.0f}", f"{own:.2f}", other, f"{others:.2f}"] for what, own, other, others in (
                ("documents mapped", mapping["mapped_us"], "jq, the same documents", mapping["picked_us"]),
                ("records archived", us["archive"], "copied, with SHA-256", us["copy"]),
                ("records verified", us["verify"], "SHA-256 alone", us["digest"])))]
    return table(rows)


def grown(found):
    """What is measured among so many entities; how long starts take, where that is measured, too."""
    starts = "with" in next(iter(found.values()))
    rows = [["entities", "first told, statements/s", "CPU s per million", "drawn evenly", "peak private MB",
             "drawn evenly", "peak memory MB", "cache file MB",
             *(["start s", "without the cache", "topics read"] if starts else [])]]
    for entities, each in sorted(found.items()):
        rows.append([f"{entities:,}", f"{each['told_rate']:,.0f}", f"{each['cpu']:.2f}", f"{each['cpu_even']:.2f}",
                     *(f"{each[name] / 1e6:,.0f}" for name in ("private", "private_even", "resident", "cache")),
                     *([f"{each[name]:.2f}" for name in ("with", "without", "read_without")] if starts else [])])
    return table(rows)


def told_growth(scale):
    """What the figures of growth are."""
    return f"""A hub is told of all entities by three systems, {SETTLED_MIN} statements or more about each; with what is then in its cache,
it is started, and takes {scale['events']:,} statements that are drawn as the register's trials are updated, few of them
often, after as many more that are not measured; and, started again, as many about trials that are drawn evenly,
most of which it has to ask its cache for: the cold curve. The register's skew: in 61 days 323 of its 2,242 trials
were updated, 487 times, the tenth that was updated most often had 80 % of that; so many updates drawn as here are of
349 trials, and the tenth has 74 %. CPU is of the hub alone, from the first of the statements that are measured to its
end, when all is in its cache. `growth` is CPU per event among the most entities over that among the fewest, medians
of {scale['rounds']} rounds, and `growth_even` the same where they are drawn evenly."""


def told_cache(found):
    """Whether the largest cache has room in memory."""
    each = found[max(found)]
    return (f"The largest cache file has {each['cache'] / 1e6:,.0f} MB, and {each['available'] / 1e6:,.0f} MB of memory "
            f"were free for the pages of files: it {'fits' if each['cache'] < each['available'] else 'does not fit'}.")


def write_growth(path, arguments, scale, busy, found, ratios):
    """Writes its section of the file; returns the text."""
    return write_section(path, f"""# What more entities cost

Written by `tests/bench/run --growth{' --quick' if arguments.quick else ''} --entities {','.join(map(str, sorted(found)))}{told_options(arguments)}`
on {time.strftime('%Y-%m-%d')}, revision {revision()}.

{grown(found)}
{table([['ratio', 'value'], *([name, f'{value:.2f}'] for name, value in ratios.items())])}
{told_growth(scale)}

{told_cache(found)}

Private is the peak of the pages that belong to no file, as often as was looked; peak memory is that of all, those of
the cache's file among them, which the kernel drops where it needs the memory. Both are of the hub that took the
statements that were measured. First told is from when a hub has its partitions until it has taken what was written,
in lots of {PIECE:,} statements, with the program that writes them beside it. Starts are after kill -9, until the
first unified record that a read_committed reader sees, as `--restart` measures them, once; beside them the topics of
the state read with nothing done, as a start without the cache reads them.

The broker shares the machine, whose load average at the start was {busy:.1f}.

{machine()}.
""")


def write_results(path, measurement, middle, ratios, arguments):
    """Writes its section of the file; returns the text."""
    scale, load, subjects = measurement.scale, measurement.load, measurement.subjects
    wanted = load.expected
    text = f"""# What the hub costs

Written by `tests/bench/run{' --quick' if arguments.quick else ''}{told_options(arguments)}` on {time.strftime('%Y-%m-%d')}, revision
{revision()}. Medians of {scale['rounds']} rounds, the subjects in turn, after a warm-up round.

{figures(subjects, middle)}
{beside(measurement.mapping, measurement.archive)}
{grown(measurement.grown)}
{table([['ratio', 'value'], *([name, f'{value:.2f}'] for name, value in ratios.items())])}
Load: {load.events:,} statements about {wanted['entities']:,} trials from three systems,
{load.bytes / load.events:.0f} bytes each with key and headers: {wanted['created']:,} first told,
{wanted['changed']:,} changed, {wanted['unchanged']:,} repeated; {wanted['conflicts_open']:,}
conflicts open at the end. Every statement is accounted for by the hub's counts, the copies hold
exactly the bytes that were written, and at the end of each round Kafka Streams has merged every one of
the trials to the bytes that the hub has as its `value`; otherwise there would be no table.

{told_growth(scale['growth'])}
{told_cache(measurement.grown)}
`--growth` measures more sizes, and starts.

Latency is at {measurement.rate:,.0f} statements a second, a tenth of the hub's full load, for {scale['latency_s']} s: from
when a statement's transaction is committed in its ingest topic to when a read_committed reader of the last topic
has the first record that came of it. Repeats change nothing: {scale['repeats']:,} of them, through the hub that has
taken what they repeat and written it to its cache, the checkpoint after them included, and through one raw copy
(`noop_vs_copy`). `slices_vs_values`: how much faster three
statements about one trial are merged by slices than by avro-c's values, by the same rules and to the same bytes,
sources and conflicts (tests/bench/merging.c).

Mapping is CPU time of {scale['mapping']['documents']:,} documents, medians of {scale['mapping']['rounds']} rounds; archiving and
copying are CPU time of {measurement.archive['records']:,} records, verifying and SHA-256 time on the wall, the first on all
processors, medians of {scale['archive']['rounds']} rounds. `--connector` and `--archive` do the same alone, and say in their
sections what each side does.

Kafka Streams (tests/bench/streams) drops what says nothing new, partitions anew by trial, merges field by
field by the same rules, and publishes every change, exactly once: {measurement.peer.threads} threads, a commit
every 100 ms, {measurement.peer.heap} of heap, the serial collector, stores of RocksDB with the cache that is the
default, jemalloc. It neither finds out which statements are about one trial nor tells of conflicts.

Rates are by the broker's clock, from a subject's first record to its last. CPU and memory are of the
subject's process alone, over its whole life, a JVM's start and compiling included. Private is the peak of the
pages that belong to no file, as often as was looked; the others are those of the hub's cache and of program files,
which the kernel drops where it needs the memory. The broker shares the machine.

{machine()}; librdkafka
{measurement.hub.librdkafka}; {measurement.peer.versions}.
"""
    return write_section(path, text)
