"""What a broker that was killed left hanging, as Kafka's tool lists it, is ended; what has ended since is
nobody's failure."""

import pytest

from stack import kafka
from stack.process import Failed

LISTED = """\
Topic\tPartition\tProducerId\tProducerEpoch\tCoordinatorEpoch\tStartOffset\tLastTimestamp\tDuration(min)
log.trial\t0\t7\t2\t-1\t11\t1\t0
conflict.trial\t3\t7\t2\t-1\t12\t1\t0
"""


@pytest.fixture
def broker(monkeypatch, tmp_path):
    """broker(answer): what the tool answers to an abort of the second."""
    def make(answer):
        def tool(_, *arguments):
            if "find-hanging" in arguments:
                return LISTED
            if "conflict.trial" in arguments:
                raise Failed(answer)
            return ""

        monkeypatch.setattr(kafka, "tool", tool)
        return kafka.Broker(tmp_path)

    return make


def test_what_has_ended_since_it_was_listed_is_not_counted(broker):
    answer = "Could not find any open transactions starting at offset 12 on partition conflict.trial-3"
    assert broker(answer).end_hanging_transactions() == 1


def test_another_refusal_is_told(broker):
    with pytest.raises(Failed, match="not now"):
        broker("not now").end_hanging_transactions()
