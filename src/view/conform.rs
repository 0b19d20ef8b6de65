//! What a conformance suite found: a table by RFC section, the failures with their evidence, JSON lines,
//! and a JUnit report.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::replies::plural;
use super::style::{DIM, NAME, WARN, take_words};
use super::tests::{Case, Ended, Suite};
use super::{Style, diagnosis, escape, lookup};
use crate::commands::conform::{Check, Finding, Findings, NEEDS, Report, Verdict, WORDS};

/// Prints a report.
pub fn report(out: &mut dyn Write, report: &Report, style: &Style) -> io::Result<()> {
    match report {
        Report::Checks {
            checks,
            explain: true,
            ..
        } => checks.iter().try_for_each(|it| explain(out, it, style)),
        Report::Checks { checks, client, .. } => list(out, checks, *client, style),
        Report::Findings(it) => findings(out, it, style),
    }
}

/// Prints text behind a margin, the first line behind `first`.
fn wrapped(
    out: &mut dyn Write,
    first: &str,
    margin: usize,
    text: &str,
    style: &Style,
) -> io::Result<()> {
    let mut rest = text;
    let room = style.width.saturating_sub(margin).max(20);
    write!(out, "{first}")?;
    loop {
        writeln!(out, "{}", take_words(&mut rest, room).trim_end())?;
        if rest.is_empty() {
            return Ok(());
        }
        write!(out, "{:margin$}", "")?;
    }
}

fn list(out: &mut dyn Write, checks: &[Check], client: bool, style: &Style) -> io::Result<()> {
    let mut table = lookup::table(style, &["id", "level", "section", "requirement"]);
    for it in checks {
        table.add_row([&it.id, it.level.name(), &it.section(), &it.requires]);
    }
    lookup::print(out, &table)?;
    writeln!(
        out,
        "\n{}; `dhcpcraft conform{} --explain ID` tells of one",
        plural(checks.len(), "check"),
        if client { " --client" } else { "" },
    )
}

fn explain(out: &mut dyn Write, check: &Check, style: &Style) -> io::Result<()> {
    let head = format!("{}  {}  {}", check.id, check.section(), check.level.name());
    writeln!(out, "{}", style.bold(&head))?;
    wrapped(out, "  ", 2, &check.requires, style)?;
    for need in &check.needs {
        let without = NEEDS.iter().find(|it| it.0 == need).map_or("", |it| it.1);
        writeln!(out, "  needs {need}; without: skipped, \"{without}\"")?;
    }
    writeln!(out)?;
    for line in check.source.lines() {
        writeln!(out, "  {}", style.dim(line))?;
    }
    Ok(())
}

/// A word of a verdict in its colour.
fn painted(word: &str, text: &str, style: &Style) -> String {
    match word {
        "fail" => style.paint(WARN, text),
        "warn" => style.paint(NAME, text),
        "pass" => text.to_string(),
        _ => style.paint(DIM, text),
    }
}

/// What matters most first, then by section.
fn findings(out: &mut dyn Write, it: &Findings, style: &Style) -> io::Result<()> {
    if !it.answered {
        writeln!(out, "{} on {}", it.nobody(), escape(&it.link))?;
        return diagnosis::causes(out, &it.causes, it.capture.as_deref(), style);
    }
    for (name, value) in &it.facts {
        wrapped(out, &format!("{name:<10}"), 10, &escape(value), style)?;
    }
    writeln!(out)?;
    sections(out, it, style)?;
    for word in ["fail", "warn", "note"] {
        for finding in it.findings.iter().filter(|it| it.word() == word) {
            writeln!(out)?;
            broken(out, it, finding, style)?;
        }
    }
    skipped(out, it, style)?;
    set_aside(
        out,
        "declined on purpose, and out of use until the server takes them back",
        &it.declined,
        style,
    )?;
    set_aside(
        out,
        "made to look taken when the server probed them, and perhaps out of use for a while",
        &it.in_use,
        style,
    )?;
    set_aside(out, "not given back to the server", &it.kept, style)?;
    let counts: Vec<String> = WORDS
        .iter()
        .map(|word| (it.count(word), word))
        .filter(|it| it.0 > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let line = format!(
        "\n{} check{}: {}{}",
        it.findings.len(),
        if it.findings.len() == 1 { "" } else { "s" },
        counts.join(", "),
        match it.interrupted {
            true => format!("; interrupted, {} not made", it.left),
            false => String::new(),
        }
    );
    writeln!(out, "{}", style.bold(&line))
}

/// Addresses that the server will not give for a while, and why.
fn set_aside(out: &mut dyn Write, why: &str, all: &[Ipv4Addr], style: &Style) -> io::Result<()> {
    if all.is_empty() {
        return Ok(());
    }
    let all: Vec<String> = all.iter().map(|ip| ip.to_string()).collect();
    wrapped(out, "\n", 0, &format!("{why}: {}", all.join(", ")), style)
}

/// A row for each section, with how many of its checks ended how.
fn sections(out: &mut dyn Write, it: &Findings, style: &Style) -> io::Result<()> {
    let mut rows: BTreeMap<(Vec<u32>, String), [usize; WORDS.len()]> = BTreeMap::new();
    for finding in &it.findings {
        let section = group(&finding.check);
        let row = rows.entry((numbers(&section), section)).or_default();
        if let Some(at) = WORDS.iter().position(|word| *word == finding.word()) {
            row[at] += 1;
        }
    }
    writeln!(
        out,
        "{:<22}{}",
        "section",
        WORDS.map(|word| format!("{word:>6}")).concat()
    )?;
    for ((_, section), counts) in rows {
        let cells = WORDS.iter().zip(counts).map(|(word, count)| match count {
            0 => style.dim(&format!("{:>6}", "·")),
            count => painted(word, &format!("{count:>6}"), style),
        });
        writeln!(out, "{section:<22}{}", cells.collect::<String>())?;
    }
    Ok(())
}

/// The row that a check counts in: its section of RFC 2131, and of another RFC the whole.
fn group(check: &Check) -> String {
    let section = check.section();
    match section
        .strip_prefix("RFC ")
        .and_then(|it| it.split_once(' '))
    {
        Some((rfc, _)) if rfc != "2131" => format!("RFC {rfc}"),
        _ => section,
    }
}

/// The numbers of a section's name, to sort by; what has none stands last.
fn numbers(section: &str) -> Vec<u32> {
    let all = section.split(|c: char| !c.is_ascii_digit());
    let all: Vec<u32> = all.filter_map(|it| it.parse().ok()).collect();
    match all.is_empty() {
        true => vec![u32::MAX],
        false => all,
    }
}

fn broken(out: &mut dyn Write, all: &Findings, it: &Finding, style: &Style) -> io::Result<()> {
    let word = it.word();
    let head = format!("{} {}", word.to_uppercase(), it.check.id);
    let section = style.dim(&it.check.section());
    writeln!(out, "{}  {section}", painted(word, &head, style))?;
    wrapped(out, "     ", 5, &it.check.requires, style)?;
    let seen = format!("seen: {}", escape(&it.detail()));
    wrapped(out, "     ", 5, &seen, style)?;
    if it.frames.is_empty() {
        return Ok(());
    }
    let numbers = ranges(&it.frames);
    let place = match &all.capture {
        Some(path) => format!("frames {numbers} of {}", escape(&path.to_string_lossy())),
        None => format!("`--only {} -w FILE.pcapng` records its frames", it.check.id),
    };
    wrapped(out, "     ", 5, &place, style)
}

/// `3, 5-8` of the numbers 3 5 6 7 8.
fn ranges(numbers: &[u64]) -> String {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some(run) if run.1 + 1 == *number => run.1 = *number,
            _ => runs.push((*number, *number)),
        }
    }
    let runs = runs.iter().map(|run| match run.0 == run.1 {
        true => run.0.to_string(),
        false => format!("{}-{}", run.0, run.1),
    });
    runs.collect::<Vec<_>>().join(", ")
}

/// The reasons for skipping, each with its checks.
fn skipped(out: &mut dyn Write, it: &Findings, style: &Style) -> io::Result<()> {
    let mut reasons: Vec<(String, Vec<&str>)> = Vec::new();
    for finding in it.findings.iter().filter(|it| it.word() == "skip") {
        let detail = finding.detail();
        match reasons.iter_mut().find(|it| it.0 == detail) {
            Some(row) => row.1.push(&finding.check.id),
            None => reasons.push((detail, vec![&finding.check.id])),
        }
    }
    if reasons.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nskipped")?;
    for (reason, ids) in reasons {
        let text = format!("{}: {}", escape(&reason), ids.join(" "));
        wrapped(out, "     ", 5, &text, style)?;
    }
    Ok(())
}

/// A check as JSON: `id rfc level requires needs`.
fn check_json(it: &Check) -> Json {
    json!({
        "id": it.id,
        "rfc": it.rfc,
        "level": it.level.name(),
        "requires": it.requires,
        "needs": it.needs,
    })
}

/// A check with what became of it as JSON.
pub fn finding_json(finding: &Finding) -> Json {
    let mut row = check_json(&finding.check);
    row["result"] = finding.word().into();
    row["detail"] = finding.detail().into();
    row["frames"] = finding.frames.clone().into();
    row["took"] = finding.took.as_secs_f64().into();
    row
}

/// A report as JSON: an object for each check, and one for the run.
pub fn json(report: &Report) -> Vec<Json> {
    let it = match report {
        Report::Checks { checks, .. } => return checks.iter().map(check_json).collect(),
        Report::Findings(it) => it,
    };
    let mut rows: Vec<Json> = Vec::new();
    rows.extend(it.findings.iter().map(finding_json));
    let facts = it.facts.iter();
    let facts: serde_json::Map<String, Json> = facts
        .map(|(name, value)| (name.clone(), value.as_str().into()))
        .collect();
    let counts: serde_json::Map<String, Json> = WORDS
        .iter()
        .map(|word| (word.to_string(), it.count(word).into()))
        .collect();
    rows.push(json!({
        "link": it.link,
        "answered": it.answered,
        (if it.client { "client" } else { "server" }): facts,
        "counts": counts,
        "declined": it.declined.iter().map(|ip| ip.to_string()).collect::<Vec<_>>(),
        "kept": it.kept.iter().map(|ip| ip.to_string()).collect::<Vec<_>>(),
        "not_run": it.left,
        "in_use": it.in_use.iter().map(|ip| ip.to_string()).collect::<Vec<_>>(),
        "frames": it.frames,
        "interrupted": it.interrupted,
        "causes": it.causes.iter().map(diagnosis::cause_json).collect::<Vec<_>>(),
    }));
    rows
}

/// Writes the findings as a JUnit report: a suite for each RFC section. A broken MUST is a failure; a broken
/// SHOULD is one only where it counts (`--strict`), and else told in the output of its test.
pub fn junit(it: &Findings, seed: Option<u64>, out: &mut dyn Write) -> io::Result<()> {
    let mut suites: BTreeMap<(Vec<u32>, String), Vec<Case>> = BTreeMap::new();
    for finding in &it.findings {
        let section = finding.check.section();
        let suite = suites.entry((numbers(&section), section));
        suite.or_default().push(case(finding, it.strict));
    }
    let mut suites: Vec<Suite> = suites
        .into_iter()
        .map(|((_, file), cases)| Suite { file, cases })
        .collect();
    if !it.answered || it.unusable {
        let trouble = it.facts.iter().find(|fact| fact.0 == "trouble");
        suites.push(Suite {
            file: "probe".into(),
            cases: vec![Case {
                name: if it.client {
                    "a client asks"
                } else {
                    "a server answers"
                }
                .into(),
                took: Duration::ZERO,
                ended: Ended::Not {
                    element: "error",
                    message: match trouble {
                        Some((_, text)) => escape(text),
                        None => it.nobody(),
                    },
                    kind: match (it.interrupted, it.unusable) {
                        (true, _) => "interrupted",
                        (_, true) => "unusable",
                        _ => "silence",
                    },
                    text: diagnosis::lines(&it.causes),
                },
                printed: String::new(),
                seed: None,
            }],
        });
    }
    if it.interrupted && it.left > 0 {
        suites.push(Suite {
            file: "run".into(),
            cases: vec![Case {
                name: "the run comes to its end".into(),
                took: Duration::ZERO,
                ended: Ended::Not {
                    element: "error",
                    message: match it.left {
                        1 => "interrupted: 1 check was not made".into(),
                        left => format!("interrupted: {left} checks were not made"),
                    },
                    kind: "interrupted",
                    text: String::new(),
                },
                printed: String::new(),
                seed: None,
            }],
        });
    }
    let took = it.findings.iter().map(|it| it.took).sum();
    super::tests::junit(out, &suites, took, seed)
}

/// A finding as a test of a JUnit report.
fn case(finding: &Finding, strict: bool) -> Case {
    let (word, check) = (finding.word(), &finding.check);
    let fails = word == "fail" || (word == "warn" && strict);
    let detail = escape(&finding.detail());
    let ended = match word {
        _ if finding.verdict == Verdict::Interrupted => Ended::Not {
            element: "error",
            message: detail.clone(),
            kind: "interrupted",
            text: String::new(),
        },
        "skip" => Ended::Not {
            element: "skipped",
            message: detail.clone(),
            kind: "skipped",
            text: detail.clone(),
        },
        _ if fails => Ended::Not {
            element: "failure",
            message: detail.clone(),
            kind: check.level.name(),
            text: format!(
                "{}\n{detail}\nframes {}",
                check.requires,
                ranges(&finding.frames)
            ),
        },
        _ => Ended::Passed,
    };
    Case {
        name: format!("{} {}", check.id, check.requires),
        took: finding.took,
        ended,
        printed: match word {
            "warn" | "note" if !fails => format!("{word}: {detail}"),
            _ => String::new(),
        },
        seed: None,
    }
}

#[cfg(test)]
mod tests {
    use super::{numbers, ranges};

    #[test]
    fn frames_next_to_each_other_are_a_range() {
        assert_eq!(ranges(&[3, 5, 6, 7, 9]), "3, 5-7, 9");
        assert_eq!(ranges(&[]), "");
    }

    #[test]
    fn sections_sort_by_number() {
        let mut all = ["robustness", "RFC 2131 4.3.10", "RFC 951", "RFC 2131 4.3.2"];
        all.sort_by_key(|it| numbers(it));
        assert_eq!(
            all,
            ["RFC 951", "RFC 2131 4.3.2", "RFC 2131 4.3.10", "robustness"]
        );
    }
}
