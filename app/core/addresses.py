"""Which addresses a webhook may be sent to: public ones alone, unless the operator lets it into the private network.

Why addresses and not names: a name is whatever its owner's DNS says at the moment. So the address is judged, and that very
address is connected to.
"""

import ipaddress
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_NOT_PUBLIC: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "168.63.129.16/32",  # the host of a virtual machine at Azure, at an address that looks public
        "192.0.0.0/24",  # protocol assignments; the metadata of Oracle's machines among them
        "192.88.99.0/24",  # relays of 6to4, which went out of use
        "100.64.0.0/10",  # behind a carrier's translation; metadata of Alibaba's machines among them
    )
)


def is_allowed(address: Address, *, private: bool) -> bool:
    """Whether it may be connected to. `private` lets private and loopback addresses in, and never those of a link, on which
    clouds keep the secrets of their machines.
    """
    address = _inner(address)
    if address.is_multicast or address.is_unspecified or address.is_link_local:
        return False
    if private and (address.is_private or address.is_loopback):
        return True
    return _is_public(address)


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, if it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_public(address: Address) -> bool:
    if address.is_reserved or any(address in network for network in _NOT_PUBLIC if network.version == address.version):
        return False
    return address.is_global
