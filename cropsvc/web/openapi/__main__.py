"""`python -m cropsvc.web.openapi` prints the description of a service with everything on."""

import json

from cropsvc.model.hosts import HostRule
from cropsvc.settings.settings import ApiKey, Settings
from cropsvc.web.openapi.document import document
from cropsvc.web.openapi.operations import CALLS

EVERYTHING = Settings(
    api_keys=(ApiKey("any", "0" * 64),),
    rate_limit="1/minute",
    url_hosts=(HostRule("*"),),
    webhook_hosts=(HostRule("*"),),
    webhook_secrets=("whsec_AAAA",),  # any: only whether there is one matters here
)


def main() -> None:
    """Print the document as JSON."""
    whole = document(EVERYTHING, {call.path for call in CALLS})
    print(json.dumps(whole, indent=1))  # noqa: T201 - its output


if __name__ == "__main__":
    main()
