//! What values are made of.

/// Numbers and their names.
#[derive(Debug)]
pub struct EnumTable {
    /// What it enumerates.
    pub name: &'static str,
    /// Number, name.
    pub rows: &'static [(u64, &'static str)],
}

impl EnumTable {
    /// The name of a number.
    pub fn name_of(&self, number: u64) -> Option<&'static str> {
        let row = self.rows.iter().find(|row| row.0 == number)?;
        Some(row.1)
    }

    /// The number of a name, case aside.
    pub fn number_of(&self, name: &str) -> Option<u64> {
        let row = self
            .rows
            .iter()
            .find(|row| row.1.eq_ignore_ascii_case(name))?;
        Some(row.0)
    }
}

/// A sub-option of an option that holds options.
#[derive(Debug)]
pub struct SubOption {
    /// Its code.
    pub code: u8,
    /// Our name for it.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// What its data is.
    pub shape: Shape,
    /// The document that defines it.
    pub rfc: &'static str,
    /// What it means.
    pub doc: &'static str,
}

/// The sub-options of an option.
#[derive(Debug)]
pub struct SubTable {
    /// Known ones, by code.
    pub rows: &'static [SubOption],
    /// What the data of all others is.
    pub default: Shape,
    /// Whether PAD (0) and END (255) are single bytes in it (RFC 2132 section 8.4).
    pub pads: bool,
}

impl SubTable {
    /// The name and shape of a code.
    pub fn row(&'static self, code: u8) -> (Option<&'static str>, &'static Shape) {
        match self.rows.iter().find(|row| row.code == code) {
            Some(row) => (Some(row.name), &row.shape),
            None => (None, &self.default),
        }
    }

    /// The code of a name.
    pub fn code_of(&self, name: &str) -> Option<u8> {
        let same = |it: &str| it.eq_ignore_ascii_case(name);
        let row = self
            .rows
            .iter()
            .find(|row| same(row.name) || row.aliases.iter().any(|it| same(it)))?;
        Some(row.code)
    }
}

/// What a value is made of.
#[derive(Debug)]
pub enum Shape {
    /// No data: being there is the value.
    Flag,
    /// A big-endian number of this many bytes.
    Uint(usize),
    /// A two's complement number of four bytes.
    I32,
    /// One byte, 0 or 1.
    Bool,
    /// Seconds in four bytes; all ones is for ever.
    Seconds,
    /// A number of this many bytes with names.
    Enum(&'static EnumTable, usize),
    /// The code of an option, one byte.
    OptionCode,
    /// An IPv4 address.
    Ip,
    /// An IPv6 address.
    Ipv6,
    /// Text.
    Str,
    /// Opaque bytes.
    Bytes,
    /// Exactly this many opaque bytes.
    Fixed(usize),
    /// A domain name in RFC 1035 form.
    Fqdn,
    /// Domain names that may point into each other.
    Fqdns,
    /// One or more of the same.
    List(&'static Shape),
    /// Different things in a row; from the given index on they may be missing.
    Record(&'static [(&'static str, Shape)], usize),
    /// A length of this many bytes, and so much of the shape.
    Prefixed(usize, &'static Shape),
    /// Codes, lengths and data.
    Tlv(&'static SubTable),
    /// The first form, or else the second, which text marks with the word.
    Either(&'static Shape, &'static Shape, &'static str),
    /// A classless route (RFC 3442).
    Route,
    /// Hardware type and address, text, or IAID and DUID (RFC 2132 section 9.14, RFC 4361).
    ClientId,
    /// Client FQDN (RFC 4702).
    ClientFqdn,
    /// SIP servers by name or by address (RFC 3361).
    Sip,
    /// Type and UUID of a PXE client (RFC 4578).
    Uuid,
    /// Coordinates (RFC 6225).
    Geo,
}
