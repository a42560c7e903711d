"""The contract suite on a live stack with an object store: `python -m tests.contract file|s3 ...`.

Runs the modules that need a server, and what is given beside (paths, options of pytest). The S3
server is moto's, on loopback. CI runs the suite in this process only, and on Redis.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.contract.conftest import BLOBS, ON_A_SERVER
from tests.stack import free_port, until

HERE = Path(__file__).parent
BUCKET = "contract"
KEYS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
}


@contextmanager
def directory() -> Iterator[dict[str, str]]:
    """The environment with images in a directory."""
    with tempfile.TemporaryDirectory() as place:
        yield {BLOBS: f"file://{place}/objects"}


@contextmanager
def s3() -> Iterator[dict[str, str]]:
    """The environment with images in an S3 server."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        until(lambda: _made(f"{url}/{BUCKET}"), seconds=60, what="the S3 server makes a bucket")
        yield {BLOBS: f"s3://{BUCKET}/prefix", "AWS_ENDPOINT_URL": url, **KEYS}
        server.kill()


def _made(url: str) -> bool:
    try:
        return httpx.put(url).is_success
    except httpx.TransportError:
        return False


def main(kind: str, *more: str) -> int:
    """Run it, and return pytest's exit code."""
    modules = [str(HERE / f"{name}.py") for name in sorted(ON_A_SERVER)]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *modules, *more]
    with {"file": directory, "s3": s3}[kind]() as environ:
        return subprocess.run(command, env={**os.environ, **environ}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
