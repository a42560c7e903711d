"""POST /v1/crops: the ways in, and the answer."""

import hashlib

import pytest

from tests import pictures
from tests.contract.client import Client, cut, problem


def test_a_raw_body_is_cropped(api: Client) -> None:
    data = pictures.png(40, 30)
    response = api.submit(data, box="4,5,20,10")
    job = api.accept(response)
    assert job["source"] == {
        "format": "png",
        "width": 40,
        "height": 30,
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    done = api.ended(job)
    assert done["state"] == "done"
    assert done["stage"] == "done"
    assert done["error"] is None
    assert [o["region"] for o in done["outputs"]] == [[4, 5, 20, 10]]
    shown = pictures.decode(api.bytes_of(done))
    assert (shown == cut(pictures.pattern(40, 30), (4, 5, 20, 10))).all()


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg", "image/x-unknown"])
def test_a_raw_body_may_be_any_image_type_the_bytes_decide(api: Client, kind: str) -> None:
    job = api.crop(pictures.png(), headers={"Content-Type": kind})
    assert job["source"]["format"] == "png"


def test_a_form_is_cropped_by_its_fields(api: Client) -> None:
    job = api.ended(api.accept(api.upload(pictures.png(41, 30), box="0,0,5,6", format="webp")))
    output = job["outputs"][0]
    assert (output["width"], output["height"], output["format"]) == (5, 6, "webp")


def test_a_form_may_carry_some_parameters_in_the_query(api: Client) -> None:
    files = {"image": ("a.png", pictures.png(42, 30))}
    response = api.post("/v1/crops", params={"box": "0,0,5,6"}, data={"rotate": "90"}, files=files)
    output = api.ended(api.accept(response))["outputs"][0]
    assert output["region"] == [0, 0, 5, 6]


def test_a_submit_without_parameters_gives_the_whole_image(api: Client) -> None:
    shown, output = api.pixels(pictures.png(43, 30))
    assert output["region"] == [0, 0, 43, 30]
    assert (shown == pictures.pattern(43, 30)).all()


def test_bytes_after_the_images_end_are_ignored(api: Client) -> None:
    shown, _ = api.pixels(pictures.png(44, 30) + b"\0trailing" * 100)
    assert (shown == pictures.pattern(44, 30)).all()


def test_a_stray_percent_in_the_url_is_understood(api: Client) -> None:
    response = api.post(
        "/v1/crops?box=0,0,50%,50%",
        content=pictures.png(45, 30),
        headers={"Content-Type": "image/png"},
    )
    assert api.ended(api.accept(response))["outputs"][0]["region"] == [0, 0, 23, 15]


def test_a_finished_job_has_its_whole_record(api: Client) -> None:
    job = api.crop(pictures.png(46, 30), box="-5,0,20,10", size="40x20", format="jpeg")
    output = job["outputs"][0]
    assert {k: output[k] for k in ("name", "state", "width", "height", "format", "error")} == {
        "name": "0",
        "state": "done",
        "width": 40,
        "height": 20,
        "format": "jpeg",
        "error": None,
    }
    assert output["region"] == [0, 0, 15, 10]
    assert set(output["notes"]) == {"clamped", "enlarged"}
    assert job["cached"] is False
    assert job["created_at"] <= job["started_at"] <= job["ended_at"] < job["expires_at"]


# source=


def test_an_earlier_upload_is_cropped_again(api: Client) -> None:
    first = api.crop(pictures.png(47, 30), box="0,0,5,5")
    again = api.crop(source=first["id"], box="10,10,7,8", format="png")
    assert again["id"] != first["id"]
    assert again["source"] == first["source"]
    shown = pictures.decode(api.bytes_of(again))
    assert (shown == cut(pictures.pattern(47, 30), (10, 10, 7, 8))).all()


def test_source_works_as_a_form_field_without_a_file(api: Client) -> None:
    first = api.crop(pictures.png(48, 30))
    fields = {"source": (None, first["id"]), "box": (None, "0,0,3,3")}
    again = api.ended(api.accept(api.post("/v1/crops", files=fields)))
    assert again["outputs"][0]["region"] == [0, 0, 3, 3]


def test_source_works_next_to_an_empty_file_field(api: Client) -> None:
    first = api.crop(pictures.png(48, 31))
    source = f'--x\r\nContent-Disposition: form-data; name="source"\r\n\r\n{first["id"]}\r\n'
    empty = '--x\r\nContent-Disposition: form-data; name="image"; filename=""\r\n\r\n\r\n--x--\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    response = api.post("/v1/crops", content=(source + empty).encode(), headers=headers)
    assert api.ended(api.accept(response))["state"] == "done"


def test_an_unknown_source_is_refused(api: Client) -> None:
    problem(api.submit(source="never-was"), 404, "not-found")


def test_source_and_a_file_together_are_refused(api: Client) -> None:
    first = api.crop(pictures.png())
    response = api.submit(pictures.png(), source=first["id"])
    assert problem(response, 400)["code"] in ("bad-parameter", "bad-request")


def test_the_source_is_checked_against_the_new_box(api: Client) -> None:
    first = api.crop(pictures.png())
    problem(api.submit(source=first["id"], box="1000,0,5,5"), 422, "box-outside")


# waiting


def test_wait_holds_the_answer_until_the_job_ended(api: Client) -> None:
    response = api.submit(pictures.png(49, 30), wait=20)
    assert api.accept(response)["state"] == "done"
    assert response.elapsed.total_seconds() < 10


@pytest.mark.parametrize(
    "asked", ["wait=20", "wait=100", "wait=99999999999", "respond-async, wait=20"]
)
def test_prefer_wait_is_applied_and_confirmed(api: Client, asked: str) -> None:
    response = api.submit(pictures.unlike(len(asked)), headers={"Prefer": asked})
    assert api.accept(response)["state"] == "done"
    assert "wait=" in response.headers["Preference-Applied"]


@pytest.mark.parametrize("malformed", ["wait", "wait=", "wait=soon", "wait=-3", "wait=1.5.2"])
def test_a_malformed_preference_is_ignored(api: Client, malformed: str) -> None:
    response = api.submit(pictures.png(50, 30), headers={"Prefer": malformed})
    api.accept(response)
    assert "Preference-Applied" not in response.headers


def test_without_a_preference_none_is_applied(api: Client) -> None:
    assert "Preference-Applied" not in api.submit(pictures.png()).headers


def test_a_preference_gives_way_to_the_parameter(api: Client) -> None:
    headers = {"Prefer": "wait=5"}
    submitted = api.submit(pictures.png(51, 30), wait=0, headers=headers)
    shown = api.get(submitted.headers["Location"], params={"wait": 0}, headers=headers)
    assert "Preference-Applied" not in submitted.headers
    assert "Preference-Applied" not in shown.headers


def test_the_answer_varies_by_what_decides_it(api: Client) -> None:
    varied = {v.strip().lower() for v in api.submit(pictures.png()).headers["Vary"].split(",")}
    assert {"accept", "prefer"} <= varied


# the bytes at once


@pytest.mark.parametrize("accept", ["image/*", "image/png", "text/html, image/webp;q=0.5"])
def test_accept_image_with_wait_gets_the_bytes(api: Client, accept: str) -> None:
    pixels = pictures.pattern(51, 30)
    response = api.submit(
        pictures.encode(pixels), box="1,2,30,20", format="png", wait=20, headers={"Accept": accept}
    )
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "image/png"
    assert (pictures.decode(response.content) == cut(pixels, (1, 2, 30, 20))).all()
    assert {"accept", "prefer"} <= {v.strip().lower() for v in response.headers["Vary"].split(",")}


@pytest.mark.parametrize(
    "accept", ["*/*", "application/json", "text/html,*/*;q=0.8", "application/json, image/*;q=0"]
)
def test_accept_without_an_image_type_gets_the_job(api: Client, accept: str) -> None:
    response = api.submit(pictures.png(52, 30), wait=20, headers={"Accept": accept})
    assert api.accept(response)["state"] == "done"


def test_accept_image_without_wait_gets_the_job(api: Client) -> None:
    api.accept(api.submit(pictures.unlike(5201), headers={"Accept": "image/*"}))


def test_prefer_wait_gives_the_bytes_too(api: Client) -> None:
    headers = {"Accept": "image/*", "Prefer": "wait=20"}
    response = api.submit(pictures.png(53, 30), headers=headers)
    assert response.status_code == 200
    assert response.content.startswith(b"\x89PNG")


def test_the_first_output_is_the_one_that_comes_at_once(api: Client) -> None:
    outputs = '[{"box":"0,0,3,4"},{"box":"0,0,9,9"}]'
    headers = {"Accept": "image/*"}
    response = api.submit(pictures.png(54, 30), outputs=outputs, wait=20, headers=headers)
    assert pictures.decode(response.content).shape[:2] == (4, 3)


def test_a_broken_image_is_a_problem_where_the_bytes_were_asked(api: Client) -> None:
    data = pictures.truncated(pictures.jpeg(300, 200, seed=77))
    response = api.submit(data, wait=20, headers={"Accept": "image/*"})
    problem(response, 422, "unreadable")
    assert {"accept", "prefer"} <= {v.strip().lower() for v in response.headers["Vary"].split(",")}
