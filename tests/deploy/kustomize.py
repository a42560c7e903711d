"""What `kubectl kustomize` makes of deploy/kubernetes, for the features that are used there.

`python -m tests.deploy.kustomize` prints every resource of every overlay, once.
"""

import copy
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
KUBERNETES = ROOT / "deploy" / "kubernetes"
Resource = dict[str, Any]
KNOWN = {
    *("apiVersion", "kind", "namespace", "resources", "components", "images", "patches"),
    *("configMapGenerator", "secretGenerator"),
}


def overlays() -> list[str]:
    """The base and every overlay, by directory."""
    found = [KUBERNETES / "base", *sorted((KUBERNETES / "overlays").iterdir())]
    return [path.relative_to(KUBERNETES).as_posix() for path in found]


def build(place: str | Path) -> list[Resource]:
    """The resources of an overlay; the content of secrets is their file's path."""
    return _build(KUBERNETES / place, [])


def _build(directory: Path, made: list[Resource]) -> list[Resource]:
    plan = yaml.safe_load((directory / "kustomization.yaml").read_text(encoding="utf-8"))
    assert set(plan) <= KNOWN, f"{directory}: this file does not know {set(plan) - KNOWN}"
    made = list(made)
    for name in plan.get("resources", []):
        path = (directory / name).resolve()
        made += _build(path, []) if path.is_dir() else _documents(path)
    for kind in ("ConfigMap", "Secret"):
        for generator in plan.get(f"{kind[0].lower()}{kind[1:]}Generator", []):
            _generate(made, kind, generator, directory)
    for name in plan.get("components", []):
        made = _build((directory / name).resolve(), made)
    for patch in plan.get("patches", []):
        text = patch.get("patch") or (directory / patch["path"]).read_text(encoding="utf-8")
        made = _patched(made, yaml.safe_load(text))
    _stamp(made, plan)
    return made


def _stamp(made: list[Resource], plan: Resource) -> None:
    """Set the namespace and the images that *plan* names."""
    for resource in made:
        if "namespace" in plan and resource["kind"] != "Namespace":
            resource["metadata"]["namespace"] = plan["namespace"]
        for image in plan.get("images", []):
            for container in containers(resource):
                if container["image"] == image["name"]:
                    container["image"] = f"{image['newName']}:{image['newTag']}"


def containers(resource: Resource) -> list[Resource]:
    """The containers of a workload; none of anything else."""
    template = resource.get("spec", {}).get("template", {})
    found: list[Resource] = template.get("spec", {}).get("containers", [])
    return found


def _documents(path: Path) -> list[Resource]:
    return [one for one in yaml.safe_load_all(path.read_text(encoding="utf-8")) if one]


def _generate(made: list[Resource], kind: str, generator: Resource, directory: Path) -> None:
    data = _data(generator, directory, secret=kind == "Secret")
    name = generator["name"]
    if generator.get("behavior") == "merge":
        [target] = [one for one in made if (one["kind"], one["metadata"]["name"]) == (kind, name)]
        target.setdefault("stringData" if kind == "Secret" else "data", {}).update(data)
        return
    key = "stringData" if kind == "Secret" else "data"
    made.append({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, key: data})


def _data(generator: Resource, directory: Path, *, secret: bool) -> dict[str, str]:
    data = dict(line.split("=", 1) for line in generator.get("literals", []))
    if secret:  # what is in the file is not known here
        data.update({Path(name).name: name for name in generator.get("envs", [])})
    for name in [] if secret else generator.get("envs", []):
        lines = (directory / name).read_text(encoding="utf-8").splitlines()
        data.update(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    for item in generator.get("files", []):
        key, _, name = item.rpartition("=")
        text = name if secret else (directory / name).read_text(encoding="utf-8")
        data[key or Path(name).name] = text
    return data


def _patched(made: list[Resource], patch: Resource) -> list[Resource]:
    identity = (patch["apiVersion"], patch["kind"], patch["metadata"]["name"])
    found = [one for one in made if _identity(one) == identity]
    assert len(found) == 1, f"{identity} is patched, and there are {len(found)}"
    if patch.get("$patch") == "delete":
        return [one for one in made if one is not found[0]]
    merged = _merged(found[0], patch)
    return [merged if one is found[0] else one for one in made]


def _identity(resource: Resource) -> tuple[str, str, str]:
    return resource["apiVersion"], resource["kind"], resource["metadata"]["name"]


def _merged(old: Any, new: Any) -> Any:
    """Maps are merged, null removes, and lists are replaced: no patch here merges a list."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return copy.deepcopy(new)
    merged = dict(old)
    for key, value in new.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merged(old.get(key), value)
    return merged


BASE = build("base")


def named(kind: str, name: str, resources: list[Resource] = BASE) -> Resource:
    """The resource of this kind and name."""
    [found] = [one for one in resources if (one["kind"], one["metadata"]["name"]) == (kind, name)]
    return found


if __name__ == "__main__":
    seen = {yaml.safe_dump(one): None for place in overlays() for one in build(place)}
    sys.stdout.write("---\n".join(seen))
