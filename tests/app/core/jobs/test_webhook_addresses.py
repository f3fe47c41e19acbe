"""The addresses to which webhooks may be sent, in all their notations."""

import ipaddress

import pytest

from app.core.jobs.webhook_addresses import is_allowed

PUBLIC = ["1.1.1.1", "2606:4700::1111", "64:ff9b::101:101", "::ffff:1.1.1.1", "2002:101:101::1"]
PRIVATE = ["10.0.0.1", "172.16.0.1", "192.168.1.1", "127.0.0.1", "::1", "fd12:3456::1", "::ffff:127.0.0.1"]
PRIVATE += ["64:ff9b::a00:1", "2002:a00:1::1", "fec0::1"]
NEVER = ["169.254.169.254", "fe80::1", "0.0.0.0", "::", "224.0.0.1", "ff02::1", "::ffff:169.254.169.254", "::ffff:0.0.0.0"]
NEVER += ["fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:c1::a9fe:a9fe", "fd00:42::42", "192.0.0.192"]
NEVER += ["100.100.100.200", "168.63.129.16", "169.254.170.2", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe"]
NEVER += ["2002:a9fe:a9fe::1", "::ffff:100.100.100.200", "64:ff9b::6464:64c8", "2001:0:4136:e378:8000:63bf:5601:5601"]
NOT_PUBLIC = [
    "100.64.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "198.18.0.1",
    "2001:db8::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_allowed(address: str) -> None:
    assert is_allowed(ipaddress.ip_address(address), private=False)


@pytest.mark.parametrize("address", PRIVATE + NEVER + NOT_PUBLIC)
def test_no_other_address_is_allowed(address: str) -> None:
    assert not is_allowed(ipaddress.ip_address(address), private=False)


@pytest.mark.parametrize("address", PRIVATE + PUBLIC)
def test_the_operator_can_allow_private_addresses(address: str) -> None:
    assert is_allowed(ipaddress.ip_address(address), private=True)


@pytest.mark.parametrize("address", NEVER)
def test_nobody_can_allow_those_of_a_link(address: str) -> None:
    assert not is_allowed(ipaddress.ip_address(address), private=True)
