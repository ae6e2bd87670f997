"""Callers are counted by what they cannot change at will."""

import pytest

from kernel.origins import TEXT_MAX, network_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("/run/node.sock", "/run/node.sock"),
        ("x" * 1000, "x" * TEXT_MAX),
    ],
)
def test_an_address_stands_for_its_network(address, network):
    assert network_of(address) == network
