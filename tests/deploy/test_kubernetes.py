"""The manifests of deploy/kubernetes agree with the code: pure, no cluster.

`make kubernetes` validates them against the schemas of Kubernetes 1.30 to 1.37.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from cropsvc import __version__
from cropsvc.run import health
from cropsvc.settings.settings import Settings, rows
from cropsvc.web.health import bp
from tests.deploy.kustomize import (
    BASE,
    KUBERNETES,
    ROOT,
    Resource,
    build,
    containers,
    named,
    overlays,
)

OURS = ("web", "worker", "webhooks", "dashboard")
WORKLOADS = [one for one in BASE if one["kind"] in ("Deployment", "StatefulSet")]
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
# Values of the settings that are read from files, in the form that the parser wants.
FILES = {
    "redis_url": "redis://redis:6379/0",
    "secret": "ab" * 32,
    "api_keys": "",
    "webhook_secret": "",
    "dashboard_password": "pw",
}


def pod(workload: Resource) -> dict[str, Any]:
    spec: dict[str, Any] = workload["spec"]["template"]["spec"]
    return spec


def environment(name: str, resources: list[Resource], files: Path) -> dict[str, str]:
    """The variables of a Deployment's container, with the secrets as files in *files*."""
    [container] = pod(named("Deployment", name, resources))["containers"]
    environ: dict[str, str] = {}
    for source in container["envFrom"]:
        if "secretRef" in source:
            continue  # credentials for the object store, which are no settings of ours
        environ.update(named("ConfigMap", source["configMapRef"]["name"], resources)["data"])
    environ.update({one["name"]: one["value"] for one in container["env"]})
    keys = named("Secret", name, resources)["stringData"]
    for variable, value in environ.items():
        if variable.endswith("_FILE"):
            key = Path(value).name
            assert key in keys, f"{variable}: the Secret {name} has no {key}"
            (files / key).write_text(FILES[key], encoding="utf-8")
            environ[variable] = str(files / key)
    return environ


def ids(resource: Resource) -> str:
    return str(resource["metadata"]["name"])


@pytest.mark.parametrize("place", overlays())
def test_every_overlay_builds_and_names_each_resource_once(place: str) -> None:
    made = [(one["kind"], one["metadata"]["name"]) for one in build(place)]
    assert len(made) == len(set(made)) > 15


@pytest.mark.parametrize("workload", WORKLOADS, ids=ids)
def test_every_workload_is_hardened(workload: Resource) -> None:
    spec = pod(workload)
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in spec["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]
        assert container["resources"]["requests"]["memory"]
        assert all(probe in container for probe in PROBES)
    assert all(set(volume) & {"emptyDir", "secret", "configMap"} for volume in spec["volumes"])


def test_there_are_all_four_processes_and_a_valkey() -> None:
    assert {ids(one) for one in WORKLOADS} == {*OURS, "redis"}


@pytest.mark.parametrize("place", overlays())
@pytest.mark.parametrize("name", OURS)
def test_every_setting_exists_and_is_accepted(name: str, place: str, tmp_path: Path) -> None:
    environ = environment(name, build(place), tmp_path)
    known = {row.variable for row in rows()}
    assert {variable.removesuffix("_FILE") for variable in environ} <= known
    settings = Settings.from_env(environ)
    assert settings.redis_url == FILES["redis_url"]


def test_a_worker_sees_no_secret_but_its_own() -> None:
    assert set(named("Secret", "worker")["stringData"]) == {"redis_url"}


@pytest.mark.parametrize("name", ["web", "dashboard"])
def test_every_port_is_one_that_the_code_listens_on(name: str, tmp_path: Path) -> None:
    settings = Settings.from_env(environment(name, BASE, tmp_path))
    port = {"web": settings.port, "dashboard": settings.dashboard_port}[name]
    [container] = pod(named("Deployment", name))["containers"]
    assert container["ports"] == [{"name": "http", "containerPort": port}]


def test_every_probe_asks_for_what_the_code_serves() -> None:
    import flask

    app = flask.Flask("probes")
    app.register_blueprint(bp)
    paths = {rule.rule for rule in app.url_map.iter_rules()}
    for name in OURS:
        [container] = pod(named("Deployment", name))["containers"]
        ports = {port["name"] for port in container.get("ports", [])}
        for probe in (container[kind] for kind in PROBES):
            if "httpGet" in probe:
                assert probe["httpGet"]["path"] in paths
                assert probe["httpGet"]["port"] in ports
            elif "tcpSocket" in probe:
                assert probe["tcpSocket"]["port"] in ports
            else:
                assert probe["exec"]["command"][:3] == ["python", "-m", "cropsvc.run.health"]
                assert probe["exec"]["command"][3] in health.CHECKS
                assert probe["timeoutSeconds"] > health.MAX_SECONDS


@pytest.mark.parametrize("name", OURS)
def test_no_probe_that_restarts_depends_on_redis(name: str) -> None:
    [container] = pod(named("Deployment", name))["containers"]
    for kind in ("startupProbe", "livenessProbe"):
        text = str(container[kind])
        assert "readyz" not in text
        assert "'worker'" not in text


@pytest.mark.parametrize("name", OURS)
def test_every_command_is_a_program_of_ours(name: str) -> None:
    [container] = pod(named("Deployment", name))["containers"]
    match container.get("command"):
        case None:  # the image's own
            assert name == "web"
        case ["python", "worker.py"]:
            assert (ROOT / "worker.py").is_file()
        case ["python", "-m", module]:
            assert (ROOT / module.replace(".", "/") / "__main__.py").is_file()
        case other:
            pytest.fail(f"not a program of ours: {other}")


def test_a_worker_has_time_to_end_its_crop_and_room_for_it(tmp_path: Path) -> None:
    settings = Settings.from_env(environment("worker", BASE, tmp_path))
    spec = pod(named("Deployment", "worker"))
    assert spec["terminationGracePeriodSeconds"] == settings.job_timeout + 15
    memory = spec["containers"][0]["resources"]["limits"]["memory"]
    assert int(memory.removesuffix("Mi")) * 1024**2 == settings.job_memory + 512 * 1024**2


def test_a_front_end_has_time_to_answer_its_last_requests() -> None:
    text = (ROOT / "gunicorn.conf.py").read_text(encoding="utf-8")
    [graceful] = re.findall(r"^graceful_timeout = (\d+)", text, re.MULTILINE)
    spec = pod(named("Deployment", "web"))
    pause = int(spec["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
    assert spec["terminationGracePeriodSeconds"] > pause + int(graceful)


def test_the_image_has_the_version_of_the_code() -> None:
    for name in OURS:
        [container] = pod(named("Deployment", name))["containers"]
        assert container["image"] == f"cropsvc:{__version__}"


def test_a_changed_setting_restarts_what_uses_it() -> None:
    """Kustomize hashes the names of what it generates, unless that is switched off."""
    for path in KUBERNETES.rglob("*.yaml"):
        assert "disableNameSuffixHash" not in path.read_text(encoding="utf-8"), path
    assert not [path for path in KUBERNETES.glob("*/*.yaml") if "kind: Secret" in path.read_text()]


@pytest.mark.parametrize("kind", ["Service", "PodDisruptionBudget"])
def test_every_selector_selects_pods(kind: str) -> None:
    labels = [one["spec"]["template"]["metadata"]["labels"] for one in WORKLOADS]
    for one in (one for one in BASE if one["kind"] == kind):
        wanted = one["spec"]["selector"]
        wanted = wanted.get("matchLabels", wanted)
        assert [pods for pods in labels if wanted.items() <= pods.items()], ids(one)


def test_valkey_runs_on_the_configuration_of_compose() -> None:
    here = (KUBERNETES / "base/valkey.conf").read_text(encoding="utf-8")
    assert here == (ROOT / "compose/valkey.conf").read_text(encoding="utf-8")


def test_the_images_are_pinned() -> None:
    for one in WORKLOADS:
        assert all(re.search(r":[\w.-]+$", container["image"]) for container in containers(one))
