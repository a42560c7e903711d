"""How many jobs each upload token has made."""

from cropsvc.store.base import Base
from cropsvc.store.errors import hides_redis
from cropsvc.store.keys import token_key


@hides_redis
class TokenUses(Base):
    """One counter for each token, which expires with it."""

    def take_use(self, token: str, most: int, seconds: int) -> bool:
        """Count one job of *token*. Return False if *most* are made already."""
        return bool(self._run("take_use", [token_key(token)], [most, seconds]))

    def return_use(self, token: str) -> None:
        """Give back what `take_use` counted."""
        self._run("return_use", [token_key(token)], [])
