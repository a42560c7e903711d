"""The outbox: messages about ended jobs that wait for their delivery."""

from typing import cast

from cropsvc.model.job import JobRef
from cropsvc.store.base import Base
from cropsvc.store.errors import hides_redis
from cropsvc.store.keys import OUTBOX, member_of, record_key, ref_of

LEASE_SECONDS = 30  # a delivery that died is taken over after so long


@hides_redis
class Outbox(Base):
    """A sorted set of jobs, by the time of their next delivery (ms)."""

    def due_messages(self, limit: int) -> list[JobRef]:
        """Return jobs whose message is due now, the longest waiting first."""
        now = self._now_ms()
        found = self.client.zrange(OUTBOX, 0, now, byscore=True, offset=0, num=limit)
        return [ref_of(member) for member in cast(list[bytes], found)]

    def claim_message(self, ref: JobRef, seconds: float = LEASE_SECONDS) -> bool:
        """Hide a due message for *seconds*. Return False if another process has it."""
        return bool(self._run("claim_hook", [OUTBOX], [member_of(ref), round(seconds * 1000)]))

    def settle_message(self, ref: JobRef, state: str, status: int, wait: float) -> str:
        """Note an attempt: the new state, the receiver's status (0: no answer), the next wait.

        Return the state that it has now: `failed` if the job expires before the next attempt.
        """
        arguments = [member_of(ref), state, status, round(wait * 1000)]
        keys = [record_key(ref), OUTBOX]
        return cast(bytes, self._run("settle_hook", keys, arguments)).decode()

    def resend_message(self, ref: JobRef) -> bool:
        """Let an ended job's message be sent again. Return False if it has none."""
        return bool(self._run("resend_hook", [record_key(ref), OUTBOX], [member_of(ref)]))

    def oldest_message(self) -> float:
        """Return how many seconds the oldest due message waits; 0 if none is due."""
        found = cast(list[tuple[bytes, float]], self.client.zrange(OUTBOX, 0, 0, withscores=True))
        return max(0.0, (self._now_ms() - found[0][1]) / 1000) if found else 0.0

    def _now_ms(self) -> int:
        seconds, micros = self.client.time()
        return int(seconds) * 1000 + int(micros) // 1000
