"""What the components of deploy/kubernetes add agrees with the code and the documentation."""

import re

import pytest
import redis
import yaml
from rq.registry import StartedJobRegistry

from cropsvc.queues.rq.queue import CropQueue
from cropsvc.settings.settings import Settings
from tests.deploy.kustomize import ROOT, Resource, build, named, overlays


def ids(resource: Resource) -> str:
    return str(resource["metadata"]["name"])


def selects(policy: Resource, labels: dict[str, str]) -> bool:
    selector = policy["spec"]["podSelector"]
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    return all(
        labels.get(one["key"]) in one["values"] for one in selector.get("matchExpressions", [])
    )


@pytest.mark.parametrize("place", overlays())
def test_workers_reach_redis_and_dns_only_and_a_store_that_is_used(place: str) -> None:
    resources = build(place)
    blobs = named("ConfigMap", "settings", resources)["data"].get("CROPSVC_BLOBS")
    labels = named("Deployment", "worker", resources)["spec"]["template"]["metadata"]["labels"]
    policies = [one for one in resources if one["kind"] == "NetworkPolicy" and selects(one, labels)]
    to_store = {"to-object-storage"} if blobs else set()
    assert {ids(one) for one in policies} == {"deny-all", "to-redis", "to-dns"} | to_store
    ports = {
        port["port"]
        for one in policies
        for rule in one["spec"].get("egress", [])
        for port in rule["ports"]
    }
    assert ports <= {6379, 26379, 53} | ({443} if blobs else set())
    assert not any(one["spec"].get("ingress") for one in policies)


@pytest.mark.parametrize("name", ["web", "worker", "dashboard"])
def test_who_reads_objects_has_the_credentials_and_the_way_there(name: str) -> None:
    resources = build("overlays/object-storage")
    template = named("Deployment", name, resources)["spec"]["template"]
    sources = template["spec"]["containers"][0]["envFrom"]
    [secret] = [one["secretRef"]["name"] for one in sources if "secretRef" in one]
    assert named("Secret", secret, resources)["stringData"] == {
        "credentials.env": "secrets/credentials.env"
    }
    policy = named("NetworkPolicy", "to-object-storage", resources)
    assert selects(policy, template["metadata"]["labels"])
    assert policy["spec"]["egress"][0]["ports"] == [{"protocol": "TCP", "port": 443}]


def test_the_alerts_are_those_of_the_documentation() -> None:
    groups = yaml.safe_load((ROOT / "docs/monitoring/alerts.yml").read_text(encoding="utf-8"))
    rule = named("PrometheusRule", "cropsvc", build("overlays/prometheus"))
    assert rule["spec"] == groups


@pytest.mark.parametrize("place", ["overlays/keda", "overlays/production"])
def test_keda_counts_waiting_and_running_jobs_where_rq_keeps_them(place: str) -> None:
    resources = build(place)
    spec = named("ScaledObject", "worker", resources)["spec"]
    keys = {one["name"]: one["metadata"]["listName"] for one in spec["triggers"]}
    queue = CropQueue(connection=redis.Redis())  # never connected
    running = StartedJobRegistry.key_template.format(queue.name)
    assert keys == {"waiting": queue.key, "running": running}
    assert set(re.findall(r"[a-z]+", spec["advanced"]["scalingModifiers"]["formula"])) == set(keys)
    assert spec["minReplicaCount"] == 0
    assert spec["scaleTargetRef"]["name"] == "worker"
    assert "replicas" not in named("Deployment", "worker", resources)["spec"]


def test_the_ingress_leads_to_the_front_end_and_passes_the_largest_upload() -> None:
    resources = build("overlays/ingress")
    ingress = named("Ingress", "web", resources)
    [rule] = ingress["spec"]["rules"]
    backend = rule["http"]["paths"][-1]["backend"]["service"]
    ports = {port["name"] for port in named("Service", backend["name"], resources)["spec"]["ports"]}
    assert backend["port"]["name"] in ports
    size = ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-body-size"]
    assert int(size.removesuffix("m")) * 1024**2 > Settings.from_env({}).max_upload
