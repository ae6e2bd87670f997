"""The database: groups, savepoints, readers, wake-ups, on both engines."""

from kernel.database import Database, tx_notify


def test_a_waiter_is_woken_after_the_commit_that_raised_its_topic(database: Database):
    topic = database.topic("jobs")

    database.write(lambda connection: tx_notify(connection, "jobs"))

    assert topic.wait(10)
    assert not topic.wait(0)
