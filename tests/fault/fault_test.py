"""The fault programme with its usual numbers, and hubs that lack something, which it must find.

A failing run is repeated with the seed that its output begins with."""

import re
import subprocess

import pytest

from programme import CONTROLS, PARTS, WORLDS, run, run_statistic

IN_EVERY_RUN = False
CONTROL_TRIES = 3
STATISTIC_TRIES = 40
pytestmark = [] if IN_EVERY_RUN else pytest.mark.long("minutes of harm to running hubs")


@pytest.fixture(autouse=True)
def told(seed):
    print(f"tests/run --long fault/fault_test.py -- --seed {seed}")


def debians_librdkafka():
    listed = subprocess.run(["/sbin/ldconfig", "-p"], check=True, capture_output=True, text=True)
    return re.search(r"librdkafka\.so\.1 .* => (\S+)", listed.stdout)[1]


@pytest.fixture(params=["the hub's own", "Debian's"])
def librdkafka(request):
    """What is loaded before the library that the hub was built with."""
    return debians_librdkafka() if request.param == "Debian's" else None


def test_nothing_is_lost_or_doubled_with_librdkafka(librdkafka, seed, tmp_path):
    result = run({part.name: part.usual for part in PARTS}, seed, tmp_path, WORLDS,
                 preload=librdkafka)
    print(f"librdkafka {', '.join(result.librdkafka)}")
    assert not result.failures, result.failures
    assert result.findings.is_clean, str(result.findings)
    assert result.numbers["inputs"] >= 100000
    assert len(result.librdkafka) == 1
    assert librdkafka is None or result.librdkafka == {"2.0.2"}


@pytest.mark.parametrize("lacking", CONTROLS)
def test_the_checker_finds_a_hub_without(lacking, seed, tmp_path):
    result = run({CONTROLS[lacking]: CONTROL_TRIES}, seed, tmp_path, weakened=lacking)
    assert not result.failures, result.failures
    assert not result.findings.is_clean


def test_a_held_end_of_a_transaction_does_harm_with_the_guard_off_alone(seed, tmp_path):
    found = run_statistic(STATISTIC_TRIES, seed, tmp_path, WORLDS)
    assert found["red with"] == 0
    assert found["red without"] >= 0.95 * STATISTIC_TRIES
