//! The value types, each defined once.

use super::Shape;
use super::shape::{SubOption, SubTable};
use crate::dhcp::enums;
use crate::dhcp::suboptions;

/// A value type: a name for `NAME:TYPE=VALUE`, and its shape.
#[derive(Clone, Copy, Debug)]
pub struct ValueType(&'static TypeSpec);

/// What there is to know of a type.
#[derive(Debug)]
struct TypeSpec {
    name: &'static str,
    shape: Shape,
    doc: &'static str,
}

impl PartialEq for ValueType {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for ValueType {}

impl ValueType {
    /// Its name, as `NAME:TYPE=VALUE` takes it.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// How its text is written, in a few words.
    pub fn doc(self) -> &'static str {
        self.0.doc
    }

    /// What it is made of.
    pub fn shape(self) -> &'static Shape {
        &self.0.shape
    }

    /// The sub-options that it has names for.
    pub fn suboptions(self) -> &'static [SubOption] {
        match self.shape() {
            Shape::Tlv(table) => table.rows,
            _ => &[],
        }
    }

    /// The type with this name.
    pub fn by_name(name: &str) -> Option<ValueType> {
        TYPES
            .iter()
            .find(|it| it.name().eq_ignore_ascii_case(name))
            .copied()
    }
}

macro_rules! types {
    ($($NAME:ident $name:literal $shape:expr, $doc:literal;)*) => {
        $(
            #[doc = concat!("`", $name, "`: `", $doc, "`")]
            pub const $NAME: ValueType = ValueType({
                static SPEC: TypeSpec = TypeSpec { name: $name, shape: $shape, doc: $doc };
                &SPEC
            });
        )*
        /// Every type.
        pub static TYPES: &[ValueType] = &[$($NAME),*];
    };
}

static PLAIN_SUBS: SubTable = SubTable {
    rows: &[],
    default: Shape::Bytes,
    pads: false,
};
static VENDOR_SUBS: SubTable = SubTable {
    rows: &[],
    default: Shape::Bytes,
    pads: true,
};
static IPS_SUBS: SubTable = SubTable {
    rows: &[],
    default: Shape::List(&Shape::Ip),
    pads: false,
};
static FQDNS_SUBS: SubTable = SubTable {
    rows: &[],
    default: Shape::Fqdns,
    pads: false,
};

types! {
    PAD "pad" Shape::Flag, "a single byte";
    END "end" Shape::Flag, "a single byte";
    FLAG "flag" Shape::Flag, "no value: being there is the value";
    BOOL "bool" Shape::Bool, "true or false";
    U8 "u8" Shape::Uint(1), "a number up to 255";
    U16 "u16" Shape::Uint(2), "a number up to 65535";
    U32 "u32" Shape::Uint(4), "a number up to 4294967295";
    I32 "i32" Shape::I32, "a number that may be negative";
    SECONDS "seconds" Shape::Seconds, "1h30m, 7d, 3600 or infinite";
    IP "ip" Shape::Ip, "an IPv4 address";
    IPS "ips" Shape::List(&Shape::Ip), "IPv4 addresses joined by commas";
    IPS_OR_NONE "ips-or-none" Shape::Either(&Shape::List(&Shape::Ip), &Shape::Flag, "none"), "IPv4 addresses joined by commas, or none:";
    IP_PAIRS "ip-pairs" Shape::List(&Shape::Record(&[("address", Shape::Ip), ("second", Shape::Ip)], 2)), "pairs ADDRESS/ADDRESS joined by commas";
    IPV6 "ipv6" Shape::Ipv6, "an IPv6 address";
    STR "str" Shape::Str, "text";
    BYTES "bytes" Shape::Bytes, "text, or hex:…";
    HEX "hex" Shape::Bytes, "hex digits";
    U8S "u8s" Shape::List(&Shape::Uint(1)), "numbers joined by commas";
    U16S "u16s" Shape::List(&Shape::Uint(2)), "numbers joined by commas";
    FQDN "fqdn" Shape::Fqdn, "a domain name";
    FQDNS "fqdns" Shape::Fqdns, "domain names joined by commas";
    OPTION_CODES "options" Shape::List(&Shape::OptionCode), "option names or numbers joined by commas";
    MESSAGE_TYPE "message-type" Shape::Enum(&enums::MESSAGE_TYPES, 1), "discover, offer, request … or a number";
    OVERLOAD "overload" Shape::Enum(&enums::OVERLOADS, 1), "file, sname or both";
    NETBIOS_NODE_TYPE "netbios-node-type" Shape::Enum(&enums::NETBIOS_NODE_TYPES, 1), "b-node, p-node, m-node or h-node";
    AUTO_CONFIG "auto-config" Shape::Enum(&enums::AUTO_CONFIGS, 1), "auto-configure or do-not-auto-configure";
    DHCP_STATE "dhcp-state" Shape::Enum(&enums::DHCP_STATES, 1), "available, active, expired …";
    CLIENT_ARCHS "client-arch" Shape::List(&Shape::Enum(&enums::CLIENT_ARCHS, 2)), "architecture names or numbers joined by commas";
    CLIENT_NDI "client-ndi" Shape::Record(&[("type", Shape::Uint(1)), ("major", Shape::Uint(1)), ("minor", Shape::Uint(1))], 3), "TYPE/MAJOR/MINOR";
    CLIENT_ID "client-id" Shape::ClientId, "a MAC address, text, duid:IAID/DUID, or hex:…";
    CLIENT_FQDN "client-fqdn" Shape::ClientFqdn, "FLAGS/NAME, flags of SOEN; a dot at the end for a whole name";
    USER_CLASS "user-class" Shape::Either(&Shape::List(&Shape::Prefixed(1, &Shape::Str)), &Shape::Str, "text"), "classes joined by commas, or text:… for plain text";
    UUID "uuid" Shape::Uuid, "a UUID";
    ROUTES "routes" Shape::List(&Shape::Route), "NETWORK/BITS>ROUTER joined by commas";
    RELAY_INFO "relay-info" Shape::Tlv(&suboptions::RELAY), "sub-options NAME=VALUE joined by commas";
    SUB_OPTIONS "sub-options" Shape::Tlv(&PLAIN_SUBS), "sub-options NUMBER=VALUE joined by commas";
    VENDOR_OPTIONS "vendor-options" Shape::Tlv(&VENDOR_SUBS), "sub-options NUMBER=VALUE joined by commas, pad, end";
    MOS_ADDRESSES "mos-addresses" Shape::Tlv(&IPS_SUBS), "NUMBER=[ADDRESSES] joined by commas";
    MOS_NAMES "mos-names" Shape::Tlv(&FQDNS_SUBS), "NUMBER=[NAMES] joined by commas";
    VI_VENDOR_CLASS "vi-vendor-class" Shape::List(&Shape::Record(&[("enterprise", Shape::Uint(4)), ("classes", Shape::Prefixed(1, &Shape::List(&Shape::Prefixed(1, &Shape::Bytes))))], 2)), "ENTERPRISE/[CLASSES] joined by commas";
    VI_VENDOR_OPTIONS "vi-vendor-options" Shape::List(&Shape::Record(&[("enterprise", Shape::Uint(4)), ("options", Shape::Prefixed(1, &Shape::Tlv(&PLAIN_SUBS)))], 2)), "ENTERPRISE/[SUB-OPTIONS] joined by commas";
    SLP_DA "slp-directory-agent" Shape::Record(&[("mandatory", Shape::Bool), ("agents", Shape::List(&Shape::Ip))], 1), "MANDATORY/[ADDRESSES]";
    SLP_SCOPE "slp-service-scope" Shape::Record(&[("mandatory", Shape::Bool), ("scopes", Shape::Str)], 1), "MANDATORY/SCOPES";
    ISNS "isns" Shape::Record(&[("functions", Shape::Uint(2)), ("dd-access", Shape::Uint(2)), ("admin-flags", Shape::Uint(2)), ("security", Shape::Uint(4)), ("servers", Shape::List(&Shape::Ip))], 5), "FUNCTIONS/ACCESS/ADMIN/SECURITY/[SERVERS]";
    AUTHENTICATION "authentication" Shape::Record(&[("protocol", Shape::Uint(1)), ("algorithm", Shape::Uint(1)), ("rdm", Shape::Uint(1)), ("replay-detection", Shape::Uint(8)), ("information", Shape::Bytes)], 4), "PROTOCOL/ALGORITHM/RDM/REPLAY/INFORMATION";
    CIVIC "civic" Shape::Record(&[("what", Shape::Uint(1)), ("country", Shape::Fixed(2)), ("parts", Shape::Tlv(&PLAIN_SUBS))], 2), "WHAT/COUNTRY/[PARTS]";
    GEO "geo" Shape::Geo, "lat=…,long=…,alt=… and their resolutions";
    SIP "sip-servers" Shape::Sip, "names or addresses joined by commas";
    STRINGS16 "strings" Shape::List(&Shape::Prefixed(2, &Shape::Str)), "texts joined by commas";
    RDNSS "rdnss" Shape::Record(&[("preference", Shape::Uint(1)), ("primary", Shape::Ip), ("secondary", Shape::Ip), ("domains", Shape::Fqdns)], 3), "PREFERENCE/PRIMARY/SECONDARY/[DOMAINS]";
    STATUS_CODE "status-code" Shape::Record(&[("code", Shape::Enum(&enums::STATUS_CODES, 1)), ("message", Shape::Str)], 1), "CODE/MESSAGE";
    PCP "pcp-servers" Shape::List(&Shape::Prefixed(1, &Shape::List(&Shape::Ip))), "[ADDRESSES] joined by commas";
    PORT_PARAMS "port-params" Shape::Record(&[("offset", Shape::Uint(1)), ("psid-length", Shape::Uint(1)), ("psid", Shape::Uint(2))], 3), "OFFSET/LENGTH/PSID";
    DNR "dnr" Shape::List(&Shape::Prefixed(2, &Shape::Record(&[("priority", Shape::Uint(2)), ("name", Shape::Prefixed(1, &Shape::Fqdn)), ("addresses", Shape::Prefixed(1, &Shape::List(&Shape::Ip))), ("parameters", Shape::Bytes)], 2))), "PRIORITY/NAME/[ADDRESSES]/PARAMETERS joined by commas";
    SIXRD "6rd" Shape::Record(&[("mask-length", Shape::Uint(1)), ("prefix-length", Shape::Uint(1)), ("prefix", Shape::Ipv6), ("relays", Shape::List(&Shape::Ip))], 4), "MASK/LENGTH/PREFIX/[RELAYS]";
    SUBNET_ALLOCATION "subnet-allocation" Shape::Record(&[("flags", Shape::Uint(1)), ("sub-options", Shape::Tlv(&PLAIN_SUBS))], 1), "FLAGS/[SUB-OPTIONS]";
    VSS "vss" Shape::Record(&[("type", Shape::Uint(1)), ("information", Shape::Bytes)], 1), "TYPE/INFORMATION";
    DUID "duid" Shape::Record(&[("type", Shape::Uint(2)), ("data", Shape::Bytes)], 2), "TYPE/DATA";
}
