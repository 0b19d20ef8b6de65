"""The measurements of scripts/bench: arguments are a directory, the program and a number of frames."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

work, program, frames = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
UNITS = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0}


def divan(text):
    """The medians in what divan printed, in seconds, by `group/name`."""
    medians, group = {}, ""
    for line in text.splitlines():
        name = re.match(r"[│ ]*[├╰]─ (\w+)", line)
        if not name:
            continue
        if line[0] in "├╰":
            group = name[1]
        else:
            number, unit = line.split("│")[-4].split()
            medians[f"{group}/{name[1]}"] = float(number) * UNITS[unit]
    return medians


def each(count, work_once):
    """Seconds for one round of `work_once`: the best of five rounds of `count`."""
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(count):
            work_once()
        best = min(best, (time.perf_counter() - start) / count)
    return best


def run(rounds, *command):
    """Seconds that a command takes with its output read and thrown away: the best of some rounds."""
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        seconds = time.perf_counter() - start
        if done.returncode:
            sys.exit(f"{command}: {done.stderr.decode()}")
        best = min(best, seconds)
    return best


def scapy():
    """Seconds that Scapy takes to build and to read the DISCOVER of tests/bench/message.rs."""
    from scapy.all import BOOTP, DHCP, IP, UDP, Ether

    mac = bytes.fromhex("02005e100001")

    def build():
        options = [
            ("message-type", "discover"),
            ("client_id", b"\1" + mac),
            ("requested_addr", "192.0.2.100"),
            ("max_dhcp_size", 1500),
            ("param_req_list", [1, 121, 3, 6, 12, 15, 26, 28, 42, 58, 59, 119]),
            ("hostname", b"printer-3"),
            ("vendor_class_id", b"dhcpcraft bench"),
            ("lease_time", 3600),
            "end",
        ]
        frame = Ether(dst="ff:ff:ff:ff:ff:ff", src="02:00:5e:10:00:01") / IP(src="0.0.0.0", dst="255.255.255.255")
        frame /= UDP(sport=68, dport=67) / BOOTP(chaddr=mac, xid=7) / DHCP(options=options)
        return bytes(frame)

    sent = build()
    assert len(Ether(sent)[DHCP].options) == 9
    return each(300, build), each(300, lambda: Ether(sent)[DHCP].options)


def capture():
    """A capture of ACKs, each with the options of a lease."""
    path = str(work / "frames.pcap")
    common = ["--dry-run", "--seed", "1", "--quiet", "--interval", "1ms"]
    subprocess.run(
        [program, "ack", "--yiaddr", "192.0.2.100", "--server-id", "192.0.2.1", *common, "--count", str(frames), "-w", path],
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return path


TESTS = 200


def suite():
    """A file of script tests, each of which takes a lease of a server of its own and looks at it."""
    path = work / "suite.star"
    test = """
def test_{}():
    lease = dora(hostname="printer-{}")
    assert_ack(lease, yiaddr=net("192.0.2.0/24"), router="192.0.2.1")
    assert_true(lease.reply.lease_time == 3600)
"""
    path.write_text("".join(test.format(it, it) for it in range(TESTS)))
    return str(path)


def main():
    medians = divan((work / "divan").read_text())
    build, decode = scapy()
    path = capture()
    ours = run(3, program, "show", "--format", "tree", path)
    tshark = run(1, "tshark", "-r", path, "-V")
    tcpdump = run(3, "tcpdump", "-n", "-v", "-r", path)
    start = run(20, program, "discover", "--dry-run", "--format", "hex")
    script = "from scapy.all import *; print(bytes(Ether()/IP()/UDP()/BOOTP()/DHCP(options=[('message-type', 'discover'), 'end'])).hex())"
    scapy_start = run(3, sys.executable, "-c", script)
    rows = [
        ("build + encode one DISCOVER", medians["build/dhcpcraft_frame"], "Scapy", build, 5000),
        ("build + encode one DISCOVER", medians["build/dhcpcraft_frame"], "dhcproto", medians["build/dhcproto_message"], 5),
        ("decode to typed options", medians["decode/dhcpcraft_frame"], "Scapy", decode, 1500),
        ("decode to typed options", medians["decode/dhcpcraft_frame"], "dhcproto", medians["decode/dhcproto_message"], 3),
        (f"print {frames:,} frames", ours, "tshark -V", tshark, 30),
        (f"print {frames:,} frames", ours, "tcpdump -v", tcpdump, 5),
        ("start to a frame on stdout", start, "Scapy", scapy_start, 300),
    ]
    print(f"{'work':<28} {'dhcpcraft':>10}  {'against':<11} {'takes':>10} {'ratio':>8} {'goal':>6}")
    missed = 0
    for work_done, mine, peer, theirs, goal in rows:
        ratio = theirs / mine
        missed += ratio < goal
        verdict = "" if ratio >= goal else "  missed"
        print(f"{work_done:<28} {span(mine):>10}  {peer:<11} {span(theirs):>10} {ratio:>7,.1f}× {goal:>5,}×{verdict}")
    tests = run(3, program, "test", suite())
    print(f"{TESTS} script tests, a lease each: {span(tests)}, {span(tests / TESTS)} a test")
    print(f"{missed} of {len(rows)} goals missed on {os.cpu_count()} CPUs" if missed else "every goal reached")


def span(seconds):
    """A time with a unit that suits it."""
    for unit in ("s", "ms", "µs", "ns"):
        if seconds >= UNITS[unit]:
            return f"{seconds / UNITS[unit]:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


main()
