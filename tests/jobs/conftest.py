"""A store in memory and a queue that only notes what it is asked for."""

from tests.store.conftest import client, store, valkey_url

__all__ = ["client", "store", "valkey_url"]
