"""What the client raises.

ClientError
├── NoAnswer      the service was not reached, or its answer was not one of a cropsvc
└── ServiceError  the service refused; `code` and `status` say why
    └── JobFailed the job, or an output of it, could not be done
"""


class ClientError(Exception):
    """A call that failed. `retry_after` (seconds) is set if the same call may succeed later."""

    def __init__(
        self, detail: str, *, status: int = 0, code: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status
        self.code = code
        self.retry_after = retry_after


class NoAnswer(ClientError):
    """No answer came, or one that is not a cropsvc's."""


class ServiceError(ClientError):
    """The service refused: its status, its code, its explanation."""

    def __str__(self) -> str:
        return f"{self.detail} ({self.status} {self.code})" if self.code else self.detail


class JobFailed(ServiceError):
    """The job ended without the image; `code` says why."""

    def __str__(self) -> str:
        return f"{self.detail} ({self.code})"
