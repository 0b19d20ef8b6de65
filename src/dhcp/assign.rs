//! Options as the command line and scripts write them: `NAME[:TYPE][=VALUE]`.

use super::options::{self, UnknownOption};
use super::value::{TYPES, ValueError, ValueType};
use crate::wire::{END, PAD};

/// One option as bytes. Data of more than 255 bytes is split when it is encoded (RFC 3396).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The option's code.
    pub code: u8,
    /// Its data.
    pub data: Vec<u8>,
}

/// Why a text assigns no option.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssignError {
    /// No option of that name.
    #[error(transparent)]
    Unknown(#[from] UnknownOption),
    /// No type of that name.
    #[error("unknown type `{name}`; there are {}", types())]
    UnknownType {
        /// The type asked for.
        name: String,
    },
    /// The value does not fit.
    #[error("{option}: {error}; for example {option}={example}")]
    Value {
        /// The option's name.
        option: &'static str,
        /// What is wrong with the value.
        error: ValueError,
        /// A value that fits.
        example: &'static str,
    },
    /// The value does not fit the type that was forced.
    #[error("{option}:{ty}: {error}")]
    Typed {
        /// The option's name.
        option: &'static str,
        /// The type forced.
        ty: &'static str,
        /// What is wrong with the value.
        error: ValueError,
    },
}

fn types() -> String {
    let names: Vec<_> = TYPES.iter().map(|it| it.name()).collect();
    names.join(" ")
}

/// Reads `NAME[:TYPE][=VALUE]`. NAME is any tool's name or a number, TYPE forces a type, and every type
/// takes `hex:…` for its bytes.
///
/// ```
/// use dhcpcraft::dhcp::assign::parse;
/// assert_eq!(parse("router=10.0.0.1").unwrap().data, [10, 0, 0, 1]);
/// assert_eq!(parse("61=hex:01020304").unwrap().data, [1, 2, 3, 4]);
/// assert_eq!(parse("224:ip=10.0.0.1").unwrap().data, [10, 0, 0, 1]);
/// let error = parse("ruoter=10.0.0.1").unwrap_err().to_string();
/// assert!(error.starts_with("unknown option `ruoter` (did you mean router"));
/// ```
pub fn parse(text: &str) -> Result<Assignment, AssignError> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    let (name, ty) = match name.split_once(':') {
        Some((name, ty)) => (name, Some(ty)),
        None => (name, None),
    };
    let row = options::by_name(name)?;
    let ty = match ty {
        None => None,
        Some(name) => Some(
            ValueType::by_name(name).ok_or_else(|| AssignError::UnknownType {
                name: name.to_string(),
            })?,
        ),
    };
    let error = |error: ValueError| match ty {
        Some(ty) => AssignError::Typed {
            option: row.name,
            ty: ty.name(),
            error,
        },
        None => AssignError::Value {
            option: row.name,
            error,
            example: row.example,
        },
    };
    let value = value.unwrap_or_default().trim();
    let hexadecimal = match ty.map(ValueType::name) {
        Some("hex") => Some(value.strip_prefix("hex:").unwrap_or(value)),
        _ => value.strip_prefix("hex:"),
    };
    let data = match hexadecimal {
        Some(digits) => hex::decode(digits.replace([':', ' ', '-'], "")).map_err(|_| {
            error(ValueError(format!(
                "`{digits}` is not an even number of hex digits"
            )))
        })?,
        None => {
            let mut data = Vec::new();
            let parsed = ty.unwrap_or(row.ty).parse(value).map_err(error)?;
            parsed.encode(&mut data).map_err(error)?;
            data
        }
    };
    Ok(Assignment {
        code: row.code,
        data,
    })
}

/// The text that [`parse`] reads back as exactly this code and data: by value where that gives the same
/// bytes, else `NAME=hex:…`.
///
/// ```
/// use dhcpcraft::dhcp::assign::{format, parse};
/// assert_eq!(format(51, &[0, 0, 14, 16]), "lease-time=1h");
/// assert_eq!(format(51, &[1, 2]), "lease-time=hex:0102");
/// assert_eq!(parse(&format(51, &[1, 2])).unwrap().data, [1, 2]);
/// ```
pub fn format(code: u8, data: &[u8]) -> String {
    let row = options::by_code(code);
    if (code == PAD || code == END) && data.is_empty() {
        return row.name.to_string();
    }
    if let Ok(value) = row.ty.decode(data) {
        let text = match value.to_string() {
            value if value.is_empty() => row.name.to_string(),
            value => format!("{}={value}", row.name),
        };
        if parse(&text).is_ok_and(|it| it.data == data) {
            return text;
        }
    }
    format!("{}=hex:{}", row.name, hex::encode(data))
}
