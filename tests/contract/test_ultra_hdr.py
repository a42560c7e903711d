"""`hdr=keep`: Ultra HDR JPEGs over HTTP."""

import struct

from tests.contract.client import Client, output_of
from tests.imaging.ultra_hdr import XMP_FIGURES, photo

NOTE = "gain-map-dropped"


def test_each_output_keeps_or_drops_the_gain_map(api: Client) -> None:
    job = api.crop(
        photo((640, 480)),
        size="320x240",
        outputs='[{"name":"kept","hdr":"keep"},{"name":"plain"},'
        '{"name":"png","hdr":"keep","format":"png"}]',
    )
    notes = {name: output_of(job, name)["notes"] for name in ("kept", "plain", "png")}
    assert {name: NOTE in said for name, said in notes.items()} == {
        "kept": False, "plain": True, "png": True,
    }  # fmt: skip
    kept, plain = api.bytes_of(job, "kept"), api.bytes_of(job, "plain")
    index = kept.index(b"MPF\0") + 4
    _, length, place = struct.unpack_from(">3I", kept, index + 66)
    gains = kept[index + place :]
    assert len(gains) == length
    assert gains.startswith(b"\xff\xd8\xff")
    for name, figure in XMP_FIGURES.items():
        assert f'hdrgm:{name}="{figure}"'.encode() in gains
    assert b"MPF" not in plain
    assert b"hdrgm" not in plain


def test_a_broken_gain_map_costs_nothing_but_itself(api: Client) -> None:
    data = photo((640, 480))
    job = api.crop(data[: data.index(b"\xff\xd8\xff", 100) + 900], size="64x", hdr="keep")
    assert NOTE in output_of(job, "0")["notes"]


def test_another_value_is_refused(api: Client) -> None:
    response = api.submit(photo((64, 48), map_size=(16, 12)), hdr="maybe")
    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "hdr"


def test_the_api_and_its_notes_describe_it(api: Client) -> None:
    text = api.get("/openapi.json").text
    assert '"hdr"' in text
    assert f'"{NOTE}"' in text
