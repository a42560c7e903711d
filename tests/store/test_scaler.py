"""KEDA's user of Valkey, as deploy/kubernetes/make-secrets writes it: it counts jobs, no more."""

import shutil
import subprocess
from pathlib import Path

import pytest
import redis
import yaml

from tests.stack import ROOT

SCRIPTS = ("compose/make-secrets", "deploy/kubernetes/make-secrets")
COUNT = """
local size = {zset = 'zcard', list = 'llen', none = 'llen'}
return redis.call(size[redis.call('type', KEYS[1]).ok], KEYS[1])
"""  # as KEDA's redis scaler asks


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the secrets of a cluster."""
    root = tmp_path_factory.mktemp("checkout")
    for script in SCRIPTS:
        (root / script).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / script, root / script)
    subprocess.run([root / SCRIPTS[1]], check=True, stdout=subprocess.DEVNULL)
    return root


@pytest.mark.parametrize("place", ["base", "components/keda"])
def test_every_secret_that_the_manifests_read_is_written(checkout: Path, place: str) -> None:
    directory = Path("deploy/kubernetes") / place
    plan = yaml.safe_load((ROOT / directory / "kustomization.yaml").read_text(encoding="utf-8"))
    files = [name.rpartition("=")[2] for one in plan["secretGenerator"] for name in one["files"]]
    assert files
    assert all((checkout / directory / name).is_file() for name in files)


def test_the_scaler_counts_waiting_and_running_jobs_and_reads_no_job(
    checkout: Path, client: "redis.Redis"
) -> None:
    acl = (checkout / "deploy/kubernetes/base/secrets/valkey_acl").read_text(encoding="utf-8")
    [line] = [line for line in acl.splitlines() if line.startswith("user scaler ")]
    client.execute_command("ACL", "SETUSER", *line.split()[1:])
    client.rpush("rq:queue:cropsvc", "a", "b")
    client.zadd("rq:wip:cropsvc", {"c": 1})
    password = (checkout / "deploy/kubernetes/components/keda/secrets/password").read_text()
    options = {**client.connection_pool.connection_kwargs, "username": "scaler"}
    wanted = ("host", "port", "username")
    with redis.Redis(**{k: options[k] for k in wanted}, password=password) as scaler:
        keys = ("rq:queue:cropsvc", "rq:wip:cropsvc")
        assert [scaler.eval(COUNT, 1, key) for key in keys] == [2, 1]
        client.delete(*keys)
        assert [scaler.eval(COUNT, 1, key) for key in keys] == [0, 0]
        for forbidden in (
            ("LRANGE", keys[0], 0, -1),
            ("HGETALL", "cropsvc:job:-:x"),
            ("KEYS", "*"),
        ):
            with pytest.raises(redis.exceptions.NoPermissionError):
                scaler.execute_command(*forbidden)
    client.acl_deluser("scaler")
