"""tests/bench/run --shards believes a figure only where all hubs together did the work, each in its place."""

import collections
import io
import json
import pathlib
import sys
import types

import fastavro
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))

from load import ROOT  # noqa: E402
from sections import write_shards  # noqa: E402
from sharding import HUBS, check, held, is_spread, medians, ratios, summed  # noqa: E402
from slots import SHARDS, Slots, shard_of  # noqa: E402
from stack.process import Failed  # noqa: E402

LOAD = types.SimpleNamespace(events=10, bytes=1500, expected={"created": 4, "changed": 3, "unchanged": 3, "entities": 2})
COUNTS = {"admit new": 4, "admit changed": 3, "admit unchanged": 3, "admit late": 0, "admit withdrawn": 0,
          "admit moved": 0, "admit dead": 0, "fold published": 7, "entities": 2}
RECORDS = {"log.gmp-slot": 11, "unified.gmp-slot": 7, "deadletter.hub": 0, "admitted.sus.gmp-slot": 5,
           "admitted.lu.gmp-slot": 0, "admitted.lumc.gmp-slot": 5}


def check_all(counts, records):
    check(LOAD, counts, {topic: {"records": count} for topic, count in records.items()})


def test_counts_that_add_up_are_believed():
    check_all(COUNTS, RECORDS)


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("more", [1, -1])
def test_a_count_that_is_off_is_not_believed(name, more):
    with pytest.raises(Failed):
        check_all({**COUNTS, name: COUNTS[name] + more}, RECORDS)


@pytest.mark.parametrize("topic", RECORDS)
def test_a_topic_that_lacks_a_record_or_has_one_too_many_is_not_believed(topic):
    more = 1 if topic == "deadletter.hub" else -1
    with pytest.raises(Failed):
        check_all(COUNTS, {**RECORDS, topic: RECORDS[topic] + more})


# --- what hubs tell ---

def metrics(ingest, shards, admit=9, refer=9):
    """Of a hub that holds such partitions of the domain and as many of another."""
    lines = [f'atmp_partitions{{task="{task}"}} {count}'
             for task, count in (("admit", admit), ("fold", 9), ("refer", refer))]
    for domain in ("gmp-slot", "trial"):
        lines += [f'atmp_admit_records_total{{institution="{name}",domain="{domain}",partition="{number}",'
                  f'outcome="{outcome}"}} 5' for name, number in ingest for outcome in ("new", "dead")]
        lines += [f'atmp_entities{{domain="{domain}",partition="{number}"}} 3' for number in shards]
    return "\n".join(lines) + "\n"


SUS, LU, LUMC = ([(name, 0), (name, 1)] for name in ("sus", "lu", "lumc"))
HALVES = [metrics(SUS + LU[:1], [0, 1]), metrics(LUMC + LU[1:], [2, 3])]


def test_what_a_hub_holds_of_the_domain_is_counted():
    assert [held(text) for text in (*HALVES, metrics(SUS, []), "")] == [(3, 2), (3, 2), (2, 0), (0, 0)]


def test_the_counts_of_all_hubs_are_summed_of_the_domain_alone():
    assert summed(HALVES) == {"admit new": 30, "admit dead": 30, "entities": 12}


@pytest.mark.parametrize("texts, spread", [
    (HALVES, True),
    ([HALVES[0], ""], False),  # does not answer
    ([HALVES[0], metrics(LUMC, [2, 3])], False),  # an ingest partition that nobody has
    ([HALVES[0], metrics(LUMC + LU[1:], [2])], False),  # a shard that nobody has
    ([*HALVES, metrics([], [])], True),  # has its partitions in other domains
    ([*HALVES, metrics([], [], admit=0)], False),  # has joined, and got nothing yet
    ([*HALVES, metrics([], [], refer=0)], False),
    ([*HALVES, HALVES[1]], False),  # two that say they have the same
])
def test_nothing_begins_before_each_hub_holds_its_partitions(texts, spread):
    assert is_spread(texts) == spread


# --- the load ---

def test_the_same_seed_gives_the_same_load():
    first, again, other = (Slots(200, 40, seed).records for seed in (1, 1, 2))
    assert first == again
    assert first != other


def decoded(value):
    listed = json.loads((ROOT / "schemas" / "registry.lock.json").read_text())
    entry = next(each for each in listed if each["id"] == int.from_bytes(value[1:5], "big"))
    schema = fastavro.parse_schema(json.loads((ROOT / "schemas" / entry["file"]).read_text()))
    return fastavro.schemaless_reader(io.BytesIO(value[5:]), schema)


def test_the_load_is_what_it_says_that_the_hub_must_count():
    load = Slots(1000, 100, 7)
    said, counted, slots, shards = {}, collections.Counter(), set(), collections.Counter()
    for topic, key, value in load.records:
        content = decoded(value)
        del content["statement"]
        before = said.get((topic, key))
        counted["created" if before is None else "unchanged" if before == content else "changed"] += 1
        said[topic, key] = content
        slots.add(content["identifiers"][0]["value"])
        shards[shard_of(content["facility"])] += 1
    assert load.expected == {**counted, "entities": len(slots)}
    assert counted["unchanged"] == 300
    assert set(shards) == set(range(SHARDS))
    assert min(shards.values()) > 100


# --- the report ---

def figures(rate, cpu):
    return {"rate": rate, "cpu": cpu, "memory": 100e6, "held": [(3, 2), (3, 2)]}


MIDDLE = {1: figures(10_000, 40), 2: figures(15_000, 50), 3: figures(12_000, 60), 4: figures(8_000, 80)}


def test_more_hubs_are_held_against_one():
    assert ratios(MIDDLE) == pytest.approx({"rate_2_vs_1": 1.5, "rate_3_vs_1": 1.2, "rate_4_vs_1": 0.8,
                                            "cpu_4_vs_1": 2})


def test_a_figure_is_the_median_of_its_rounds():
    assert medians([figures(1, 9), figures(5, 7), figures(2, 8)]) == figures(2, 8)


def test_the_report_has_a_line_for_each_number_of_hubs(tmp_path):
    arguments = types.SimpleNamespace(quick=False, rounds=3, hub_option=[])
    text = write_shards(tmp_path / "RESULTS.md", arguments, LOAD, 1.5, MIDDLE, ratios(MIDDLE))
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    assert ["2", "15,000", "50.00", "100", "3 + 2, 3 + 2"] in rows
    assert {row[0] for row in rows if row} >= {str(count) for count in HUBS}
    assert ["cpu_4_vs_1", "2.00"] in rows
    assert "processors" in text
    assert "load average before the first round was 1.5" in text
