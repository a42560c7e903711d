"""How the server is configured: what an operator should change before jobs are lost."""

from collections.abc import Mapping
from typing import Any

from redis.exceptions import ResponseError

from cropsvc.store.base import Base
from cropsvc.store.errors import hides_redis

NO_LIMIT = (
    "Redis has no `maxmemory`: it grows until the system kills it, and submits are never refused "
    "in time. Set `maxmemory` below the memory of its machine."
)
NO_PERSISTENCE = (
    "Redis has no persistence: a restart loses every job. Set `appendonly yes`, or `save` for "
    "snapshots."
)
EVICTS = (
    "Redis evicts keys (`maxmemory-policy {policy}`): acknowledged jobs can disappear. Set "
    "`maxmemory-policy noeviction`."
)


@hides_redis
class Configuration(Base):
    """What the server says about its own configuration."""

    def warnings(self) -> list[str]:
        """Return one sentence for each part of the configuration that can lose jobs.

        Managed servers forbid CONFIG GET, so INFO comes first. What neither shows is no warning.
        """
        memory, persistence = self._info("memory"), self._info("persistence")
        found = []
        if memory.get("maxmemory") == 0:
            found.append(NO_LIMIT)
        policy = memory.get("maxmemory_policy", "noeviction")
        if policy != "noeviction":
            found.append(EVICTS.format(policy=policy))
        if persistence.get("aof_enabled") == 0 and self._snapshots() is False:
            found.append(NO_PERSISTENCE)
        return found

    def _info(self, section: str) -> Mapping[str, Any]:
        try:
            facts: dict[str, Any] = self.client.info(section)
        except ResponseError:  # an ACL forbids it
            return {}
        return facts

    def _snapshots(self) -> bool | None:
        """Return whether the server saves snapshots, or None if the server does not say.

        INFO does not have it. Only a server without an append-only file is asked, so that users
        whose ACL forbids CONFIG do not fill the ACL log.
        """
        try:
            answer = self.client.config_get("save")
        except ResponseError:
            return None
        return bool(answer["save"]) if "save" in answer else None
