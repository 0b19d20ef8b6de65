"""Reads frames in hex, one a line, and writes what Scapy makes of each as a line of JSON."""

import json
import sys

from scapy.all import BOOTP, DHCP, IP, UDP, Dot1Q, Ether, conf

conf.ipv6_enabled = False
field = DHCP.fields_desc[0]


def octets(option):
    """The bytes of one item of the option list, as Scapy builds them."""
    return field.i2m(None, [option]).hex()


for line in sys.stdin:
    sent = bytes.fromhex(line)
    frame = Ether(sent)
    bootp = frame[BOOTP]
    header = {name: getattr(bootp, name) for name in ("op", "htype", "hlen", "hops", "xid", "secs", "ciaddr", "yiaddr", "siaddr", "giaddr")}
    header["flags"] = int(bootp.flags)
    header.update({name: bytes(getattr(bootp, name)).hex() for name in ("chaddr", "sname", "file")})
    layers = {
        "Ether": {"dst": frame.dst, "src": frame.src, "type": frame.type},
        "IP": {name: getattr(frame[IP], name) for name in ("ihl", "len", "id", "ttl", "proto", "chksum", "src", "dst")},
        "UDP": {name: getattr(frame[UDP], name) for name in ("sport", "dport", "len", "chksum")},
        "BOOTP": header,
    }
    options = None
    if DHCP in frame:
        options = []
        for option in frame[DHCP].options:
            # Bytes and text that are no option stand for themselves.
            options.append({"raw": option.hex()} if isinstance(option, bytes) else {"item": octets(option)})
    # Built anew with lengths and checksums computed, which `copy` of the fields alone does not do.
    again = frame.copy()
    for layer, names in ((IP, ("len", "chksum", "ihl")), (UDP, ("len", "chksum"))):
        for name in names:
            delattr(again[layer], name)
    result = {
        "layers": layers,
        "vlans": [tag.vlan for tag in frame.iterpayloads() if isinstance(tag, Dot1Q)],
        "options": options,
        "built": bytes(again).hex(),
    }
    print(json.dumps(result), flush=True)
