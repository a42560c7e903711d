"""How many deliveries each receiver may have at once."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

AT_ONE_RECEIVER = 8
AT_UNKNOWN = 50  # at all receivers together that were never asked
AT_SILENT = 25  # at all receivers together that did not answer last
RECEIVERS = 1000  # of each kind that are remembered


class Kind(StrEnum):
    """What is known of a receiver."""

    ANSWERS = "answers"
    UNKNOWN = "unknown"
    SILENT = "silent"


@dataclass(frozen=True)
class DeliverySlot:
    """A place that a delivery has."""

    receiver: str
    kind: Kind  # of the receiver when the delivery began


class Shares:
    """A full share for a receiver that answered last, one place for any other.

    All silent receivers together get a quarter of the courier's places, and all unknown ones half.
    So receivers that hang, however many, leave room for those that answer. They delay a new one
    by one attempt at most, and only if as many new ones hang at once.
    """

    def __init__(self) -> None:
        self._busy: Counter[str] = Counter()
        self._places: Counter[Kind] = Counter()
        self._known: dict[Kind, dict[str, None]] = {Kind.ANSWERS: {}, Kind.SILENT: {}}

    def of(self, receiver: str) -> int:
        """Return how many deliveries a receiver may have at once."""
        return AT_ONE_RECEIVER if self._kind_of(receiver) is Kind.ANSWERS else 1

    def has_room(self, receiver: str) -> bool:
        """Return whether one more delivery may start."""
        kind = self._kind_of(receiver)
        most = {Kind.UNKNOWN: AT_UNKNOWN, Kind.SILENT: AT_SILENT}.get(kind)
        if most is not None and self._places[kind] >= most:
            return False
        return self._busy[receiver] < self.of(receiver)

    def take(self, receiver: str) -> DeliverySlot:
        """Return a place for a delivery that starts now."""
        place = DeliverySlot(receiver, self._kind_of(receiver))
        self._busy[receiver] += 1
        self._places[place.kind] += 1
        return place

    def give_back(self, place: DeliverySlot, *, answered: bool) -> None:
        """End a delivery, and note whether the receiver answered."""
        self._busy[place.receiver] -= 1
        if not self._busy[place.receiver]:
            del self._busy[place.receiver]
        self._places[place.kind] -= 1
        for remembered in self._known.values():
            remembered.pop(place.receiver, None)
        remembered = self._known[Kind.ANSWERS if answered else Kind.SILENT]
        remembered[place.receiver] = None  # the last ones at the end
        if len(remembered) > RECEIVERS:
            del remembered[next(iter(remembered))]

    def _kind_of(self, receiver: str) -> Kind:
        found = (kind for kind, receivers in self._known.items() if receiver in receivers)
        return next(found, Kind.UNKNOWN)
