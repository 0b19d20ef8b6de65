//! In what two frames differ.

use clap::Args;

use super::Error;
use super::args::ColorChoice;
use super::input::{self, Source};
use super::session::Session;
use crate::dhcp::difference::{Difference, differences};

/// Arguments of `diff`.
#[derive(Clone, Debug, Args)]
pub struct DiffArgs {
    /// The first frame: FILE#N, a file's first frame, `hex:…`, or - for standard input
    #[arg(value_name = "A", value_parser = Source::parse)]
    first: Source,
    /// The second
    #[arg(value_name = "B", value_parser = Source::parse)]
    second: Source,
    /// Leave a field or option out, such as BOOTP.xid or IP.id; repeat for more
    #[arg(long, value_name = "NAME")]
    ignore: Vec<String>,
    /// One JSON object per difference
    #[arg(long)]
    pub json: bool,
    /// When to use colours
    #[arg(long, value_enum, default_value_t)]
    pub color: ColorChoice,
}

impl DiffArgs {
    /// What differs.
    pub fn run(&self, session: &Session) -> Result<Vec<Difference>, Error> {
        let (first, second) = (
            input::base(&self.first, &[], session)?.frame,
            input::base(&self.second, &[], session)?.frame,
        );
        let ignored = |it: &Difference| {
            self.ignore
                .iter()
                .any(|name| name.eq_ignore_ascii_case(&it.name))
        };
        let mut all = differences(&first, &second);
        all.retain(|it| !ignored(it));
        Ok(all)
    }
}
