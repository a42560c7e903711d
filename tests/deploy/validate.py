"""Validate every resource of deploy/kubernetes against the schemas of Kubernetes.

`make kubernetes` runs it, with kubernetes-validate in an environment of its own: it has 22 MB of
schemas, but none of KEDA's or the Prometheus operator's resources.
"""

import sys

import kubernetes_validate
import yaml

from tests.deploy.kustomize import build, overlays

VERSIONS = [f"1.{minor}" for minor in range(30, 38)]
WRONG = (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError)
CUSTOM = ("keda.sh/", "monitoring.coreos.com/")


def main() -> int:
    """Print what is wrong; return 1 if anything is."""
    resources = {yaml.safe_dump(one): one for place in overlays() for one in build(place)}
    known = [one for one in resources.values() if not one["apiVersion"].startswith(CUSTOM)]
    wrong = 0
    for version in VERSIONS:
        for resource in known:
            name = f"{resource['kind']} {resource['metadata']['name']}"
            try:
                kubernetes_validate.validate(resource, version, strict=True)
            except WRONG as error:
                print(f"{version} {name}: {error}")  # noqa: T201 - its output
                wrong += 1
    print(f"{len(known)} resources, {len(VERSIONS)} versions, {wrong} errors")  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
