"""The fault programme, harm by harm; and hubs that lack something, which it must find.

A failing run is repeated by the command that its output begins with."""

import os
import random

import pytest

from programme import CONTROLS, PARTS, Programme

CONTROL_TRIES = 3


@pytest.fixture
def programme(request, tmp_path):
    """programme(part, count, weakened) runs one and gives its findings; minutes of it, so not in
    every run."""
    if not request.config.getoption("--long"):
        pytest.skip("minutes of harm to running hubs; --long does it")
    running = []

    def run(part, count=None, weakened=None):
        seed = int(os.environ.get("HUB_TEST_SEED") or random.randrange(1 << 32))
        print(f"seed {seed}: tests/fault/run --seed {seed} --part '{part.name}'")
        running.append(Programme(seed, tmp_path, count, weakened=weakened))
        return running[-1].run([part])

    yield run
    for each in running:
        each.world.stop()


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name.replace(" ", "-"))
def test_nothing_is_lost_or_doubled_by(programme, part):
    findings, numbers = programme(part)
    assert findings.is_clean, str(findings)
    assert numbers["inputs"] > 0


@pytest.mark.parametrize("lacking", CONTROLS)
def test_the_checker_finds_a_hub_without(programme, lacking):
    part = next(part for part in PARTS if part.name == CONTROLS[lacking])
    findings, _ = programme(part, CONTROL_TRIES, lacking)
    assert not findings.is_clean
