"""Which addresses and TCP ports can be listened on just now."""

import socket


def refusal(host: str, port: int) -> str | None:
    """Return the system's reason why nothing can listen there; None if it can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError as error:
            return (error.strerror or str(error)).lower()
    return None


def address_refusal(host: str) -> str | None:
    """Return why nothing can listen on *host*, whatever the port; None if it can.

    The system's look-up of a name may take seconds, so it is asked once.
    """
    try:
        found = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        return "no such host is known"
    family, _, _, _, address = found[0]
    with socket.socket(family) as probe:
        try:
            probe.bind(address)
        except OSError as error:
            return (error.strerror or str(error)).lower()
    return None


def free() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
