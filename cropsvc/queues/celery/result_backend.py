"""Celery's Redis backend for foreign programs' results, which never holds our stack traces."""

from typing import Any

from celery.backends.redis import RedisBackend

from cropsvc.store.connection import PLAIN


class Results(RedisBackend):  # type: ignore[misc]  # Celery has no types
    """Stores an error's class and message only, and talks to Redis as our other clients do."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.connparams.update(PLAIN)

    def store_result(
        self, task_id: str, result: Any, state: str, traceback: object = None, **options: Any
    ) -> Any:
        """As Celery's, without the traceback."""
        return super().store_result(task_id, result, state, traceback=None, **options)
