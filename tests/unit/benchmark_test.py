"""tests/bench believes a figure only where the work was done: every count that is off makes it fail."""

import copy
import mmap
import os
import pathlib
import sys
import types

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))

import archiving  # noqa: E402
import connecting  # noqa: E402
from benchmark import ratios  # noqa: E402
from sections import write_results  # noqa: E402
from stack.process import Failed  # noqa: E402
from subjects import Hub, Limit, Streams, is_at_end, read_memory  # noqa: E402

LOAD = types.SimpleNamespace(events=10, bytes=6000, expected={
    "created": 4, "changed": 3, "unchanged": 3, "entities": 2, "conflicts_open": 1})
COUNTS = {"admit new": 4, "admit changed": 3, "admit unchanged": 3, "admit late": 0,
          "admit withdrawn": 0, "admit moved": 0, "admit dead": 0, "fold published": 7,
          "entities": 2, "conflicts_open": 1}
RECORDS = {"log.trial": 8, "unified.trial": 7, "deadletter.hub": 0, "admitted.sus.trial": 5,
           "admitted.lu.trial": 2, "admitted.lumc.trial": 3}


def check(counts, records):
    Hub._check(LOAD, counts, {topic: {"records": count} for topic, count in records.items()})


def test_counts_that_add_up_are_believed():
    check(COUNTS, RECORDS)


@pytest.mark.parametrize("name", COUNTS)
def test_a_count_that_is_off_is_not_believed(name):
    counts = copy.copy(COUNTS)
    counts[name] += 1
    with pytest.raises(Failed):
        check(counts, RECORDS)


@pytest.mark.parametrize("topic", RECORDS)
def test_a_topic_that_lacks_a_record_or_has_one_too_many_is_not_believed(topic):
    records = copy.copy(RECORDS)
    records[topic] += 1 if topic == "deadletter.hub" else -1
    with pytest.raises(Failed):
        check(COUNTS, records)


# What the peer lets pass and publishes, and its trials beside the hub's.
PEER = {"between": 7, "merged": 7}
COMPARED = {"entities": 2, "merged": 2, "same": 2}


def check_peer(records, compared):
    Streams._check(LOAD, {"records": records["between"]}, {"records": records["merged"]}, compared)


def test_a_peer_that_merges_as_the_hub_does_is_believed():
    check_peer(PEER, COMPARED)


@pytest.mark.parametrize("topic", PEER)
@pytest.mark.parametrize("more", [1, -1])
def test_a_peer_that_does_less_or_more_is_not_believed(topic, more):
    with pytest.raises(Failed):
        check_peer({**PEER, topic: PEER[topic] + more}, COMPARED)


@pytest.mark.parametrize("name", COMPARED)
def test_a_peer_that_has_other_trials_or_other_values_is_not_believed(name):
    with pytest.raises(Failed):
        check_peer(PEER, {**COMPARED, name: 1})


ENDS = {("ingest", 0): 12, ("ingest", 1): 0}


@pytest.mark.parametrize("committed, ends, is_there", [
    ({("ingest", 0): 12}, ENDS, True),
    ({("ingest", 0): 12, ("ingest", 1): -1001}, ENDS, True),  # nothing there, so nothing committed
    ({("ingest", 0): 11}, ENDS, False),
    ({}, ENDS, False),
    ({("other", 0): 12}, ENDS, False),
    ({("ingest", 0): 12}, {}, False),  # there is no such topic yet
])
def test_all_is_taken_where_what_is_committed_is_at_every_end(committed, ends, is_there):
    assert is_at_end(committed, ends) == is_there


def figures(rate, cpu, memory, private, p99_ms, repeats):
    return {"rate": rate, "cpu": cpu, "memory": memory, "private": private, "p50_ms": 5, "p99_ms": p99_ms,
            "repeats": repeats}


MIDDLE = {"limit": figures(400_000, 3, 200e6, 100e6, 20, 2), "hub": figures(200_000, 6, 300e6, 250e6, 30, 2.5),
          "streams": figures(40_000, 30, 900e6, 500e6, 400, float("nan"))}


def test_the_hub_is_held_against_each_of_the_others():
    found = ratios(MIDDLE)
    assert found == pytest.approx({
        "rate_vs_limit": 0.5, "cpu_vs_limit": 2, "memory_vs_limit": 1.5,
        "rate_vs_streams": 5, "cpu_vs_streams": 0.2, "memory_vs_streams": 1 / 3,
        "private_vs_limit": 2.5, "private_vs_streams": 0.5,
        "p99_vs_limit": 1.5, "noop_vs_copy": 1.25})


SIZE = 64 << 20


def grown(mapping):
    """By how much private memory has, once every page of it is written."""
    _, before = read_memory(os.getpid())
    for at in range(0, SIZE, mmap.PAGESIZE):
        mapping[at] = 1
    return read_memory(os.getpid())[1] - before


def test_pages_of_a_file_are_not_private(tmp_path):
    with (tmp_path / "pages").open("w+b") as file:
        file.truncate(SIZE)
        with mmap.mmap(file.fileno(), SIZE) as mapping:
            assert grown(mapping) < SIZE / 2
    with mmap.mmap(-1, SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as mapping:
        assert grown(mapping) >= SIZE / 2


# Microseconds of a document, and seconds of a thousand records.
MAPPING = {"mapped_us": 50, "picked_us": 125, "document": 2936}
ARCHIVE = {"records": 1000, "archive_s": 0.002, "copy_s": 0.001, "verify_s": 0.004, "digest_s": 0.0005,
           "archive_cpu_vs_copy": 1.9, "verify_rate_vs_sha256": 0.6}
BESIDE = {**connecting.ratios(MAPPING), **archiving.ratios(ARCHIVE)}


def test_a_connector_and_an_archive_are_held_against_what_does_less():
    assert BESIDE == pytest.approx({"mapping_vs_jq": 0.4, "archive_cpu_vs_copy": 1.9, "verify_rate_vs_sha256": 0.6})


def test_the_report_has_a_line_for_each_and_says_what_they_are(tmp_path):
    peer = types.SimpleNamespace(name=Streams.name, title=Streams.title, threads=2,
                                 heap="512m", versions="Kafka Streams 4.3.1")
    measurement = types.SimpleNamespace(
        scale={"rounds": 5, "events": 10, "latency_s": 15, "repeats": 20, "mapping": connecting.QUICK,
               "archive": archiving.QUICK}, load=LOAD, rate=20_000, subjects=[Limit, Hub, peer], peer=peer,
        mapping=MAPPING, archive=ARCHIVE,
        hub=types.SimpleNamespace(librdkafka="2.15.1"))
    text = write_results(tmp_path / "RESULTS.md", measurement, MIDDLE, {**ratios(MIDDLE), **BESIDE}, quick=False)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    assert ["the hub", "200,000", "6.00", "300", "250", "5.0", "30.0", "2.50"] in rows
    assert ["the peer: Kafka Streams", "40,000", "30.00", "900", "500", "5.0", "400.0", ""] in rows
    assert ["cpu_vs_streams", "0.20"] in rows
    assert ["mapping_vs_jq", "0.40"] in rows
    assert ["documents mapped", "20,000", "50.00", "jq, the same documents", "125.00"] in rows
    assert ["records archived", "500,000", "2.00", "copied, with SHA-256", "1.00"] in rows
    assert ["records verified", "250,000", "4.00", "SHA-256 alone", "0.50"] in rows
    assert "librdkafka\n2.15.1; Kafka Streams 4.3.1." in text
    assert (tmp_path / "RESULTS.md").read_text() == text
