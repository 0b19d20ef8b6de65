//! What somebody who knows Scapy has to know: what is the same here, and what differs.

/// What is the same. Text in backquotes runs as it stands.
pub const SAME: &[&str] = &[
    "`from scapy.all import *` is accepted and does nothing",
    "`Ether() / IP() / UDP() / BOOTP() / DHCP(options=[(\"message-type\", \"discover\"), \"end\"])`",
    "layers, fields, defaults and computed lengths and checksums; `pkt[BOOTP].xid = 7`, `DHCP in pkt`",
    "`send` `sendp` `sr` `sr1` `srp` `srp1` `sniff` `rdpcap` `wrpcap` `hexdump` `raw` `ls` `lsc`",
    "`pkt.show()` `pkt.summary()` `pkt.command()` `pkt.copy()` `pkt.haslayer(DHCP)`; `del pkt[IP].chksum`",
    "`pkt[DHCP].options` is a live list: `pkt[DHCP].options[0] = (\"message-type\", \"request\")`",
];

/// Scapy's way, and what it is here.
pub const DIFFERENT: &[(&str, &str)] = &[
    (
        "the language",
        "Starlark, a small Python: `def`, `for`, `if`, comprehensions, lambda; no `while`, no `try`, no \
         classes, no `with`, no imports of modules",
    ),
    (
        "f\"{pkt.xid:08x}\"",
        "f-strings hold names only: `xid = pkt.xid`, then `f\"{xid}\"`; `hex(7)` and `\"%x\" % 7` for the rest",
    ),
    (
        "bytes.fromhex(\"0102\")",
        "`hex(\"0102\")`; `hex(7)` is \"0x7\" as in Python; `raw(pkt)`, `bytes(\"text\")`, `.hex()`",
    ),
    (
        "ans, unans = srp(pkt)",
        "the same two, as plain lists: `ans[0][1]` is the first answer; ans.summary() is `show(ans)` of a list of packets",
    ),
    (
        "sniff(filter=\"udp port 67\")",
        "`sniff(lfilter=lambda p: DHCP in p)`; frames that are no DHCP or ARP are kept away by the kernel",
    ),
    (
        "conf.iface = \"eth0\"",
        "`interface(\"eth0\")`, at the prompt also `set interface eth0`; without it everything happens in the lab",
    ),
    (
        "srp(pkt) without timeout",
        "it waits five seconds, not for ever",
    ),
    (
        "BOOTP(chaddr=mac2str(mac))",
        "`BOOTP(chaddr=\"02:00:5e:10:00:01\")` takes the address as it is written; bytes as well",
    ),
    (
        "pkt.options of DHCP by hand",
        "`reply.router`, `reply.lease_time`: an option by its name, None where it is not there",
    ),
    (
        "nothing",
        "every command is a function: `discover(hostname=\"printer\").reply.router`; \
         `assert_eq`, `assert_true`, `seed(7)`",
    ),
];

/// Text broken between words, further lines indented.
pub fn wrapped(text: &str, indent: &str, width: usize) -> String {
    let mut out = String::new();
    let mut row = indent.to_string();
    for word in text.split(' ') {
        if row.trim() != "" && row.chars().count() + 1 + word.chars().count() > width {
            out.push_str(row.trim_end());
            out.push('\n');
            row = format!("{indent}  ");
        } else if row.trim() != "" {
            row.push(' ');
        }
        row.push_str(word);
    }
    out.push_str(&row);
    out.push('\n');
    out
}
