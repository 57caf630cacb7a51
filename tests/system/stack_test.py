"""deploy/stack: what was started ends, and what could not be started too."""

import threading

import pytest

from installations import OWN_SAMPLES
from stack.installation import Installation
from stack.process import Failed, free_port
from stack.sources import Sources

PATIENCE_S = 30


def ends(function):
    """Whether it returns at all."""
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    return not thread.is_alive()


def test_sources_that_never_started_can_be_stopped():
    assert ends(Sources(OWN_SAMPLES).stop)


def test_an_installation_whose_broker_cannot_start_says_so_and_ends(tmp_path):
    installation = Installation(tmp_path, OWN_SAMPLES)
    with installation.broker.properties_path.open("a") as properties:
        properties.write("listeners=NONSENSE\n")
    with pytest.raises(Failed, match="Kafka"):
        installation.start_broker()
    assert ends(installation.stop)


def test_no_port_is_given_twice():
    ports = [free_port() for _ in range(500)]
    assert len(set(ports)) == len(ports)
