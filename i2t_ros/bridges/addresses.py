"""Which addresses belong to one client."""

import ipaddress


def network_of(address: str) -> str:
    """Return the first 64 bits of an IPv6 address, and everything else as it is.

    Every machine may take as many addresses as it likes of its network, which has 64 bits (RFC
    4291, section 2.5.4).
    """
    try:
        found = ipaddress.IPv6Address(address)
    except ValueError:
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Address(int(found) >> 64 << 64))
