"""tests/bench believes a figure only where the work was done: every count that is off makes it fail."""

import copy
import pathlib
import sys
import types

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))

from stack.process import Failed  # noqa: E402
from subjects import Hub  # noqa: E402

LOAD = types.SimpleNamespace(events=10, expected={
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
