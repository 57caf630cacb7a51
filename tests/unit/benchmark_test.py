"""tests/bench believes a figure only where the work was done: every count that is off makes it fail."""

import argparse
import copy
import mmap
import os
import pathlib
import re
import sys
import types

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))

import archiving  # noqa: E402
import connecting  # noqa: E402
import growth  # noqa: E402
from benchmark import ratios, read_entities  # noqa: E402
from load import PROGRAMS, ROOT, call  # noqa: E402
from sections import write_growth, write_results  # noqa: E402
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


@pytest.mark.parametrize("how, share", [
    ([], 0.479),  # the integral of 1 - exp(-r^(-2/3) / 3) for r from 0 to 1
    (["evenly"], 0.632)])  # 1 - 1/e
def test_few_trials_are_told_of_often_or_all_alike(how, share):
    """As many statements as trials: how many of these are told of at all."""
    said = call([PROGRAMS / "stages", 20_000, 20_000, 1, *how], HUB_SCHEMAS=str(ROOT / "schemas"))
    assert int(re.search(r"^entities (\d+)", said, re.M)[1]) / 20_000 == pytest.approx(share, abs=0.015)


# Microseconds of a document, and seconds of a thousand records.
MAPPING = {"mapped_us": 50, "picked_us": 125, "document": 2936}
ARCHIVE = {"records": 1000, "archive_s": 0.002, "copy_s": 0.001, "verify_s": 0.004, "digest_s": 0.0005,
           "archive_cpu_vs_copy": 1.9, "verify_rate_vs_sha256": 0.6}
GROWN = {
    1_000_000: {"told_rate": 30_000, "cpu": 60, "cpu_even": 90, "private": 400e6, "private_even": 300e6,
                "resident": 900e6, "cache": 4e9, "available": 8e9},
    10_000: {"told_rate": 20_000, "cpu": 50, "cpu_even": 60, "private": 200e6, "private_even": 150e6,
             "resident": 300e6, "cache": 40e6, "available": 8e9}}
BESIDE = {**connecting.ratios(MAPPING), **archiving.ratios(ARCHIVE)}


def test_a_connector_and_an_archive_are_held_against_what_does_less():
    assert BESIDE == pytest.approx({"mapping_vs_jq": 0.4, "archive_cpu_vs_copy": 1.9, "verify_rate_vs_sha256": 0.6})


def test_the_report_has_a_line_for_each_and_says_what_they_are(tmp_path):
    peer = types.SimpleNamespace(name=Streams.name, title=Streams.title, threads=2,
                                 heap="512m", versions="Kafka Streams 4.3.1")
    measurement = types.SimpleNamespace(
        scale={"rounds": 5, "events": 10, "latency_s": 15, "repeats": 20, "mapping": connecting.QUICK,
               "archive": archiving.QUICK, "growth": growth.QUICK}, load=LOAD, rate=20_000, subjects=[Limit, Hub, peer], peer=peer,
        mapping=MAPPING, archive=ARCHIVE, grown=GROWN,
        hub=types.SimpleNamespace(librdkafka="2.15.1"))
    arguments = types.SimpleNamespace(quick=False, hub_option=["--batch-count-max=1000"])
    text = write_results(tmp_path / "RESULTS.md", measurement, MIDDLE, {**ratios(MIDDLE), **BESIDE}, arguments)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    assert ["the hub", "200,000", "6.00", "300", "250", "5.0", "30.0", "2.50"] in rows
    assert ["the peer: Kafka Streams", "40,000", "30.00", "900", "500", "5.0", "400.0", ""] in rows
    assert ["cpu_vs_streams", "0.20"] in rows
    assert ["mapping_vs_jq", "0.40"] in rows
    assert ["documents mapped", "20,000", "50.00", "jq, the same documents", "125.00"] in rows
    assert ["records archived", "500,000", "2.00", "copied, with SHA-256", "1.00"] in rows
    assert ["records verified", "250,000", "4.00", "SHA-256 alone", "0.50"] in rows
    assert "librdkafka\n2.15.1; Kafka Streams 4.3.1." in text
    assert "--hub-option=--batch-count-max=1000" in text
    assert ["1,000,000", "30,000", "60.00", "90.00", "400", "300", "900", "4,000"] in rows
    assert (tmp_path / "RESULTS.md").read_text() == text


def test_many_entities_are_held_against_few():
    assert growth.ratios(GROWN) == pytest.approx({"growth": 1.2, "growth_even": 1.5})


def test_the_report_of_growth_has_a_line_for_each_number_and_says_whether_the_cache_fits(tmp_path):
    started = {entities: {**each, "with": 0.25, "without": 5.5, "read_without": 5} for entities, each in GROWN.items()}
    arguments = types.SimpleNamespace(quick=False, hub_option=[])
    text = write_growth(tmp_path / "RESULTS.md", arguments, growth.USUAL, 1.5, started, growth.ratios(started))
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    assert ["10,000", "20,000", "50.00", "60.00", "200", "150", "300", "40", "0.25", "5.50", "5.00"] in rows
    assert ["growth", "1.20"] in rows
    assert "--entities 10000,1000000`" in text
    assert "it fits" in text
    full = {**started, 1_000_000: {**started[1_000_000], "available": 3.9e9}}
    assert "it does not fit" in write_growth(tmp_path / "RESULTS.md", arguments, growth.USUAL, 1.5, full, {})


def test_nothing_begins_where_the_disk_has_no_room_for_its_end(tmp_path):
    growth.check_disk(tmp_path, 0, {"events": 0, "rounds": 1})
    with pytest.raises(Failed, match="GB are free"):
        growth.check_disk(tmp_path, 10**12, growth.QUICK)


@pytest.mark.parametrize("text", ["999", "10000,11000001"])
def test_numbers_that_the_generator_does_not_have_are_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="from 1,000 to 11,000,000"):
        read_entities(text)
