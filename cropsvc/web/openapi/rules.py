"""The rules of texts as sentences: a row for each pattern that the page shows."""

from cropsvc.imaging.params.table import PRESET
from cropsvc.imaging.params.values import PATTERNS
from cropsvc.web.openapi.call import ONCE
from cropsvc.web.openapi.components import SHA256, TIME
from cropsvc.web.openapi.schemas import JOB_ID, WAIT

_NUMBER = "a plain decimal number of at most 12 characters, without exponent or plus sign"

RULES: dict[str, str] = {
    PATTERNS["box"]: "Four values with commas between them and no blanks. Each is "
    f"{_NUMBER}, in pixels, or with `%` behind it. `x` and `y` may be negative. `width` and "
    "`height` must be above 0. In a URL, write `%` as `%25`.",
    PATTERNS["aspect"]: f"`width:height` or one value. Each is above 0 and {_NUMBER}.",
    PATTERNS["anchor"]: "One of the names below, or two numbers from 0 to 1 with a comma between "
    "them.",
    PATTERNS["size"]: "`width` `x` `height`, each a whole number above 0. One of the two may be "
    "missing. `CROPSVC_MAX_SIDE` limits each side.",
    PATTERNS["quality"]: "A whole number from 1 to 100.",
    PATTERNS["max_bytes"]: "A whole number from 1024 to 999999999.",
    PATTERNS["background"]: "`#` and 6 hexadecimal digits: red, green, blue. Two more are the "
    "opacity, `00` to `ff`.",
    PATTERNS["rotate"]: "A number from -360 to 360 with at most two decimals.",
    PATTERNS["name"]: "1 to 32 characters of `a-z`, `0-9` and `-`.",
    PRESET.schema["pattern"]: "1 to 32 characters of `a-z`, `0-9` and `-`, the first not `-`.",
    WAIT["pattern"]: "A number of seconds from 0 to 30 with at most six decimals.",
    ONCE["schema"]["pattern"]: "1 to 255 visible ASCII characters, no blanks.",
    JOB_ID["pattern"]: "48 characters of `a-z` and `2-7`.",
    TIME: "UTC, `YYYY-MM-DDThh:mm:ss.mmmZ`.",
    SHA256: "64 hexadecimal digits: the SHA-256 of the bytes.",
}
