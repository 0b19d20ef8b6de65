"""Makes the page of conformance results: JSON lines of each server in a directory, versions on standard input."""

import json
import pathlib
import sys

KINDS = {"dnsmasq": "dnsmasq", "kea": "Kea", "dhcpd": "dhcpd", "udhcpd": "udhcpd"}
WORDS = ("pass", "fail", "warn", "note", "skip")

directory = pathlib.Path(sys.argv[1])
versions = ", ".join(line.strip() for line in sys.stdin if line.strip())
results = {}
for kind in KINDS:
    lines = [json.loads(line) for line in (directory / f"{kind}.json").read_text().splitlines()]
    results[kind] = {it["id"]: it for it in lines if "id" in it}
checks = list(results["dnsmasq"].values())


def cell(text):
    return text.replace("|", "\\|").replace("\n", " ")


print(f"""# What four servers do

`dhcpcraft conform` over veth against {versions}, as `scripts/lab up KIND` starts them.
`scripts/conformance` makes this page anew.

fail: a MUST is broken. warn: a SHOULD is not kept. note: worth knowing, and allowed. skip: it could not be
checked, because the server or its configuration does not offer what the check needs.
`dhcpcraft conform --explain ID` shows how a check is made.

| | {" | ".join(KINDS.values())} |
| --- |{" --- |" * len(KINDS)}""")
for word in WORDS:
    counts = [sum(it["result"] == word for it in results[kind].values()) for kind in KINDS]
    print(f"| {word} | {' | '.join(map(str, counts))} |")

print(f"""
## Broken, and not kept

| check | RFC | level | requirement | server | seen |
| --- | --- | --- | --- | --- | --- |""")
for wanted in ("fail", "warn"):
    for check in checks:
        for kind, name in KINDS.items():
            it = results[kind][check["id"]]
            if it["result"] == wanted:
                row = (it["id"], it["rfc"], it["level"], it["requires"], name, it["detail"])
                print("|", " | ".join(map(cell, row)), "|")

print(f"""
## All checks

| check | RFC | level | {" | ".join(KINDS.values())} |
| --- | --- | --- |{" --- |" * len(KINDS)}""")
for check in checks:
    row = [check["id"], check["rfc"], check["level"]] + [results[kind][check["id"]]["result"] for kind in KINDS]
    print("|", " | ".join(row), "|")
