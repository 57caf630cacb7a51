"""Connectors under harm: whatever happens to one, its source is neither skipped nor doubled; and
connectors that lack something, which the records must tell."""

import random

import pytest

import connectors
import nemeses
from connectors import ConnectorWorld
from origins import Files, Messages, Notices, Pages, RemoteFiles
from tables import Outbox

ORIGINS = [Files, RemoteFiles, Pages, Messages, Notices, Outbox]
# How often each harm is done.
pytestmark = pytest.mark.long("minutes of harm to running connectors")
HARMS = [(connectors.kill_at_random, 8, (None,)),
         (connectors.kill_at_a_moment, 8, connectors.MOMENTS),
         (connectors.kill_uncommitted, 2, (None,)),
         (connectors.hold, 3, connectors.HELD),
         (connectors.zombie, 2, (None,)),
         (connectors.kill_broker, 3, connectors.HELD)]
# What a connector lacks, and where the records tell.
CONTROLS = {"guard": (Files, connectors.hold, 2, connectors.HELD[:1]),
            "read-committed": (Files, connectors.kill_uncommitted, 2, (None,)),
            "commit": (Pages, connectors.kill_at_random, 2, (None,))}


@pytest.fixture
def world(seed, tmp_path):
    """world(origin, weakened) starts one."""
    print(f"tests/run --long fault/connector_test.py -- --seed {seed}")
    running = []

    def start(origin, weakened=None):
        running.append(ConnectorWorld(tmp_path, origin, seed, weakened))
        running[-1].start()
        return running[-1], random.Random(seed)

    yield start
    for each in running:
        each.stop()


def harm(world, chance, harm, count, choices):
    for number in range(count):
        print(f"{harm.__name__} {number + 1} of {count}:",
              harm(world, chance, choices[number % len(choices)]))
    world.wait_until_read()


@pytest.mark.parametrize("origin", ORIGINS, ids=lambda origin: origin.name)
def test_a_source_is_neither_skipped_nor_doubled(world, origin):
    connected, chance = world(origin)
    for each in HARMS:
        if origin in (Messages, Notices) and each[0] is connectors.zombie:
            continue  # nobody can take over the port of one that stands still
        harm(connected, chance, *each)
    findings = connected.judge()
    assert findings.is_clean, str(findings)
    assert connected.source.rows.count > 3000


@pytest.mark.parametrize("origin", ORIGINS, ids=lambda origin: origin.name)
def test_a_clock_that_is_set_changes_nothing(world, origin):
    connected, chance = world(origin)
    harm(connected, chance, connectors.set_clock, len(nemeses.CLOCKS), nemeses.CLOCKS)
    findings = connected.judge()
    assert findings.is_clean, str(findings)


@pytest.mark.parametrize("origin", ORIGINS, ids=lambda origin: origin.name)
def test_what_another_has_open_hides_nothing(world, origin):
    connected, chance = world(origin)
    connectors.hide_behind_another(connected, chance)
    findings = connected.judge()
    assert findings.is_clean, str(findings)


@pytest.mark.parametrize("lacking", CONTROLS)
def test_the_records_tell_of_a_connector_without(world, lacking):
    origin, *what = CONTROLS[lacking]
    connected, chance = world(origin, lacking)
    harm(connected, chance, *what)
    assert not connected.judge().is_clean
