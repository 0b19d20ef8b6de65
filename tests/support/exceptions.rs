//! Where the language departs from Scapy 2.8, and why.

/// An expression that the two do not agree on.
pub struct Exception {
    /// The expression.
    pub expression: &'static str,
    /// What the language builds, in hexadecimal; `None` where it refuses.
    pub ours: Option<&'static str>,
    /// Why not what Scapy does.
    pub reason: &'static str,
}

const fn row(
    expression: &'static str,
    ours: Option<&'static str>,
    reason: &'static str,
) -> Exception {
    Exception {
        expression,
        ours,
        reason,
    }
}

/// All of them.
pub const EXCEPTIONS: &[Exception] = &[
    row(
        r#"DHCP(options=["hostname"])"#,
        Some("0c00"),
        "a name alone is an empty option; Scapy writes its code without a length, or the name as text",
    ),
    row(
        r#"DHCP(options=["rapid_commit", "end"])"#,
        Some("5000ff"),
        "a name alone is an empty option; Scapy writes its code without a length, or the name as text",
    ),
    row(
        r#"DHCP(options=["router"])"#,
        Some("0300"),
        "a name alone is an empty option; Scapy writes its code without a length, or the name as text",
    ),
    row(
        r#"DHCP(options=[("hostname",)])"#,
        Some("0c00"),
        "a tuple without values is an empty option; Scapy leaves it out",
    ),
    row(
        r#"DHCP(options=[("end",)])"#,
        Some("ff"),
        "a tuple without values is an empty option; Scapy leaves it out",
    ),
    row(
        r#"DHCP(options=[["hostname", "a"]])"#,
        Some("0c0161"),
        "a list is as good as a tuple; Scapy leaves the option out",
    ),
    row(
        r#"DHCP(options=[("ruoter", "10.0.0.1")])"#,
        None,
        "an unknown name is an error; Scapy leaves the option out, or writes the name as text",
    ),
    row(
        r#"DHCP(options=["no-such-option"])"#,
        None,
        "an unknown name is an error; Scapy leaves the option out, or writes the name as text",
    ),
    row(
        r#"DHCP(options=[("domain-search", "a.example")])"#,
        Some("770b0161076578616d706c6500"),
        "the dictionary's names are names too; Scapy leaves the option out",
    ),
    row(
        r#"DHCP(options=[("lease-time", 3600)])"#,
        Some("330400000e10"),
        "the dictionary's names are names too; Scapy leaves the option out",
    ),
    row(
        r#"raw(DHCP(options=[("hostname", "a" * 256)]))[254:260]"#,
        Some("6161610c0161"),
        "long data is split as RFC 3396 has it; Scapy fails",
    ),
    row(
        r#"DHCP(options=[(12, "text")])"#,
        Some("0c0474657874"),
        "an option by number takes values of its type; Scapy fails",
    ),
    row(
        r#"DHCP(options=[(3, "10.0.0.1")])"#,
        Some("03040a000001"),
        "an option by number takes values of its type; Scapy fails",
    ),
    row(
        "DHCP(options=[(51, 3600)])",
        Some("330400000e10"),
        "an option by number takes values of its type; Scapy fails",
    ),
    row(
        r#"DHCP(options=[("router", ["10.0.0.1", "10.0.0.2"])])"#,
        Some("03080a0000010a000002"),
        "a list is values in a row; Scapy fails",
    ),
    row(
        r#"DHCP(options=[("param_req_list", (1, 3))])"#,
        Some("37020103"),
        "a list is values in a row; Scapy fails",
    ),
    row(
        r#"DHCP(options=[("hostname", ["a", "b"])])"#,
        Some("0c026162"),
        "a list is values in a row; Scapy fails",
    ),
    row(
        r#"DHCP(options=[("router", b"10.0.0.1")])"#,
        Some("030831302e302e302e31"),
        "bytes go out as they are; Scapy takes them for text, or fails",
    ),
    row(
        r#"DHCP(options=[("router", b"\x0a\x00\x00\x01")])"#,
        Some("03040a000001"),
        "bytes go out as they are; Scapy takes them for text, or fails",
    ),
    row(
        r#"DHCP(options=[("lease_time", b"\x00\x00\x0e\x10")])"#,
        Some("330400000e10"),
        "bytes go out as they are; Scapy takes them for text, or fails",
    ),
    row(
        r#"DHCP(options=[("message-type", b"\x01")])"#,
        Some("350101"),
        "bytes go out as they are; Scapy takes them for text, or fails",
    ),
    row(
        r#"DHCP(options=[("param_req_list", b"\x01\x03")])"#,
        Some("37020103"),
        "bytes go out as they are; Scapy takes them for text, or fails",
    ),
    row(
        r#"DHCP(options=b"\x35\x01\x01")"#,
        Some("350101"),
        "bytes go out as they are; Scapy takes them for text, or fails",
    ),
    row(
        r#"raw(BOOTP(chaddr=b"ab"))[28:31]"#,
        Some("616200"),
        "bytes go out as they are; Scapy takes them for text, or fails",
    ),
    row(
        r#"IP(src=b"\x0a\x00\x00\x01", dst="192.0.2.2")"#,
        Some("45000014000100004000aee60a000001c0000202"),
        "bytes go out as they are; Scapy takes them for text, or fails",
    ),
    row(
        r#"DHCP(options=[("lease_time", "1h")])"#,
        Some("330400000e10"),
        "text is read as the option's type; Scapy fails",
    ),
    row(
        r#"DHCP(options=[("param_req_list", "router")])"#,
        Some("370103"),
        "text is read as the option's type; Scapy fails",
    ),
    row(
        r#"DHCP(options=[("message-type", "DHCPDISCOVER")])"#,
        Some("350101"),
        "text is read as the option's type; Scapy fails",
    ),
    row(
        r#"DHCP(options="end")"#,
        None,
        "text is no list of options; Scapy makes an option of every letter",
    ),
    row(
        r#"DHCP(options=[("router", 5)])"#,
        None,
        "a number is no address, a name no number; Scapy makes one of it",
    ),
    row(
        "BOOTP(chaddr=5)",
        None,
        "a number is no address, a name no number; Scapy makes one of it",
    ),
    row(
        r#"BOOTP(flags="??B")"#,
        None,
        "a number is no address, a name no number; Scapy makes one of it",
    ),
    row(
        r#"DHCP(options=[("lease_time", None)])"#,
        None,
        "None is no value of an option; Scapy writes zeros",
    ),
    row(
        r#"raw(IP(src="192.0.2.1", dst="192.0.2.2", ttl=None))[8:9]"#,
        Some("40"),
        "None is a field that nobody set; Scapy writes zero",
    ),
    row(
        r#"DHCP(options=[("classless_static_routes", "10.0.0.0/33:192.0.2.1")])"#,
        None,
        "a prefix over 32 is an error; Scapy writes nothing",
    ),
    row(
        r#"BOOTP(sname="x" * 65)"#,
        None,
        "what does not fit is an error; Scapy cuts it",
    ),
    row(
        r#"BOOTP(file="x" * 129)"#,
        None,
        "what does not fit is an error; Scapy cuts it",
    ),
    row(
        r#"BOOTP(chaddr=b"\x01" * 17)"#,
        None,
        "what does not fit is an error; Scapy cuts it",
    ),
    row(
        "Dot1Q(vlan=4096)",
        None,
        "what does not fit is an error; Scapy cuts it",
    ),
    row(
        "Dot1Q(prio=8)",
        None,
        "what does not fit is an error; Scapy cuts it",
    ),
    row(
        "Dot1Q(vlan=-1)",
        None,
        "what does not fit is an error; Scapy cuts it",
    ),
    row(
        r#"ARP(hwsrc="02:00:5e:10:00:01", psrc="192.0.2.1", hwlen=8)"#,
        Some("000108000804000102005e100001c000020100000000000000000000"),
        "a length that is set says nothing of the addresses; Scapy writes them as text, cut or filled up",
    ),
    row(
        r#"ARP(hwsrc="02:00:5e:10:00:01", psrc="192.0.2.1", plen=16)"#,
        Some("000108000610000102005e100001c000020100000000000000000000"),
        "a length that is set says nothing of the addresses; Scapy writes them as text, cut or filled up",
    ),
    row(
        r#"ARP(hwtype=6, hwsrc="02:00:5e:10:00:01", psrc="192.0.2.1")"#,
        Some("000608000604000102005e100001c000020100000000000000000000"),
        "a MAC address is one on any hardware; Scapy writes its text",
    ),
    row(
        r#"raw(IP(src="192.0.2.1", dst="192.0.2.2", ihl=6, options=b"\x01"))[20:]"#,
        Some("01"),
        "under a header length that is set options go out as they are; Scapy fills them up",
    ),
    row(
        r#"raw(IP(src="192.0.2.1", dst="192.0.2.2", options=b"\x01" * 44))[:1]"#,
        Some("4f"),
        "a header of more than 15 words says 15; Scapy's says what is left of the number",
    ),
    row(
        r#"raw(IP(src="192.0.2.1", dst="192.0.2.2") / (b"x" * 70000))[:4]"#,
        Some("45001184"),
        "a length that does not fit is cut, and the packet built; Scapy fails",
    ),
    row(
        "raw(ICMP(type=13, chksum=0))",
        Some("0d00000000000000"),
        "an ICMP header has eight bytes; what a type has behind them is payload",
    ),
    row(
        "ICMP(type=17)",
        Some("1100eeff00000000"),
        "an ICMP header has eight bytes; what a type has behind them is payload",
    ),
    row(
        "ICMP(type=37)",
        Some("2500daff00000000"),
        "an ICMP header has eight bytes; what a type has behind them is payload",
    ),
    row(
        r#"IP(src="10.0.0.0/30", dst="192.0.2.2")"#,
        None,
        "one expression is one packet; Scapy makes a set and builds its first",
    ),
    row(
        r#"IP(src="192.0.2.1", dst="192.0.2.2", ttl=(1, 3))"#,
        None,
        "one expression is one packet; Scapy makes a set and builds its first",
    ),
    row(
        r#"IP(src="10.1", dst="192.0.2.2")"#,
        None,
        "an address has four numbers; Scapy takes fewer",
    ),
    row(
        r#"raw(IP(src="192.0.2.1", dst="192.0.2.2", flags="df"))[6:8]"#,
        Some("4000"),
        "names mean the same in capitals; Scapy fails",
    ),
    row(
        r#"raw(UDP(dport="BOOTPS"))[2:4]"#,
        Some("0043"),
        "names mean the same in capitals; Scapy fails",
    ),
    row(
        r#"Ether(b"\x01\x02")"#,
        Some("0102"),
        "any bytes decode; Scapy fails",
    ),
    row(
        r#"IP(b"\x45\x00")"#,
        Some("4500"),
        "any bytes decode; Scapy fails",
    ),
    row(
        r#"Ether(dst="02-00-5e-10-00-01", src="02:00:5e:10:00:02")"#,
        Some("02005e10000102005e1000029000"),
        "hyphens stand in MAC addresses too; Scapy writes the text",
    ),
];
