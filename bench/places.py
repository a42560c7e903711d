"""Where the benchmark reads and writes; all but the results is under var/, which git ignores."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PHOTOS = ROOT / "tests" / "photos"
VAR = ROOT / "var" / "bench"
IMAGES = VAR / "images"
RESULTS = ROOT / "bench" / "results.md"
THUMBOR = ROOT / "var" / "bench-thumbor"
IPX = ROOT / "var" / "bench-ipx"
PEERS = ROOT / "bench" / "peers"
