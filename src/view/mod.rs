//! Entries and outcomes as a person or a program wants to see them. Everything goes into the writers
//! that a view was given, and everything off the wire is escaped before it does.

mod clients;
mod comparison;
pub mod conform;
mod diagnosis;
mod group;
mod hexdump;
mod json;
mod ladder;
mod lint;
mod lookup;
mod meaning;
pub mod nagios;
mod printer;
mod replay;
mod replies;
mod served;
mod servers;
pub mod source;
mod style;
mod summary;
pub mod tests;
mod tree;
mod tree_bytes;
mod tree_options;
mod unread;

use crate::commands::Outcome;
pub use crate::commands::args::Format;
use crate::commands::outcome::Clients;
use crate::commands::servers::Found;
use crate::dhcp::value::escape_into;
pub use diagnosis::{cause_json, lines as cause_lines};
pub use group::client_json;
pub use hexdump::hexdump;
pub use json::{json, json_line};
pub use ladder::Ladder;
pub use lint::finding_json;
pub use printer::View;
pub use replies::{lease_box, replies_table};
pub use served::served_line;
pub use style::{Style, hang, notice_width};
pub use summary::{list_line, summary};
pub use tree::tree;
pub use unread::Unread;

/// Text that may come from anywhere, safe to print: nothing in it moves the cursor, changes colours or
/// hides.
pub fn escape(text: &str) -> String {
    let mut out = String::new();
    escape_into(&mut out, text.as_bytes());
    out.replace("\\\"", "\"").replace("\\'", "'")
}

/// What a look-up found, as JSON.
pub fn lookup_json(outcome: &Outcome) -> Vec<serde_json::Value> {
    match outcome {
        Outcome::Options(rows) => rows.iter().map(|it| lookup::option_json(it)).collect(),
        Outcome::Topics(topics) => topics.iter().map(lookup::topic_json).collect(),
        Outcome::Links(links) => lookup::links_json(links),
        Outcome::Differences(rows) => rows.iter().map(lookup::difference_json).collect(),
        Outcome::Compared(all) => comparison::json(all),
        Outcome::Replayed(it) => replay::json(it),
        Outcome::Clients(all) => client_rows(all),
        Outcome::Servers(found) => servers::json(found),
        Outcome::Faults => lookup::faults_json(),
        Outcome::Rules(rules) => rules.iter().map(|it| lint::rule_json(it)).collect(),
        Outcome::Conformance(report) => conform::json(report),
        Outcome::Ran(_) | Outcome::Converted(_) | Outcome::Linted(_) => Vec::new(),
    }
}

/// The servers of a link as JSON, a row each.
pub fn server_rows(found: &Found) -> Vec<serde_json::Value> {
    let rows = found.census.rows.iter();
    rows.map(|it| servers::row_json(&found.census, it))
        .collect()
}

/// Many clients as JSON, a row each.
pub fn client_rows(all: &Clients) -> Vec<serde_json::Value> {
    all.results.iter().map(clients::json).collect()
}
