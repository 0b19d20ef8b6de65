//! Lists the option dictionary.

use clap::Args;

use super::Error;
use crate::dhcp::options::{OPTIONS, OptionSpec, Status};

/// Arguments of `options`.
#[derive(Clone, Debug, Args)]
pub struct OptionsArgs {
    /// Only options whose code, name, type or description holds one of these words
    #[arg(value_name = "WORD")]
    words: Vec<String>,
    /// Unassigned codes too
    #[arg(long)]
    all: bool,
    /// One JSON object per option
    #[arg(long)]
    pub json: bool,
    /// When to use colours
    #[arg(long, value_enum, default_value_t)]
    pub color: super::args::ColorChoice,
}

impl OptionsArgs {
    /// The rows asked for, by code.
    pub fn run(&self) -> Result<Vec<&'static OptionSpec>, Error> {
        let rows: Vec<_> = OPTIONS.iter().filter(|row| self.wants(row)).collect();
        match rows.is_empty() {
            true => Err(Error::Missing(format!(
                "no option has {} in its name, type or description; `dhcpcraft options --all` lists every code",
                self.words.join(" or ")
            ))),
            false => Ok(rows),
        }
    }

    fn wants(&self, row: &OptionSpec) -> bool {
        if self.words.is_empty() {
            return self.all || row.status != Status::Unassigned;
        }
        self.words.iter().any(|word| {
            let word = word.to_lowercase();
            if let Ok(code) = word.parse::<u8>() {
                return row.code == code;
            }
            let names = [
                row.name,
                row.iana,
                row.scapy,
                row.wireshark,
                row.isc,
                row.kea,
                row.dnsmasq,
                row.doc,
                row.ty.name(),
            ];
            names.iter().any(|name| name.to_lowercase().contains(&word))
        })
    }
}
