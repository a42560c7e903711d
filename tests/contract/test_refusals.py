"""What is refused at submit: each row of the contract's table of errors."""

import json

import httpx
import pytest

from tests import pictures
from tests.contract.client import Client, problem
from tests.stack import Stack

PNG = pictures.png(40, 30)

BAD_PARAMETERS = [
    ("box", ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1e1,0,5,5", "nan,0,5,5", "inf,0,5,5"]),
    ("box", ["0,0,0,5", "0,0,5,0", "0,0,-5,5", "0,0,5,-5%", "0,0,1.2345678901234,5", "0x1,0,5,5"]),
    ("box", ["0,0,5,5,", "0,0,5 5", "+1,0,5,5", "1_0,0,5,5", "٣,0,5,5", "0,0,5,5%%"]),
    ("aspect", ["", "0", "16:0", "-1:1", "wide", "1:2:3", "nan", "16/9"]),
    ("anchor", ["", "middle", "0.5", "2,0", "-0.1,0.5", "top-top", "0.5,0.5,0.5"]),
    ("size", ["", "x", "0x10", "10x0", "-5x5", "10", "1.5x2", "axb", "10x10x10", "99999x10"]),
    ("fit", ["", "fill", "COVER "]),
    ("enlarge", ["", "maybe", "2"]),
    ("rotate", ["", "45.123", "-361", "360.01", "right"]),
    ("format", ["", "tiff", "bmp", "svg", "image/png"]),
    ("quality", ["", "0", "101", "-1", "8.5", "high"]),
    ("background", ["", "red", "#fff", "ffffff", "#gggggg", "#fffffffff"]),
    ("preset", ["", "modern"]),
    ("wait", ["", "-1", "31", "soon", "nan", "inf"]),
    ("outputs", ["", "[]", "{}", "nope", "[1]", '"x"', json.dumps([{}] * 17)]),
]
ONE_BY_ONE = [(name, value) for name, values in BAD_PARAMETERS for value in values]

BAD_OUTPUTS = [
    ([{"box": "0,0,5,5"}, {}, {"box": "0,0,0,0"}], "outputs[2].box"),
    ([{"size": "x"}], "outputs[0].size"),
    ([{"name": "Big"}], "outputs[0].name"),
    ([{"name": "a" * 33}], "outputs[0].name"),
    ([{"name": "a"}, {"name": "a"}], "outputs[1].name"),
    ([{"nonsense": 1}], "outputs[0].nonsense"),
    ([{"wait": 1}], "outputs[0].wait"),
    ([{"outputs": []}], "outputs[0].outputs"),
    ([{"quality": 8.5}], "outputs[0].quality"),
    ([{"enlarge": [True]}], "outputs[0].enlarge"),
    ([{"box": None}], "outputs[0].box"),
]


@pytest.mark.parametrize(("name", "value"), ONE_BY_ONE)
def test_a_bad_parameter_is_refused_by_name(api: Client, name: str, value: str) -> None:
    problem(api.submit(PNG, **{name: value}), 400, "bad-parameter", field=name)


@pytest.mark.parametrize(("outputs", "field"), BAD_OUTPUTS)
def test_a_bad_output_is_refused_by_its_place(api: Client, outputs: object, field: str) -> None:
    problem(api.submit(PNG, outputs=json.dumps(outputs)), 400, "bad-parameter", field=field)


def test_all_bad_parameters_are_named_together(api: Client) -> None:
    response = api.submit(PNG, box="1,2,3", quality="0", rotate="451", size="5x5")
    body = problem(response, 400, "bad-parameter")
    assert {error["field"] for error in body["errors"]} == {"box", "quality", "rotate"}


def test_the_message_has_the_value_and_the_limit(api: Client) -> None:
    body = problem(api.submit(PNG, quality="250"), 400, "bad-parameter", field="quality")
    assert "250" in body["detail"]
    assert "100" in body["detail"]


@pytest.mark.parametrize("name", ["Box", "boxes", "jobid", "<script>", "__proto__"])
def test_an_unknown_parameter_is_refused_by_name(api: Client, name: str) -> None:
    response = api.post("/v1/crops", params={name: "1"}, content=PNG, headers=_raw())
    problem(response, 400, "bad-parameter", field=name)


def test_an_unknown_form_field_is_refused_by_name(api: Client) -> None:
    problem(api.upload(PNG, nonsense="1"), 400, "bad-parameter", field="nonsense")


def test_an_unknown_file_field_is_refused(api: Client) -> None:
    files = {"image": ("a.png", PNG), "other": ("b.png", PNG)}
    assert api.post("/v1/crops", files=files).status_code == 400


def test_a_repeated_query_parameter_is_refused_by_name(api: Client) -> None:
    response = api.post("/v1/crops?rotate=90&rotate=90", content=PNG, headers=_raw())
    problem(response, 400, "bad-parameter", field="rotate")


def test_a_repeated_form_field_is_refused_by_name(api: Client) -> None:
    parts = [("image", ("a.png", PNG)), ("rotate", (None, "90")), ("rotate", (None, "90"))]
    problem(api.post("/v1/crops", files=parts), 400, "bad-parameter", field="rotate")


def test_one_name_in_query_and_form_is_refused(api: Client) -> None:
    files = {"image": ("a.png", PNG), "rotate": (None, "90")}
    response = api.post("/v1/crops", params={"rotate": "90"}, files=files)
    problem(response, 400, "bad-parameter", field="rotate")


def test_two_files_are_refused(api: Client) -> None:
    parts = [("image", ("a.png", PNG)), ("image", ("b.png", PNG))]
    assert api.post("/v1/crops", files=parts).status_code == 400


def test_status_and_image_refuse_unknown_parameters_too(api: Client) -> None:
    job = api.crop(PNG)
    response = api.get(f"/v1/crops/{job['id']}", params={"nonsense": "1"})
    problem(response, 400, "bad-parameter", field="nonsense")
    response = api.get(f"/v1/crops/{job['id']}", params={"wait": "31"})
    problem(response, 400, "bad-parameter", field="wait")


# no image


def test_no_body_is_a_bad_request(api: Client) -> None:
    problem(api.submit(b""), 400, "bad-request")
    problem(api.post("/v1/crops"), 400)


def test_a_form_without_a_file_is_a_bad_request(api: Client) -> None:
    problem(api.post("/v1/crops", files={"box": (None, "0,0,5,5")}), 400, "bad-request")


def test_an_empty_file_is_a_bad_request(api: Client) -> None:
    problem(api.upload(b""), 400, "bad-request")


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "application/pdf", "video/mp4"])
def test_another_content_type_is_unsupported(api: Client, kind: str) -> None:
    response = api.post("/v1/crops", content=PNG, headers={"Content-Type": kind})
    problem(response, 415, "unsupported-format")


OTHERS = {
    "text": b"just words, called an image",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
    "pdf": b"%PDF-1.7\n1 0 obj\n",
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "zip": b"PK\x03\x04" + bytes(60),
    "ico": b"\0\0\1\0\1\0" + bytes(60),
    "jpeg 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(60),
    "riff that is not webp": b"RIFF\x24\0\0\0WAVEfmt " + bytes(60),
    "one byte": b"\x89",
    "zeros": bytes(1000),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_what_is_no_image_of_ours_is_unsupported_whatever_it_is_called(
    api: Client, kind: str
) -> None:
    problem(api.upload(OTHERS[kind], name="holiday.jpg"), 415, "unsupported-format")
    headers = {"Content-Type": "image/jpeg"}
    problem(api.submit(OTHERS[kind], headers=headers), 415, "unsupported-format")


def test_a_heic_is_unsupported_or_if_the_server_has_the_extra_unreadable(api: Client) -> None:
    has_extra = api.get("/v1/capabilities").json()["extras"]["heif"]
    expected = (422, "unreadable") if has_extra else (415, "unsupported-format")
    stub = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(60)
    problem(api.submit(stub), *expected)


# images that cannot be done


BROKEN = {
    "png without a header": b"\x89PNG\r\n\x1a\n" + b"junk" * 50,
    "jpeg without tables": b"\xff\xd8\xff\xe0" + b"junk" * 50,
    "gif cut in its header": b"GIF89a\x05",
    "webp of zeros": b"RIFF\x64\0\0\0WEBPVP8 \x50" + bytes(200),
    "tiff of junk": b"II*\0" + b"\xff" * 50,
    "bmp of junk": b"BM" + b"\xff" * 60,
    "avif of junk": b"\0\0\0\x1cftypavif\0\0\0\0avifmif1" + b"junk" * 20,
    "png without pixels": pictures.png(300, 200)[:41],
    "jpeg without pixels": pictures.truncated(pictures.jpeg(300, 200, seed=5)),
    "webp cut in half": pictures.truncated(pictures.encode(pictures.photo(300, 200), "webp")),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_image_is_unreadable(api: Client, kind: str) -> None:
    assert api.failure(BROKEN[kind]) == "unreadable"


CUT = {
    "png": pictures.png(300, 200),
    "jpeg": pictures.jpeg(300, 200, seed=5),
    "gif": pictures.encode(pictures.photo(300, 200), "gif"),
    "bmp": pictures.encode(pictures.photo(300, 200), "bmp"),
}


@pytest.mark.parametrize("kind", CUT)
def test_an_image_cut_in_half_is_cropped_from_what_is_there(api: Client, kind: str) -> None:
    output = api.crop(CUT[kind][: len(CUT[kind]) // 2])["outputs"][0]
    assert (output["width"], output["height"]) == (300, 200)
    assert "source-truncated" in output["notes"]


@pytest.mark.parametrize("kind", CUT)
def test_strict_refuses_an_image_cut_in_half(api: Client, kind: str) -> None:
    half = CUT[kind][: len(CUT[kind]) // 2]
    assert api.failure(half, strict="true") == "unreadable"
    assert api.crop(CUT[kind], strict="true")["state"] == "done"


@pytest.mark.parametrize(
    "data",
    [pictures.png_header(100_000, 100_000), pictures.png_header(8000, 8000), pictures.bomb()],
    ids=["100000 x 100000", "8000 x 8000", "10000 x 10000 of one bit"],
)
def test_too_many_pixels_are_refused_from_the_header(api: Client, data: bytes) -> None:
    response = api.submit(data)
    body = problem(response, 422, "too-many-pixels")
    assert "50" in body["detail"]
    assert response.elapsed.total_seconds() < 2


def test_too_many_frames_are_too_complex(api: Client) -> None:
    problem(api.submit(pictures.many_frames(501)), 422, "too-complex")


def test_the_pixels_of_all_frames_count(api: Client) -> None:
    data = pictures.animation("gif", frames=130, size=(640, 640))
    problem(api.submit(data), 422, "too-many-pixels")


def test_too_many_scans_are_too_complex(api: Client) -> None:
    problem(api.submit(pictures.scan_bomb(65)), 422, "too-complex")
    api.crop(pictures.scan_bomb(64))


@pytest.mark.parametrize(
    "box", ["40,0,5,5", "0,30,5,5", "-9,0,5,5", "0,-5,5,5", "100%,0,5,5", "3,3,0.4,9", "-5,0,5,5"]
)
def test_a_box_with_nothing_left_is_box_outside(api: Client, box: str) -> None:
    problem(api.submit(PNG, box=box), 422, "box-outside", field="box")


def test_a_box_outside_in_one_output_refuses_all_by_its_place(api: Client) -> None:
    outputs = '[{},{"box":"999,0,5,5"}]'
    problem(api.submit(PNG, outputs=outputs), 422, "box-outside", field="outputs[1].box")


# the URL and the method


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/crops", {"POST"}),
        ("PUT", "/v1/crops/x", {"GET", "HEAD", "DELETE"}),
        ("POST", "/v1/crops/x/image", {"GET", "HEAD"}),
        ("DELETE", "/v1/crops/x/source", {"GET", "HEAD"}),
        ("PATCH", "/v1/crops", {"POST"}),
        ("POST", "/healthz", {"GET", "HEAD"}),
    ],
)
def test_a_wrong_method_is_answered_with_allow(
    api: Client, method: str, path: str, allowed: set[str]
) -> None:
    response = api.request(method, path)
    problem(response, 405, "method-not-allowed")
    told = {name.strip() for name in response.headers["Allow"].split(",")}
    assert told - {"OPTIONS"} == allowed


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1", "/v2/crops", "/v1/crops/a/b/c"])
def test_an_unknown_url_is_not_found(api: Client, path: str) -> None:
    problem(api.get(path), 404, "not-found")


# nothing is left


def test_a_refused_submit_leaves_nothing_in_the_store(stack: Stack) -> None:
    with Client(stack.url) as api, stack.redis() as redis:
        refusals = [
            lambda: api.submit(b""),
            lambda: api.submit(b"no image"),
            lambda: api.submit(PNG, box="nonsense"),
            lambda: api.submit(PNG, nonsense="1"),
            lambda: api.submit(PNG, box="999,0,5,5"),
            lambda: api.submit(pictures.png_header(100_000, 100_000)),
            lambda: api.upload(b""),
            lambda: api.submit(source="never-was"),
            lambda: api.submit(PNG, headers={"Idempotency-Key": "k" * 256}),
            lambda: api.submit(PNG, box="0,0,0,0", headers={"Idempotency-Key": "refused"}),
        ]
        api.crop(PNG)
        _refused(refusals[0]())
        before = _keys(redis)
        for refusal in refusals:
            _refused(refusal())
        assert _keys(redis) - before == set()


def _refused(response: httpx.Response) -> None:
    assert 400 <= response.status_code < 500, response.text


def _keys(redis) -> set[bytes]:  # type: ignore[no-untyped-def]
    """Every key but those that the workers' heartbeats and looks bring and take."""
    known = redis.scan_iter(count=1000)
    return {key for key in known if b"worker" not in key and b"orphans" not in key}


def _raw() -> dict[str, str]:
    return {"Content-Type": "application/octet-stream"}
