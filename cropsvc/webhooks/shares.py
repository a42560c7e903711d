"""How many deliveries each receiver may have at once."""

from collections import Counter
from dataclasses import dataclass

AT_ONE_RECEIVER = 8
AT_DOUBTFUL = 50  # at all receivers together that did not answer last, or were never asked
RECEIVERS = 1000  # that are remembered to answer


@dataclass(frozen=True)
class DeliverySlot:
    """A place that a delivery has."""

    receiver: str
    doubtful: bool


class Shares:
    """A full share for a receiver that answered last, one place for any other.

    All of the others together get half of the courier's places. So receivers that hang, however
    many, leave room for those that answer.
    """

    def __init__(self) -> None:
        self._busy: Counter[str] = Counter()
        self._doubtful = 0
        self._answered: dict[str, None] = {}  # the last ones at the end

    def of(self, receiver: str) -> int:
        """Return how many deliveries a receiver may have at once."""
        return AT_ONE_RECEIVER if receiver in self._answered else 1

    def has_room(self, receiver: str) -> bool:
        """Return whether one more delivery may start."""
        if receiver not in self._answered and self._doubtful >= AT_DOUBTFUL:
            return False
        return self._busy[receiver] < self.of(receiver)

    def take(self, receiver: str) -> DeliverySlot:
        """Return a place for a delivery that starts now."""
        place = DeliverySlot(receiver, doubtful=receiver not in self._answered)
        self._busy[receiver] += 1
        self._doubtful += place.doubtful
        return place

    def give_back(self, place: DeliverySlot, *, answered: bool) -> None:
        """End a delivery, and note whether the receiver answered."""
        self._busy[place.receiver] -= 1
        if not self._busy[place.receiver]:
            del self._busy[place.receiver]
        self._doubtful -= place.doubtful
        self._answered.pop(place.receiver, None)
        if answered:
            self._answered[place.receiver] = None
        if len(self._answered) > RECEIVERS:
            del self._answered[next(iter(self._answered))]
