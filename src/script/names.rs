//! Names that stand for the values of fields, as Scapy has them: `op="is-at"`, `flags="B"`, `type="echo-request"`.

/// Class, field, name, number.
const NAMES: &[(&str, &str, &str, u64)] = &[
    ("Ether", "type", "IPv4", 0x0800),
    ("Ether", "type", "ARP", 0x0806),
    ("Ether", "type", "IPv6", 0x86dd),
    ("Ether", "type", "n_802_1Q", 0x8100),
    ("Dot1Q", "type", "IPv4", 0x0800),
    ("Dot1Q", "type", "ARP", 0x0806),
    ("Dot1Q", "type", "IPv6", 0x86dd),
    ("Dot1Q", "type", "n_802_1Q", 0x8100),
    ("ARP", "ptype", "IPv4", 0x0800),
    ("ARP", "ptype", "ARP", 0x0806),
    ("ARP", "ptype", "IPv6", 0x86dd),
    ("ARP", "ptype", "n_802_1Q", 0x8100),
    ("ARP", "op", "who-has", 1),
    ("ARP", "op", "is-at", 2),
    ("ARP", "op", "RARP-req", 3),
    ("ARP", "op", "RARP-rep", 4),
    ("ARP", "op", "Dyn-RARP-req", 5),
    ("ARP", "op", "Dyn-RAR-rep", 6),
    ("ARP", "op", "Dyn-RARP-err", 7),
    ("ARP", "op", "InARP-req", 8),
    ("ARP", "op", "InARP-rep", 9),
    ("IP", "proto", "icmp", 1),
    ("IP", "proto", "igmp", 2),
    ("IP", "proto", "tcp", 6),
    ("IP", "proto", "udp", 17),
    ("IP", "proto", "gre", 47),
    ("IP", "flags", "MF", 1),
    ("IP", "flags", "DF", 2),
    ("IP", "flags", "evil", 4),
    ("ICMP", "type", "echo-reply", 0),
    ("ICMP", "type", "dest-unreach", 3),
    ("ICMP", "type", "source-quench", 4),
    ("ICMP", "type", "redirect", 5),
    ("ICMP", "type", "echo-request", 8),
    ("ICMP", "type", "router-advertisement", 9),
    ("ICMP", "type", "router-solicitation", 10),
    ("ICMP", "type", "time-exceeded", 11),
    ("ICMP", "type", "parameter-problem", 12),
    ("ICMP", "type", "timestamp-request", 13),
    ("ICMP", "type", "timestamp-reply", 14),
    ("ICMP", "type", "information-request", 15),
    ("ICMP", "type", "information-response", 16),
    ("ICMP", "type", "address-mask-request", 17),
    ("ICMP", "type", "address-mask-reply", 18),
    ("ICMP", "type", "traceroute", 30),
    ("ICMP", "type", "datagram-conversion-error", 31),
    ("ICMP", "type", "mobile-host-redirect", 32),
    ("ICMP", "type", "ipv6-where-are-you", 33),
    ("ICMP", "type", "ipv6-i-am-here", 34),
    ("ICMP", "type", "mobile-registration-request", 35),
    ("ICMP", "type", "mobile-registration-reply", 36),
    ("ICMP", "type", "domain-name-request", 37),
    ("ICMP", "type", "domain-name-reply", 38),
    ("ICMP", "type", "skip", 39),
    ("ICMP", "type", "photuris", 40),
    ("ICMP", "code", "network-unreachable", 0),
    ("ICMP", "code", "host-unreachable", 1),
    ("ICMP", "code", "protocol-unreachable", 2),
    ("ICMP", "code", "port-unreachable", 3),
    ("ICMP", "code", "fragmentation-needed", 4),
    ("ICMP", "code", "source-route-failed", 5),
    ("ICMP", "code", "network-unknown", 6),
    ("ICMP", "code", "host-unknown", 7),
    ("ICMP", "code", "network-prohibited", 9),
    ("ICMP", "code", "host-prohibited", 10),
    ("ICMP", "code", "TOS-network-unreachable", 11),
    ("ICMP", "code", "TOS-host-unreachable", 12),
    ("ICMP", "code", "communication-prohibited", 13),
    ("ICMP", "code", "host-precedence-violation", 14),
    ("ICMP", "code", "precedence-cutoff", 15),
    ("ICMP", "code", "network-redirect", 0),
    ("ICMP", "code", "host-redirect", 1),
    ("ICMP", "code", "TOS-network-redirect", 2),
    ("ICMP", "code", "TOS-host-redirect", 3),
    ("ICMP", "code", "ttl-zero-during-transit", 0),
    ("ICMP", "code", "ttl-zero-during-reassembly", 1),
    ("ICMP", "code", "ip-header-bad", 0),
    ("ICMP", "code", "required-option-missing", 1),
    ("ICMP", "code", "bad-spi", 0),
    ("ICMP", "code", "authentication-failed", 1),
    ("ICMP", "code", "decompression-failed", 2),
    ("ICMP", "code", "decryption-failed", 3),
    ("ICMP", "code", "need-authentification", 4),
    ("ICMP", "code", "need-authorization", 5),
    ("UDP", "sport", "domain", 53),
    ("UDP", "sport", "bootps", 67),
    ("UDP", "sport", "bootpc", 68),
    ("UDP", "sport", "tftp", 69),
    ("UDP", "sport", "ntp", 123),
    ("UDP", "dport", "domain", 53),
    ("UDP", "dport", "bootps", 67),
    ("UDP", "dport", "bootpc", 68),
    ("UDP", "dport", "tftp", 69),
    ("UDP", "dport", "ntp", 123),
    ("BOOTP", "op", "BOOTREQUEST", 1),
    ("BOOTP", "op", "BOOTREPLY", 2),
    ("BOOTP", "flags", "B", 0x8000),
];

/// Hardware types of ARP and BOOTP.
const HARDWARE: &[(&str, u64)] = &[
    ("Ethernet (10Mb)", 1),
    ("Ethernet (3Mb)", 2),
    ("AX.25", 3),
    ("Proteon ProNET Token Ring", 4),
    ("Chaos", 5),
    ("IEEE 802 Networks", 6),
    ("ARCNET", 7),
    ("Hyperchannel", 8),
    ("Lanstar", 9),
    ("Autonet Short Address", 10),
    ("LocalTalk", 11),
    ("LocalNet", 12),
    ("Ultra link", 13),
    ("SMDS", 14),
    ("Frame relay", 15),
    ("HDLC", 17),
    ("Fibre Channel", 18),
    ("Serial Line", 20),
    ("ATM", 21),
];

/// Every name of the field's values, with what it stands for.
fn rows(class: &str, field: &str) -> impl Iterator<Item = (&'static str, u64)> {
    let hardware = matches!((class, field), ("BOOTP", "htype") | ("ARP", "hwtype"));
    let hardware = HARDWARE.iter().filter(move |_| hardware).copied();
    NAMES
        .iter()
        .filter(move |row| (row.0, row.1) == (class, field))
        .map(|row| (row.2, row.3))
        .chain(hardware)
}

/// The number that a name stands for; flags may be joined by `+`.
pub fn number_of(class: &str, field: &str, name: &str) -> Option<u64> {
    let one = |name: &str| {
        let mut rows = rows(class, field);
        rows.find(|row| row.0.eq_ignore_ascii_case(name))
            .map(|row| row.1)
    };
    if field != "flags" {
        return one(name);
    }
    if name.is_empty() {
        return Some(0);
    }
    name.split('+')
        .map(one)
        .try_fold(0, |all, it| Some(all | it?))
}

/// The names that a field's values have.
pub fn names_of(class: &str, field: &str) -> impl Iterator<Item = &'static str> {
    rows(class, field).map(|row| row.0)
}
