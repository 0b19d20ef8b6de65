//! Numbers with names: message types, architectures, states, hardware types.

use super::value::EnumTable;

/// DHCPDISCOVER.
pub const DISCOVER: u8 = 1;
/// DHCPOFFER.
pub const OFFER: u8 = 2;
/// DHCPREQUEST.
pub const REQUEST: u8 = 3;
/// DHCPDECLINE.
pub const DECLINE: u8 = 4;
/// DHCPACK.
pub const ACK: u8 = 5;
/// DHCPNAK.
pub const NAK: u8 = 6;
/// DHCPRELEASE.
pub const RELEASE: u8 = 7;
/// DHCPINFORM.
pub const INFORM: u8 = 8;
/// DHCPFORCERENEW.
pub const FORCERENEW: u8 = 9;
/// DHCPLEASEQUERY.
pub const LEASEQUERY: u8 = 10;
/// DHCPLEASEUNASSIGNED.
pub const LEASEUNASSIGNED: u8 = 11;
/// DHCPLEASEUNKNOWN.
pub const LEASEUNKNOWN: u8 = 12;
/// DHCPLEASEACTIVE.
pub const LEASEACTIVE: u8 = 13;
/// DHCPBULKLEASEQUERY.
pub const BULKLEASEQUERY: u8 = 14;
/// DHCPLEASEQUERYDONE.
pub const LEASEQUERYDONE: u8 = 15;
/// DHCPACTIVELEASEQUERY.
pub const ACTIVELEASEQUERY: u8 = 16;
/// DHCPLEASEQUERYSTATUS.
pub const LEASEQUERYSTATUS: u8 = 17;
/// DHCPTLS.
pub const TLS: u8 = 18;

/// The name of a message type: `discover`, `offer` …
pub fn message_type_name(number: u8) -> Option<&'static str> {
    MESSAGE_TYPES.name_of(u64::from(number))
}

/// The message type of a name, with or without `DHCP` before it, case aside.
pub fn message_type_by_name(name: &str) -> Option<u8> {
    let name = name.to_ascii_lowercase();
    let short = name
        .strip_prefix("dhcp")
        .unwrap_or(&name)
        .replace(['-', '_'], "");
    MESSAGE_TYPES.number_of(&short).map(|it| it as u8)
}

/// The name of a hardware type (the numbers of ARP).
pub fn hardware_type_name(number: u8) -> Option<&'static str> {
    HARDWARE_TYPES.name_of(u64::from(number))
}

/// Option 53.
pub static MESSAGE_TYPES: EnumTable = EnumTable {
    name: "message type",
    rows: &[
        (1, "discover"),
        (2, "offer"),
        (3, "request"),
        (4, "decline"),
        (5, "ack"),
        (6, "nak"),
        (7, "release"),
        (8, "inform"),
        (9, "forcerenew"),
        (10, "leasequery"),
        (11, "leaseunassigned"),
        (12, "leaseunknown"),
        (13, "leaseactive"),
        (14, "bulkleasequery"),
        (15, "leasequerydone"),
        (16, "activeleasequery"),
        (17, "leasequerystatus"),
        (18, "tls"),
    ],
};

/// Option 52.
pub static OVERLOADS: EnumTable = EnumTable {
    name: "overload",
    rows: &[(1, "file"), (2, "sname"), (3, "both")],
};

/// Option 46.
pub static NETBIOS_NODE_TYPES: EnumTable = EnumTable {
    name: "NetBIOS node type",
    rows: &[(1, "b-node"), (2, "p-node"), (4, "m-node"), (8, "h-node")],
};

/// Option 116.
pub static AUTO_CONFIGS: EnumTable = EnumTable {
    name: "auto-configuration",
    rows: &[(0, "do-not-auto-configure"), (1, "auto-configure")],
};

/// Sub-option 10 of option 82 (RFC 5010): bit 7 is the only one that means anything.
pub static RELAY_FLAGS: EnumTable = EnumTable {
    name: "relay flag",
    rows: &[(0, "broadcast"), (0x80, "unicast")],
};

/// Option 156.
pub static DHCP_STATES: EnumTable = EnumTable {
    name: "binding state",
    rows: &[
        (1, "available"),
        (2, "active"),
        (3, "expired"),
        (4, "released"),
        (5, "abandoned"),
        (6, "reset"),
        (7, "remote"),
        (8, "transitioning"),
    ],
};

/// Option 151.
pub static STATUS_CODES: EnumTable = EnumTable {
    name: "status code",
    rows: &[
        (0, "success"),
        (1, "unspec-fail"),
        (2, "query-terminated"),
        (3, "malformed-query"),
        (4, "not-allowed"),
        (5, "data-missing"),
        (6, "connection-active"),
        (7, "catch-up-complete"),
        (8, "tlsconnection-refused"),
    ],
};

/// Option 93.
pub static CLIENT_ARCHS: EnumTable = EnumTable {
    name: "client architecture",
    rows: &[
        (0, "bios"),
        (1, "nec-pc98"),
        (2, "itanium"),
        (3, "dec-alpha"),
        (4, "arc-x86"),
        (5, "intel-lean-client"),
        (6, "x86-uefi"),
        (7, "x64-uefi"),
        (8, "efi-xscale"),
        (9, "ebc"),
        (10, "arm32-uefi"),
        (11, "arm64-uefi"),
        (12, "powerpc-open-firmware"),
        (13, "powerpc-epapr"),
        (14, "power-opal-v3"),
        (15, "x86-uefi-http"),
        (16, "x64-uefi-http"),
        (17, "ebc-http"),
        (18, "arm32-uefi-http"),
        (19, "arm64-uefi-http"),
        (20, "pc-at-bios-http"),
        (21, "arm32-u-boot"),
        (22, "arm64-u-boot"),
        (23, "arm32-u-boot-http"),
        (24, "arm64-u-boot-http"),
        (25, "riscv32-uefi"),
        (26, "riscv32-uefi-http"),
        (27, "riscv64-uefi"),
        (28, "riscv64-uefi-http"),
        (29, "riscv128-uefi"),
        (30, "riscv128-uefi-http"),
        (31, "s390-basic"),
        (32, "s390-extended"),
        (33, "mips32-uefi"),
        (34, "mips64-uefi"),
        (35, "sunway32-uefi"),
        (36, "sunway64-uefi"),
        (37, "loongarch32-uefi"),
        (38, "loongarch32-uefi-http"),
        (39, "loongarch64-uefi"),
        (40, "loongarch64-uefi-http"),
        (41, "arm-rpiboot"),
    ],
};

/// BOOTP htype.
pub static HARDWARE_TYPES: EnumTable = EnumTable {
    name: "hardware type",
    rows: &[
        (0, "Reserved"),
        (1, "Ethernet (10Mb)"),
        (2, "Experimental Ethernet (3Mb)"),
        (3, "Amateur Radio AX.25"),
        (4, "Proteon ProNET Token Ring"),
        (5, "Chaos"),
        (6, "IEEE 802 Networks"),
        (7, "ARCNET"),
        (8, "Hyperchannel"),
        (9, "Lanstar"),
        (10, "Autonet Short Address"),
        (11, "LocalTalk"),
        (12, "LocalNet"),
        (13, "Ultra link"),
        (14, "SMDS"),
        (15, "Frame Relay"),
        (16, "ATM"),
        (17, "HDLC"),
        (18, "Fibre Channel"),
        (19, "ATM"),
        (20, "Serial Line"),
        (21, "ATM"),
        (22, "MIL-STD-188-220"),
        (23, "Metricom"),
        (24, "IEEE 1394"),
        (25, "MAPOS"),
        (26, "Twinaxial"),
        (27, "EUI-64"),
        (28, "HIPARP"),
        (29, "IP and ARP over ISO 7816-3"),
        (30, "ARPSec"),
        (31, "IPsec tunnel"),
        (32, "InfiniBand"),
        (33, "TIA-102 Project 25 CAI"),
        (34, "Wiegand Interface"),
        (35, "Pure IP"),
        (36, "HW_EXP1"),
        (37, "HFI"),
        (38, "Unified Bus (UB)"),
    ],
};
