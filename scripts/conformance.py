"""Makes a page of conformance results: `servers` or `clients`, the directory with the JSON lines of each of them,
and their versions on standard input."""

import json
import pathlib
import sys

SERVERS = {"dnsmasq": "dnsmasq", "kea": "Kea", "dhcpd": "dhcpd", "udhcpd": "udhcpd"}
CLIENTS = {"udhcpc": "udhcpc", "dhclient": "dhclient", "dhcpcd": "dhcpcd"}
WORDS = ("pass", "fail", "warn", "note", "skip")

# Why a broken MUST is one: what the RFC says, and what the frames of the check show.
SERVERS_JUDGED = {
    "S-FLD-04": "RFC 2131 table 3 has hops 0 in OFFER, ACK and NAK; the reply repeats the request's.",
    "S-FLD-05": "RFC 2131 table 3 has secs 0 in OFFER, ACK and NAK; the reply repeats the request's.",
    "S-FLD-06": "RFC 2131 table 3 has ciaddr 0 in an OFFER; the reply repeats the request's.",
    "S-FLD-07": "RFC 2131 table 3 has ciaddr 0 in an OFFER; the reply repeats the request's.",
    "S-FLD-09": "RFC 2131 table 3 has ciaddr 0 in a NAK; the reply repeats the request's.",
    "S-FLD-24": "RFC 2131 table 3 knows no other hops for relayed messages; the reply repeats the request's.",
    "S-REQ-03": "RFC 2131 3.1, step 4: a server that the REQUEST does not name takes it as its own offer declined. "
    "Both speak in another server's exchange, dnsmasq with a NAK, dhcpd with an ACK.",
    "S-REQ-09": "RFC 2131 4.3.2, INIT-REBOOT: a server without a record of the client must remain silent, and that holds "
    "for an authoritative one, as these are. Without `authoritative` Kea is silent, and passes.",
    "S-ID-01": "RFC 2131 4.2: a client that gives an identifier is known by it; udhcpd goes by chaddr alone.",
    "S-ID-02": "RFC 2131 4.2: a client that gives an identifier is known by it; udhcpd goes by chaddr alone.",
    "S-ID-04": "RFC 4361 6.3: the whole identifier counts; udhcpd goes by chaddr alone.",
    "S-ID-06": "RFC 6842 3 has option 61 copied into OFFER and ACK; neither has it.",
    "S-REL-04": "RFC 2131 4.2 and 4.3.4: the identifier names the binding; after the RELEASE its address is still taken.",
    "S-DEC-02": "RFC 2131 4.3.3: the address must be marked as not available; the next client that asks for it is "
    "offered it.",
    "S-OVL-01": "RFC 2132 9.3: options in file count; tshark reads the requested address there, the server does not.",
    "S-LNG-01": "RFC 3396 7: the pieces are one option; the same client is offered another address.",
    "S-DLV-06": "RFC 2131 4.3.2: where giaddr is set, the server sets the BROADCAST bit in the NAK; flags are 0.",
    "S-ROB-17": "RFC 1122 3.2.1.2: a host must verify the IP checksum and silently discard a datagram in which it is "
    "wrong; Kea reads raw frames and does not look.",
    "S-ROB-10": "RFC 1122 4.1.3.4: such a datagram must be silently discarded. tshark calls the checksum bad; Kea reads "
    "raw frames and does not look.",
}

CLIENTS_JUDGED = {
    "C-DIS-07": "RFC 2131 4.1 has the time between two tries grow by chance; it stays three seconds.",
    "C-DIS-22": "RFC 3442 has 121 before 3 and 33 in option 55, which begins with 1 28 2 3 here.",
    "C-REQ-02": "RFC 2131 3.1, step 3: the REQUEST must use the same value in secs as the DISCOVER; it counts on.",
    "C-REQ-11": "RFC 2131 4.1 has the time between two tries grow by chance; it stays three seconds.",
    "C-ACK-14": "RFC 6842 3 has a client discard a reply whose option 61 is not its own; no REQUEST follows this ACK.",
    "C-OFR-04": "RFC 2131 table 5 has option 54 in a REQUEST for an offer. Without one in the OFFER the REQUEST has none "
    "either, or 0.0.0.0.",
    "C-OFR-07": "RFC 6842 3 has a client discard a reply whose option 61 is not its own; the REQUEST follows.",
    "C-REN-06": "RFC 2131 4.4.5: T1 must come before the lease ends; with T1 and T2 behind the end nothing is said.",
    "C-REN-08": "RFC 2131 4.1 has the server broadcast every NAK; a REQUEST to the server follows it as if there was none. "
    "While it renews, dhcpcd hears only what comes to its own address.",
    "C-REL-05": "RFC 2131 table 5 has secs 0 in a RELEASE.",
}
KINDS, JUDGED, TITLE, HOW, SCRIPT, EXPLAIN = {
    "servers": (
        SERVERS,
        SERVERS_JUDGED,
        "What four servers do",
        "`dhcpcraft conform` over veth against {}, as `scripts/lab up KIND` starts them.",
        "scripts/conformance",
        "conform --explain",
    ),
    "clients": (
        CLIENTS,
        CLIENTS_JUDGED,
        "What three clients do",
        "`dhcpcraft conform --client` over veth against {}.",
        "scripts/conformance-clients",
        "conform --client --explain",
    ),
}[sys.argv[1]]
directory = pathlib.Path(sys.argv[2])
versions = ", ".join(line.strip() for line in sys.stdin if line.strip())
results = {}
for kind in KINDS:
    lines = [json.loads(line) for line in (directory / f"{kind}.json").read_text().splitlines()]
    results[kind] = {it["id"]: it for it in lines if "id" in it}
checks = list(results[next(iter(KINDS))].values())


def cell(text):
    return text.replace("|", "\\|").replace("\n", " ")


print(f"""# {TITLE}

{HOW.format(versions)}
`{SCRIPT}` makes this page anew.

fail: a MUST is broken. warn: a SHOULD is not kept. note: worth knowing, and allowed. skip: it could not be
checked, because what is checked, or its configuration, does not offer what the check needs.
`dhcpcraft {EXPLAIN} ID` shows how a check is made.

| | {" | ".join(KINDS.values())} |
| --- |{" --- |" * len(KINDS)}""")
for word in WORDS:
    counts = [sum(it["result"] == word for it in results[kind].values()) for kind in KINDS]
    print(f"| {word} | {' | '.join(map(str, counts))} |")

print(f"""
## Broken, and not kept

| check | RFC | level | requirement | who | seen |
| --- | --- | --- | --- | --- | --- |""")
for wanted in ("fail", "warn"):
    for check in checks:
        for kind, name in KINDS.items():
            it = results[kind][check["id"]]
            if it["result"] == wanted:
                row = (it["id"], it["rfc"], it["level"], it["requires"], name, it["detail"])
                print("|", " | ".join(map(cell, row)), "|")

print("""
## Why each counts as broken

| check | judged |
| --- | --- |""")
broken = [it["id"] for it in checks if any(results[kind][it["id"]]["result"] == "fail" for kind in KINDS)]
for check in broken:
    print(f"| {check} | {cell(JUDGED[check])} |")

print(f"""
## All checks

| check | RFC | level | {" | ".join(KINDS.values())} |
| --- | --- | --- |{" --- |" * len(KINDS)}""")
for check in checks:
    row = [check["id"], check["rfc"], check["level"]] + [results[kind][check["id"]]["result"] for kind in KINDS]
    print("|", " | ".join(row), "|")
