"""Which addresses may be called: public ones, and the operator's networks.

IANA's registries of special addresses, by the module ipaddress, and all forms of IPv6 that carry an
IPv4 address: RFC 4291 (mapped, compatible), 3056 (6to4), 4380 (Teredo), 6052 and 8215 (NAT64),
5214 (ISATAP).
"""

from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Network = IPv4Network | IPv6Network

# Not public, though ipaddress calls some of them global. 168.63.129.16 is inside of Azure: its
# machines get configuration and secrets there (learn.microsoft.com, "What is 168.63.129.16").
SPECIAL = tuple(
    ip_network(text)
    for text in (
        "168.63.129.16/32", "192.0.0.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
        "192.175.48.0/24",
        "::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23",
        "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20", "5f00::/16",
    )
)  # fmt: skip
GLOBAL_UNICAST = ip_network("2000::/3")
ISATAP = 0x5EFE  # the upper half of the interface's id, but for the bits universal and group
ISATAP_MASK = 0xFCFFFFFF


@dataclass(frozen=True)
class Allowed:
    """Which addresses may be called: those of *networks*, and every public one if *public*."""

    networks: tuple[Network, ...] = ()
    public: bool = True

    def takes(self, text: str) -> bool:
        """Return whether an address may be called."""
        try:
            address = ip_address(text.partition("%")[0])
        except ValueError:
            return False
        if any(address in network for network in self.networks):
            return True
        return self.public and is_public(address)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Return whether the address is a plain public one, and stands for no other."""
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if any(address in network for network in SPECIAL):
        return False
    if isinstance(address, IPv6Address):
        return address in GLOBAL_UNICAST and (int(address) >> 32) & ISATAP_MASK != ISATAP
    return True
