//! In what exchanges differ: a table for each message that is not the same in both.

use std::io::{self, Write};

use serde_json::{Value as Json, json};

use super::Style;
use super::lookup::{self, difference_json};
use super::replies::plural;
use super::tests::clean_line;
use crate::dhcp::comparison::{ComparedExchange, ComparedMessage};
use crate::dhcp::difference::Difference;

/// Each difference as JSON: as of two frames, with `exchange` (from 1), `message` and `frames` before it.
pub fn json(all: &[ComparedExchange]) -> Vec<Json> {
    let mut rows = Vec::new();
    for (number, exchange) in (1u64..).zip(all) {
        let mut push = |message: Option<&ComparedMessage>, it: &Difference| {
            let frames = message.map_or([None, None], |it| it.frames);
            let mut row = json!({
                "exchange": number,
                "message": message.map(|it| &it.name),
                "first_frame": frames[0],
                "second_frame": frames[1],
            });
            if let (Some(row), Json::Object(rest)) = (row.as_object_mut(), difference_json(it)) {
                row.extend(rest);
            }
            rows.push(row);
        };
        exchange.differences.iter().for_each(|it| push(None, it));
        for message in &exchange.messages {
            let differences = message.differences.iter();
            differences.for_each(|it| push(Some(message), it));
        }
    }
    rows
}

/// Prints what differs, exchange by exchange.
pub fn table(out: &mut dyn Write, all: &[ComparedExchange], style: &Style) -> io::Result<()> {
    for (number, exchange) in (1..).zip(all).filter(|it| it.1.differs()) {
        writeln!(out, "{}", style.bold(&heading(number, exchange)))?;
        let mut table = lookup::table(style, &["", "first", "second"]);
        let cell = |it: &Option<String>| it.as_ref().map_or("-".into(), |it| clean_line(it));
        for it in &exchange.differences {
            table.add_row([it.name.clone(), cell(&it.first), cell(&it.second)]);
        }
        let differ = exchange.messages.iter();
        for message in differ.filter(|it| !it.differences.is_empty()) {
            let frame = |it: Option<u64>| it.map_or("-".into(), |it| format!("frame {it}"));
            let [a, b] = message.frames.map(frame);
            // That a message is missing stands in its own row, with whose it is.
            let missing = message.differences.iter().find(|it| it.name == "message");
            let label = missing.and_then(|it| it.first.clone().or(it.second.clone()));
            table.add_row([label.unwrap_or_else(|| message.name.clone()), a, b]);
            let fields = message.differences.iter().filter(|it| it.name != "message");
            for it in fields {
                table.add_row([format!("  {}", it.name), cell(&it.first), cell(&it.second)]);
            }
        }
        lookup::print(out, &table)?;
        writeln!(out)?;
    }
    writeln!(out, "{}", summary(all))
}

fn heading(number: u64, exchange: &ComparedExchange) -> String {
    let clients = match &exchange.clients {
        [Some(a), Some(b)] if a == b => format!("client {a}"),
        [Some(a), Some(b)] => format!("clients {a} and {b}"),
        [Some(a), None] => format!("client {a}, in the first only"),
        [None, Some(b)] => format!("client {b}, in the second only"),
        [None, None] => String::new(),
    };
    format!("exchange {number}: {clients}")
}

/// `2 of 4 messages differ, in 1 of 1 exchange`.
fn summary(all: &[ComparedExchange]) -> String {
    let messages = || all.iter().flat_map(|it| &it.messages);
    let differ = messages().filter(|it| !it.differences.is_empty()).count();
    let exchanges = all.iter().filter(|it| it.differs()).count();
    match exchanges {
        0 => format!(
            "no difference in {} of {}",
            plural(messages().count(), "message"),
            plural(all.len(), "exchange")
        ),
        _ => format!(
            "{differ} of {} differ, in {exchanges} of {}",
            plural(messages().count(), "message"),
            plural(all.len(), "exchange")
        ),
    }
}
