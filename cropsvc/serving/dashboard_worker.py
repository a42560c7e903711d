"""gunicorn's gevent worker, whose own answers carry the security headers too."""

from typing import Any

import gevent
from gunicorn.workers.ggevent import GeventWorker

from cropsvc.serving.parse_errors import ProblemSocket
from cropsvc.serving.turns import bound_chunks


class Worker(GeventWorker):  # type: ignore[misc]  # gunicorn ships no types
    """Serves the dashboard: slow clients must not hold it."""

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Serve one request, then let other clients' run."""
        bound_chunks(req)
        super().handle_request(listener_name, req, sock, addr)
        gevent.sleep(0)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer what cannot be parsed."""
        super().handle_error(req, ProblemSocket(client), addr, exc)
