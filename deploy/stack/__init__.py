"""A whole installation on one machine: broker, hub, connectors and the sources they read.

deploy/run shows it to people; the tests in tests/system and beyond run against it.
"""
