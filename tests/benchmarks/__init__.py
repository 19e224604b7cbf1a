"""Measurements that are too slow, or need too much data, to be tests: ``python -m tests.benchmarks.retarget``."""
