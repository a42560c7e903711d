"""Which addresses are this machine's own."""

from ipaddress import ip_address


def is_loopback(address: str) -> bool:
    """Whether *address* is a literal loopback address; a name never is."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
