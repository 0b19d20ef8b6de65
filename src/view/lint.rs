//! Findings and rules as text and as JSON.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style as Ansi};
use serde_json::{Value as Json, json};

use super::Style;
use super::lookup::{self, wrap};
use super::style::{DIM, WARN};
use super::summary::summary;
use crate::commands::lint::{Linted, Tally};
use crate::dhcp::lint::{Finding, Rule, Severity};

/// Columns before a finding's text: the longest severity and the space around it.
const INDENT: usize = 11;

/// Findings about one frame, to be told.
pub(super) struct Found {
    number: u64,
    summary: String,
    findings: Vec<Finding>,
}

impl Found {
    pub fn new(linted: &Linted) -> Self {
        Found {
            number: linted.entry.number,
            summary: summary(linted.entry),
            findings: linted.findings.to_vec(),
        }
    }

    /// Tells them; `named` has the frame named first.
    pub fn tell(&self, out: &mut dyn Write, named: bool, style: &Style) -> io::Result<()> {
        if named {
            let frame = format!("frame {}", self.number);
            let room = style.width.saturating_sub(frame.len() + 2);
            let summary = super::style::cut(&self.summary, room);
            writeln!(out, "{}  {summary}", style.bold(&frame))?;
        }
        for it in &self.findings {
            finding(out, it, style)?;
        }
        Ok(())
    }
}

fn paint(severity: Severity, style: &Style, text: &str) -> String {
    let ansi = match severity {
        Severity::Error => WARN,
        Severity::Warning => Ansi::new().fg_color(Some(AnsiColor::Yellow.into())).bold(),
        Severity::Note => DIM,
    };
    style.paint(ansi, text)
}

fn finding(out: &mut dyn Write, it: &Finding, style: &Style) -> io::Result<()> {
    let severity = it.rule.severity;
    let name = paint(severity, style, severity.name());
    let gap = INDENT - 2 - severity.name().len();
    let place = match it.offset {
        Some(offset) => format!("{} at byte {offset}", it.place),
        None => it.place.clone(),
    };
    let found = format!("{place}: {}", super::escape(&it.found));
    let found = wrap(&found, INDENT, style);
    writeln!(out, "  {name}{:gap$}{}", "", found.trim_start())?;
    let wants = format!("{} (RFC {}, {})", it.rule.text, it.rule.rfc, it.rule.id);
    for line in wrap(&wants, INDENT, style).lines() {
        writeln!(out, "{:INDENT$}{}", "", style.dim(line.trim_start()))?;
    }
    Ok(())
}

/// The name of a file above what was found in it.
pub(super) fn file(out: &mut dyn Write, name: &str, style: &Style) -> io::Result<()> {
    writeln!(out, "{}", style.bold(&super::escape(name)))
}

/// The line at the end.
pub(super) fn tally(
    out: &mut dyn Write,
    tally: &Tally,
    told: bool,
    style: &Style,
) -> io::Result<()> {
    if told {
        writeln!(out)?;
    }
    let text = tally.to_string();
    let text = wrap(&text, 0, style);
    writeln!(out, "{}", style.bold(&text))
}

/// A finding as JSON: `file` (null for frames of a link), `frame`, `rule`, `severity`, `rfc`, `place`,
/// `offset` (null for what is missing), `found`, `wants`.
pub(super) fn json(file: Option<&str>, it: &Finding) -> Json {
    let mut object = finding_json(it);
    object["file"] = file.into();
    object
}

/// The same without a file.
pub fn finding_json(it: &Finding) -> Json {
    json!({
        "frame": it.frame,
        "rule": it.rule.id,
        "severity": it.rule.severity.name(),
        "rfc": it.rule.rfc,
        "place": it.place,
        "offset": it.offset,
        "found": super::escape(&it.found),
        "wants": it.rule.text,
    })
}

/// The rules as a table.
pub(super) fn rules(out: &mut dyn Write, rules: &[&Rule], style: &Style) -> io::Result<()> {
    let mut table = lookup::table(style, &["rule", "severity", "RFC", "what is wanted"]);
    for it in rules {
        table.add_row([it.id, it.severity.name(), it.rfc, it.text]);
    }
    lookup::print(out, &table)
}

/// A rule as JSON: `rule`, `severity`, `rfc`, `wants`, and whether it `relates` frames to each other.
pub(super) fn rule_json(it: &Rule) -> Json {
    json!({
        "rule": it.id,
        "severity": it.severity.name(),
        "rfc": it.rfc,
        "wants": it.text,
        "relates": it.relates(),
    })
}
