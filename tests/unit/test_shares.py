"""How many deliveries each receiver may have at once."""

import random

from cropsvc.webhooks.courier import AT_ONCE
from cropsvc.webhooks.shares import (
    AT_ONE_RECEIVER,
    AT_SILENT,
    AT_UNKNOWN,
    RECEIVERS,
    DeliverySlot,
    Shares,
)


def answered(shares: Shares, receiver: str) -> None:
    shares.give_back(shares.take(receiver), answered=True)


def test_an_unknown_receiver_gets_one_place_and_a_share_after_its_answer() -> None:
    shares = Shares()
    place = shares.take("a")
    assert not shares.has_room("a")
    shares.give_back(place, answered=True)
    assert [shares.has_room("a") and bool(shares.take("a")) for _ in range(AT_ONE_RECEIVER)] == (
        [True] * AT_ONE_RECEIVER
    )
    assert not shares.has_room("a")


def test_one_that_falls_silent_is_back_to_one_place() -> None:
    shares = Shares()
    answered(shares, "a")
    shares.give_back(shares.take("a"), answered=False)
    assert shares.of("a") == 1


def test_receivers_that_hang_however_many_leave_room_for_one_that_answers() -> None:
    shares = Shares()
    answered(shares, "well")
    taken = 0
    for number in range(1000):
        if shares.has_room(f"hangs-{number}"):
            shares.take(f"hangs-{number}")
            taken += 1
    assert taken == AT_UNKNOWN
    assert AT_UNKNOWN + AT_SILENT < AT_ONCE
    assert shares.has_room("well")


def test_receivers_known_to_hang_do_not_delay_one_never_heard_of() -> None:
    shares = Shares()
    for number in range(AT_UNKNOWN):
        shares.give_back(shares.take(f"hangs-{number}"), answered=False)
    again = [shares.take(name) for n in range(50) if shares.has_room(name := f"hangs-{n}")]
    assert len(again) == AT_SILENT
    assert shares.has_room("new")


def test_nothing_is_left_when_all_places_are_given_back() -> None:
    shares, places, chance = Shares(), list[DeliverySlot](), random.Random(19)
    for _ in range(3000):
        receiver = f"r{chance.randrange(40)}"
        if chance.random() < 0.6 and shares.has_room(receiver):
            places.append(shares.take(receiver))
        elif places:
            place = places.pop(chance.randrange(len(places)))
            shares.give_back(place, answered=chance.random() < 0.5)
    for place in places:
        shares.give_back(place, answered=False)
    assert (shares._busy, shares._places.total()) == ({}, 0)


def test_only_the_last_receivers_are_remembered() -> None:
    shares = Shares()
    for number in range(RECEIVERS + 1):
        answered(shares, str(number))
    assert (shares.of("0"), shares.of("1")) == (1, AT_ONE_RECEIVER)
