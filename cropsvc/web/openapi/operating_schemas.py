"""The named schemas of what an operator asks, and of the first version's routes."""

from cropsvc.web.openapi.schemas import Schema, closed, ref


def operating_schemas() -> dict[str, Schema]:
    """Return them by name."""
    text: Schema = {"type": "string"}
    values = {"type": "object", "additionalProperties": text}
    return {
        "Health": closed({"status": {"type": "string", "enum": ["ok"]}}),
        "Readiness": _readiness(),
        "Capabilities": _capabilities(),
        "Preset": closed({"name": text, "description": text, "parameters": values}),
        "Presets": closed({"presets": {"type": "array", "items": ref("Preset")}}),
        "ClassicProgress": _classic(),
    }


def _readiness() -> Schema:
    return closed(
        {
            "status": {"type": "string", "enum": ["ready", "not ready"]},
            "checks": {"type": "object", "additionalProperties": {"type": "string"}},
            "failing": {"type": "array", "items": {"type": "string"}},
            "warnings": {
                "type": "array",
                "items": {"type": "string"},
                "description": "What in the configuration of Redis can lose jobs.",
            },
        }
    )


def _capabilities() -> Schema:
    names: Schema = {"type": "array", "items": {"type": "string"}}
    return closed(
        {
            "inputs": names,
            "outputs": names,
            "presets": names,
            "presets_only": {"type": "boolean"},
            "extras": {"type": "object", "additionalProperties": {"type": "boolean"}},
            "limits": {"type": "object", "additionalProperties": {"type": "integer"}},
        }
    )


def _classic() -> Schema:
    def told(state: str, **more: Schema) -> Schema:
        return closed({"state": {"const": state}, **more})

    fraction: Schema = {"type": "number", "minimum": 0, "maximum": 1}
    return {
        "oneOf": [
            {"type": "object", "maxProperties": 0},
            told("PENDING", progress={"const": 0}),
            told("PROGRESS", progress={**fraction, "exclusiveMaximum": 0.99}),
            told("SUCCESS", progress={"const": 1}),
            told("FAILURE", error={"type": "string"}),
        ]
    }
