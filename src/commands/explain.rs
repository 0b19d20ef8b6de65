//! Answers "what is this?" offline: options, header fields, message types, terms.

use clap::Args;

use super::Error;
use crate::dhcp::enums;
use crate::dhcp::glossary::{TERMS, Term};
use crate::dhcp::options::{self, OPTIONS, OptionSpec};
use crate::dhcp::value::SubOption;
use crate::wire::{FIELDS, FieldSpec};

/// Arguments of `explain`.
#[derive(Clone, Debug, Args)]
pub struct ExplainArgs {
    /// An option's number or any tool's name for it, a header field, a message type, or a term: 82, giaddr, "option overload"
    #[arg(value_name = "WHAT", required = true)]
    what: Vec<String>,
    /// One JSON object per answer
    #[arg(long)]
    pub json: bool,
    /// When to use colours
    #[arg(long, value_enum, default_value_t)]
    pub color: super::args::ColorChoice,
}

/// Something that can be explained.
#[derive(Clone, Copy, Debug)]
pub enum Topic {
    /// An option.
    Option(&'static OptionSpec),
    /// A sub-option of an option.
    SubOption(&'static OptionSpec, &'static SubOption),
    /// A header field.
    Field(&'static FieldSpec),
    /// A term.
    Term(&'static Term),
}

fn fold(text: &str) -> String {
    text.to_lowercase().replace(['_', '-'], " ")
}

impl ExplainArgs {
    /// A question about one name.
    pub fn about(name: &str) -> Self {
        ExplainArgs {
            what: vec![name.to_string()],
            json: false,
            color: super::args::ColorChoice::Auto,
        }
    }

    /// Everything known under the name, most particular first.
    pub fn run(&self) -> Result<Vec<Topic>, Error> {
        let wanted = self.what.join(" ");
        let folded = fold(&wanted);
        let number = folded.strip_prefix("option ").unwrap_or(&folded);
        let mut topics = Vec::new();
        let term = |term: &&Term| {
            fold(term.name) == folded || term.aliases.iter().any(|it| fold(it) == folded)
        };
        let fields = FieldSpec::find(&folded.replace(' ', "-")).map(Topic::Field);
        topics.extend(fields);
        topics.extend(TERMS.iter().filter(term).map(Topic::Term));
        if let Ok(row) =
            options::by_name(number).or_else(|_| options::by_name(&number.replace(' ', "-")))
        {
            topics.push(Topic::Option(row));
        }
        for row in OPTIONS.iter() {
            let all = row.ty.suboptions().iter();
            let called = all.filter(|it| {
                it.aliases.iter().any(|it| fold(it) == folded) || fold(it.name) == folded
            });
            topics.extend(called.map(|it| Topic::SubOption(row, it)));
        }
        match topics.is_empty() {
            false => Ok(topics),
            true => Err(Error::Missing(unknown(&wanted, &folded))),
        }
    }
}

fn unknown(wanted: &str, folded: &str) -> String {
    let options = OPTIONS
        .iter()
        .flat_map(|row| [row.name, row.scapy, row.isc]);
    let fields = FIELDS.iter().map(|row| row.name);
    let terms = TERMS
        .iter()
        .flat_map(|term| std::iter::once(term.name).chain(term.aliases.iter().copied()));
    let types = (1..=18).filter_map(enums::message_type_name);
    let suboptions = OPTIONS.iter().flat_map(|row| row.ty.suboptions());
    let suboptions = suboptions.map(|it| it.name);
    let mut near: Vec<(f64, &str)> = options
        .chain(fields)
        .chain(terms)
        .chain(types)
        .chain(suboptions)
        .filter(|name| !name.is_empty())
        .map(|name| (strsim::jaro_winkler(&fold(name), folded), name))
        .filter(|(score, _)| *score > 0.8)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    near.dedup_by(|a, b| a.1 == b.1);
    let near: Vec<_> = near.iter().take(3).map(|(_, name)| *name).collect();
    match near.is_empty() {
        true => format!(
            "nothing is known of \"{wanted}\"; `dhcpcraft options {wanted}` searches the options"
        ),
        false => format!(
            "nothing is known of \"{wanted}\" (did you mean {}?)",
            near.join(", ")
        ),
    }
}
