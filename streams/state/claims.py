"""Whose state may be taken up: that of our own consumer group, and of one whose place it takes.

Topics with one prefix have one `state.v1`. A second group would go on with models that the first one changes, and write
over its snapshots: transactions fence the members of a group, not two groups.
"""

from __future__ import annotations

from confluent_kafka.admin import AdminClient

from foreshock.errors import ConfigurationError
from foreshock.streams.state.tails import REQUEST_S


class Claims:
    """Refuses the state of another group.

    Parameters
    ----------
    group
        Our own consumer group.
    before
        The one whose state is to be taken over; empty: none.
    topic
        `state.v1` as it is called on the broker.
    """

    def __init__(self, group: str, before: str, topic: str) -> None:
        self.group = group
        self._before = before
        self._topic = topic

    def check(self, partition: int, owner: str, admin: AdminClient) -> None:
        """Pass where the state of a partition is ours, is that of the group before us, or names none.

        Parameters
        ----------
        owner
            The group that the marker names.
        admin
            Asks whether the group before us has members left.

        Raises
        ------
        ConfigurationError
            It is another group's, or that group still has members.
        KafkaException
            No answer about it.
        """
        if owner in ("", self.group):
            return
        place = f"{self._topic} partition {partition} holds the state of consumer group {owner!r}"
        if owner != self._before:
            raise ConfigurationError(
                f"{place}, this worker is of group {self.group!r}: two groups would write over each other's state. Give this one "
                f"topics of its own (topics.prefix); or, where {owner!r} is no longer used, hand its state over: "
                f"foreshock worker --from-group {owner}"
            )
        found = admin.describe_consumer_groups([owner], request_timeout=REQUEST_S)[owner].result()
        if found.members:
            raise ConfigurationError(
                f"{place}, which has {len(found.members)} members left: stop them and start this worker of group "
                f"{self.group!r} again (one with a worker.instance_id stays a member for its session timeout)"
            )
