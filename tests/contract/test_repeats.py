"""The same request again: idempotency keys and results that are reused."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests import pictures
from tests.contract.client import Client, problem
from tests.stack import Stack


def keyed(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


def test_one_key_and_one_request_give_one_job(api: Client) -> None:
    data = pictures.png(80, 30)
    first = api.accepted(data, box="0,0,5,5", headers=keyed("one"))
    again = api.accepted(data, box="0,0,5,5", headers=keyed("one"))
    assert again["id"] == first["id"]
    api.ended(first)
    assert api.accepted(data, box="0,0,5,5", headers=keyed("one"))["id"] == first["id"]


def test_a_repeat_that_waits_for_the_bytes_gets_them(api: Client) -> None:
    data, headers = pictures.png(81, 30), {**keyed("bytes"), "Accept": "image/*"}
    first = api.submit(data, wait=20, headers=headers)
    again = api.submit(data, wait=20, headers=headers)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.content == again.content


def test_another_request_under_the_key_is_a_mismatch(api: Client) -> None:
    api.accepted(pictures.png(82, 30), box="0,0,5,5", headers=keyed("two"))
    other = api.submit(pictures.png(82, 30), box="0,0,6,6", headers=keyed("two"))
    problem(other, 422, "idempotency-mismatch")
    problem(api.submit(pictures.png(83, 30), headers=keyed("two")), 422, "idempotency-mismatch")


def test_a_refused_request_does_not_use_the_key_up(api: Client) -> None:
    problem(api.submit(pictures.png(84, 30), box="no", headers=keyed("three")), 400)
    api.accepted(pictures.png(84, 30), headers=keyed("three"))


def test_the_key_is_free_again_once_the_job_is_deleted(api: Client) -> None:
    data = pictures.png(85, 30)
    first = api.ended(api.accepted(data, headers=keyed("four")))
    assert api.delete(first["links"]["self"]).status_code == 204
    again = api.accepted(data, box="0,0,5,5", headers=keyed("four"))
    assert again["id"] != first["id"]


def test_a_crop_of_an_earlier_upload_is_found_by_its_key_when_the_upload_is_gone(
    api: Client,
) -> None:
    first = api.crop(pictures.png(87, 30))
    asked = {"source": first["id"], "box": "0,0,5,5"}
    again = api.ended(api.accepted(**asked, headers=keyed("gone")))
    api.delete(first["links"]["self"])
    problem(api.submit(**asked), 410, "deleted")
    assert api.accepted(**asked, headers=keyed("gone"))["id"] == again["id"]
    other = api.submit(**{**asked, "box": "0,0,6,6"}, headers=keyed("gone"))
    problem(other, 422, "idempotency-mismatch")
    strange = api.crop(pictures.png(88, 30))
    api.delete(strange["links"]["self"])
    problem(api.submit(**{**asked, "source": strange["id"]}, headers=keyed("gone")), 410, "deleted")


def test_equal_parameters_spelled_differently_are_the_same_request(api: Client) -> None:
    data = pictures.png(86, 30)
    first = api.accepted(data, box="0,0,5,5", rotate="0", headers=keyed("five"))
    again = api.accept(api.upload(data, box="0,0,5,5", headers=keyed("five")))
    assert again["id"] == first["id"]


def test_twenty_equal_requests_at_once_make_one_job(api: Client) -> None:
    data = pictures.png(87, 30)
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: api.submit(data, headers=keyed("six")), range(20)))
    assert {response.status_code for response in answers} == {202}
    assert len({response.json()["id"] for response in answers}) == 1


@pytest.mark.parametrize("key", ["", "k" * 256, "a b", "a\tb", "ä".encode()])
def test_a_key_that_is_none_is_refused(api: Client, key: str | bytes) -> None:
    raw = key if isinstance(key, bytes) else key.encode()
    headers = [(b"Idempotency-Key", raw), (b"Content-Type", b"image/png")]
    problem(api.post("/v1/crops", content=pictures.png(), headers=headers), 400)


def test_a_key_of_255_characters_is_taken(api: Client) -> None:
    api.accepted(pictures.png(88, 30), headers=keyed("~" * 255))


# results reused


def test_the_same_again_is_a_new_job_that_is_done_at_once(api: Client) -> None:
    data = pictures.png(90, 30)
    first = api.crop(data, box="1,1,9,9")
    again = api.accepted(data, box="1,1,9,9")
    assert again["id"] != first["id"]
    assert (again["state"], again["cached"], first["cached"]) == ("done", True, False)
    assert api.bytes_of(again) == api.bytes_of(first)
    assert [o["sha256"] for o in again["outputs"]] == [o["sha256"] for o in first["outputs"]]


def test_other_parameters_or_bytes_are_not_the_same(api: Client) -> None:
    data = pictures.png(91, 30)
    api.crop(data, box="1,1,9,9")
    assert api.crop(data, box="1,1,9,8")["cached"] is False
    assert api.crop(data, box="1,1,9,9", format="webp")["cached"] is False
    assert api.crop(data + b" ", box="1,1,9,9")["cached"] is False


def test_a_failure_is_not_reused(api: Client) -> None:
    broken = pictures.truncated(pictures.jpeg(210, 150, seed=41))
    assert api.ended(api.accepted(broken))["state"] == "failed"
    again = api.ended(api.accepted(broken))
    assert (again["state"], again["cached"]) == ("failed", False)


def test_a_reused_result_needs_no_worker(make_stack) -> None:
    stack: Stack = make_stack(workers=1)
    with Client(stack.url) as api:
        api.crop(pictures.png(), box="1,1,9,9")
        stack.kill(stack.worker)
        again = api.accepted(pictures.png(), box="1,1,9,9")
        assert (again["state"], again["cached"]) == ("done", True)
        assert pictures.decode(api.bytes_of(again)).shape[:2] == (9, 9)
