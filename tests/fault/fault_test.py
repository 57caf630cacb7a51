"""The fault programme with its usual numbers, and hubs that lack something, which it must find.

A failing run is repeated with the seed that its output begins with."""

import re
import subprocess

import pytest

from programme import CONTROLS, PARTS, WORLDS, run, run_statistic

STATISTIC_TRIES = 40


@pytest.fixture(autouse=True)
def told(seed):
    print(f"tests/run --long fault/fault_test.py -- --seed {seed}")


@pytest.fixture
def run_usual(seed, tmp_path, record_property):
    """run_usual(preload) gives the versions of librdkafka that ran."""
    def usual(preload=None):
        result = run({part.name: part.usual for part in PARTS}, seed, tmp_path, WORLDS,
                     preload=preload)
        record_property("said", f"librdkafka {', '.join(result.librdkafka)}: "
                        f"{result.harms.total()} harms to {result.numbers['inputs']:,} records")
        assert not result.failures, result.failures
        assert result.findings.is_clean, str(result.findings)
        assert result.numbers["inputs"] >= 100000
        return result.librdkafka

    return usual


def test_nothing_is_lost_or_doubled(run_usual):
    assert len(run_usual()) == 1


def test_nothing_is_lost_or_doubled_with_debians_librdkafka(run_usual):
    listed = subprocess.run(["/sbin/ldconfig", "-p"], check=True, capture_output=True, text=True)
    debians = re.search(r"librdkafka\.so\.1 .* => (\S+)", listed.stdout)
    if debians is None:
        pytest.skip("THE HUB RAN WITH ITS OWN LIBRDKAFKA ONLY: Debian's is not installed")
    assert run_usual(debians[1]) == {"2.0.2"}


@pytest.mark.long("minutes of hubs that lack something")
@pytest.mark.parametrize("lacking", CONTROLS)
def test_the_checker_finds_a_hub_without(lacking, seed, tmp_path):
    part, count, word = CONTROLS[lacking]
    result = run({part: count}, seed, tmp_path, weakened=lacking)
    assert not result.failures, result.failures
    assert result.findings.counts[word] > 0, str(result.findings)


@pytest.mark.long("as many worlds, with the guard and without it")
def test_a_held_end_of_a_transaction_does_harm_with_the_guard_off_alone(seed, tmp_path):
    found = run_statistic(STATISTIC_TRIES, seed, tmp_path, WORLDS)
    assert found["red with"] == 0
    assert found["red without"] >= 0.95 * STATISTIC_TRIES
