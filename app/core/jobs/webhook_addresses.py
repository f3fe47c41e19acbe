"""The addresses to which a webhook may be sent: public ones only, unless the operator allows the private network.

Why addresses and not names: the owner of a name can change its DNS at any moment. So the address is checked, and the connection
goes to that very address.
"""

import ipaddress
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
_NEVER: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "fd00:ec2::/32",  # metadata and credentials at AWS
        "fd20:ce::/32",  # metadata at Google Cloud
        "fd00:c1::/32",  # metadata at Oracle
        "fd00:42::/32",  # metadata at Scaleway
        "192.0.0.192/32",  # metadata at Oracle, over IPv4
        "100.100.100.200/32",  # metadata at Alibaba Cloud
        "168.63.129.16/32",  # the host of a virtual machine at Azure, although the address looks public
        "64:ff9b:1::/48",  # translates to an IPv4 address that the IPv6 address does not show
        "2001::/32",  # Teredo: the same
    )
)
_NOT_PUBLIC: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "192.0.0.0/24",  # protocol assignments
        "192.88.99.0/24",  # 6to4 relays, obsolete
        "100.64.0.0/10",  # carrier-grade NAT
        "fec0::/10",  # site-local, obsolete
    )
)


def is_allowed(address: Address, *, private: bool) -> bool:
    """Whether a webhook may connect to it. `private` allows private and loopback addresses, but never link-local ones, nor
    others where clouds store the secrets of their machines.
    """
    address = _inner(address)
    if address.is_multicast or address.is_unspecified or address.is_link_local or _is_in(address, _NEVER):
        return False
    if private and (address.is_private or address.is_loopback or _is_of_site(address)):
        return True
    return _is_public(address)


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 address embeds, or the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_public(address: Address) -> bool:
    return address.is_global and not address.is_reserved and not _is_in(address, _NOT_PUBLIC)


def _is_of_site(address: Address) -> bool:
    return isinstance(address, ipaddress.IPv6Address) and address.is_site_local


def _is_in(address: Address, networks: tuple[_Network, ...]) -> bool:
    return any(address in network for network in networks if network.version == address.version)
