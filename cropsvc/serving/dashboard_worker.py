"""gunicorn's gevent worker, whose own answers carry the security headers too."""

from typing import Any

from gunicorn.workers.ggevent import GeventWorker

from cropsvc.serving.parse_errors import ProblemSocket


class Worker(GeventWorker):  # type: ignore[misc]  # gunicorn ships no types
    """Serves the dashboard: slow clients must not hold it."""

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer what cannot be parsed."""
        super().handle_error(req, ProblemSocket(client), addr, exc)
