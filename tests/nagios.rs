//! `--nagios`: each state with its exit code and its one line, whose performance data a parser reads that takes
//! nothing but what the Monitoring Plugins development guidelines allow.

#[path = "support/tool.rs"]
#[allow(dead_code)]
mod tool;

use tool::{scratch, text, tool};

/// What a monitoring system makes of a run.
#[derive(Debug)]
struct Told {
    /// The first line up to the bar.
    said: String,
    measured: Vec<Measured>,
    /// The lines behind the first.
    more: Vec<String>,
}

#[derive(Debug, PartialEq)]
struct Measured {
    label: String,
    value: f64,
    unit: String,
    warning: String,
    critical: String,
    min: String,
    max: String,
}

impl Told {
    #[track_caller]
    fn value(&self, label: &str) -> f64 {
        let found = self.measured.iter().find(|it| it.label == label);
        found
            .unwrap_or_else(|| panic!("no {label}: {self:?}"))
            .value
    }

    fn labels(&self) -> Vec<&str> {
        self.measured.iter().map(|it| it.label.as_str()).collect()
    }
}

/// Section "Performance data": `'label'=value[UOM];[warn];[crit];[min];[max]`, separated by spaces.
fn performance_data(mut rest: &str) -> Result<Vec<Measured>, String> {
    let mut all: Vec<Measured> = Vec::new();
    while !rest.is_empty() {
        let label;
        (label, rest) = match rest.strip_prefix('\'') {
            Some(quoted) => quoted.split_once("'=").ok_or("no end of a quoted label")?,
            None => rest.split_once('=').ok_or("no =")?,
        };
        let unquoted = label.contains(|c: char| c.is_whitespace() || c == '\'' || c == '=');
        if label.is_empty() || unquoted || all.iter().any(|it| it.label == label) {
            return Err(format!("label {label:?}"));
        }
        let (item, tail) = rest.split_once(' ').unwrap_or((rest, ""));
        rest = tail;
        let mut fields = item.split(';');
        let measure = fields.next().unwrap_or_default();
        let end = measure.find(|c: char| !(c.is_ascii_digit() || c == '-' || c == '.'));
        let (value, unit) = measure.split_at(end.unwrap_or(measure.len()));
        let units = ["", "s", "ms", "us", "%", "B", "KB", "MB", "GB", "TB", "c"];
        if !units.contains(&unit) {
            return Err(format!("unit {unit:?}"));
        }
        let fields: Vec<_> = fields.map(str::to_string).collect();
        let field = |at: usize| fields.get(at).cloned().unwrap_or_default();
        if fields.len() > 4 || !is_range(&field(0)) || !is_range(&field(1)) {
            return Err(format!("fields {item:?}"));
        }
        if [field(2), field(3)]
            .iter()
            .any(|it| !it.is_empty() && it.parse::<f64>().is_err())
        {
            return Err(format!("limits {item:?}"));
        }
        all.push(Measured {
            label: label.to_string(),
            value: value.parse().map_err(|it| format!("{value:?}: {it}"))?,
            unit: unit.to_string(),
            warning: field(0),
            critical: field(1),
            min: field(2),
            max: field(3),
        });
    }
    Ok(all)
}

/// Section "Threshold and ranges": `[@]start:end`, start left out with its colon is 0, `~` is no limit.
fn is_range(text: &str) -> bool {
    let number = |it: &str| it.parse::<f64>().is_ok();
    let text = text.strip_prefix('@').unwrap_or(text);
    match text.split_once(':') {
        Some((start, end)) => (start == "~" || number(start)) && (end.is_empty() || number(end)),
        None => text.is_empty() || number(text),
    }
}

/// Runs it as a check: its exit code and the word for it fit together, and nothing else is told.
#[track_caller]
fn check(code: i32, args: &[&str]) -> Told {
    let run = tool(&[args, &["--nagios"]].concat());
    assert_eq!(run.code, Some(code), "{args:?}: {run:?}");
    assert_eq!(run.err, "", "{args:?}");
    let word = ["OK", "WARNING", "CRITICAL", "UNKNOWN"][code as usize];
    let mut lines = run.out.lines();
    let first = lines.next().expect("a line");
    let said = first.strip_prefix(&format!("DHCP {word}: "));
    let said = said.unwrap_or_else(|| panic!("{args:?}: {first}"));
    let mut parts = said.split('|');
    let said = parts.next().unwrap_or_default().trim_end().to_string();
    let data = parts.next().unwrap_or_default().trim();
    assert_eq!(parts.next(), None, "{first}");
    let more: Vec<_> = lines.map(str::to_string).collect();
    assert!(!more.iter().any(|it| it.contains('|')), "{more:?}");
    Told {
        said,
        measured: performance_data(data).unwrap_or_else(|it| panic!("{it}: {first}")),
        more,
    }
}

#[test]
fn ok_is_0() {
    let told = check(0, &["dora", "--seed", "1"]);
    let wanted = "192.0.2.100 from 192.0.2.1 in 0.6 ms, lease 1h (in the lab, no real link)";
    assert_eq!(told.said, wanted);
    assert_eq!(told.labels(), ["offer", "ack", "lease", "servers"]);
    assert_eq!((told.value("lease"), told.value("servers")), (3600.0, 1.0));
    assert!((0.0001..0.01).contains(&told.value("offer")), "{told:?}");
    assert!((0.0001..0.01).contains(&told.value("ack")), "{told:?}");
    assert!(told.measured.iter().all(|it| it.min == "0"), "{told:?}");

    let told = check(0, &["discover", "-i", "lab:two-servers", "--wait"]);
    assert!(told.said.contains("2 servers answer"), "{told:?}");
    assert_eq!(told.labels(), ["offer", "lease", "servers"]);
    assert_eq!(told.value("servers"), 2.0);

    let told = check(0, &["inform"]);
    assert!(
        told.said.starts_with("options from 192.0.2.1 in "),
        "{told:?}"
    );
    assert_eq!(told.labels(), ["ack", "servers"]);

    let told = check(0, &["servers", "-i", "lab:two-servers"]);
    assert!(
        told.said
            .starts_with("2 servers: 192.0.2.1, 192.0.2.66 in "),
        "{told:?}"
    );
    assert_eq!(told.labels(), ["reply", "servers"]);
    let told = check(
        0,
        &["servers", "--allow", "192.0.2.1", "--allow", "192.0.2.9"],
    );
    assert_eq!((told.value("strangers"), told.value("missing")), (0.0, 1.0));
    assert_eq!(told.more, ["192.0.2.9 is allowed and did not answer"]);

    // A capture is written all the same, and what it says is judged.
    let file = scratch("nagios-ok").join("check.pcapng");
    check(
        0,
        &[
            "dora",
            "-w",
            text(&file),
            "--lint",
            "--expect",
            "reply.lease_time == 3600",
        ],
    );
    assert_eq!(
        tool(&["show", text(&file), "--json"])
            .succeeded()
            .json()
            .len(),
        4
    );
}

#[test]
fn a_slow_answer_is_a_warning_or_critical() {
    // The server of this lab takes 300 ms for each answer.
    let slow = |more: &[&'static str]| [&["dora", "-i", "lab:delay=300ms"], more].concat();
    let told = check(0, &slow(&["--warning", "1s", "--critical", "2s"]));
    assert!((0.3..0.4).contains(&told.value("ack")), "{told:?}");
    let offer = &told.measured[0];
    assert_eq!(
        (offer.warning.as_str(), offer.critical.as_str()),
        ("1", "2")
    );

    let told = check(1, &slow(&["--warning", "100ms", "--critical", "2s"]));
    assert!(told.said.contains("OFFER after 300."), "{told:?}");
    assert!(told.said.contains("ACK after 300."), "{told:?}");
    assert!(told.said.contains("(--warning 0.1)"), "{told:?}");
    assert!(told.said.contains("192.0.2.100 from 192.0.2.1"), "{told:?}");
    let told = check(2, &slow(&["--warning", "100ms", "--critical", "200ms"]));
    assert!(told.said.contains("(--critical 0.2)"), "{told:?}");

    // Ranges: too fast is a fault too, and @ turns it round.
    check(1, &slow(&["--warning", "1s:"]));
    check(0, &slow(&["--warning", "@1s:2s"]));
    let told = check(1, &slow(&["--warning", "@200ms:1s"]));
    assert_eq!(told.measured[0].warning, "@0.2:1");
    check(
        2,
        &["servers", "-i", "lab:delay=300ms", "--critical", "0.2"],
    );
}

#[test]
fn a_repeated_question_is_measured_from_its_first_time() {
    // The server drops what comes first, so the answer to the repetition is quick, and the user waited.
    let file = scratch("nagios-repeated").join("deaf.star");
    let rules = "seen = {}\ndef on_discover(req):\n    seen[1] = seen.get(1, 0) + 1\n    return answer(req) if seen[1] > 1 else None\n";
    std::fs::write(&file, rules).expect("a file");
    let lab = format!("lab:{}", text(&file));
    let told = check(1, &["dora", "-i", &lab, "--warning", "1s"]);
    assert!(told.value("offer") > 2.9, "{told:?}");
    assert!(told.value("ack") < 0.1, "{told:?}");
}

#[test]
fn no_answer_and_a_bad_one_are_critical() {
    for name in ["discover", "request", "inform", "dora", "servers"] {
        let told = check(2, &[name, "-i", "lab:silent", "--timeout", "2s"]);
        let says = ["no reply: ", "no server answers, waited 2.0 s"];
        assert!(says.iter().any(|it| told.said.contains(it)), "{told:?}");
    }
    for name in ["renew", "rebind", "reboot"] {
        let lease = ["--lease", "samples/lab.pcapng", "-i", "lab:silent"];
        check(2, &[&[name][..], &lease].concat());
    }
    let told = check(2, &["dora", "-i", "lab:nak"]);
    assert!(
        told.said.starts_with("refused: NAK from 192.0.2.1 "),
        "{told:?}"
    );
    let told = check(
        2,
        &["dora", "-i", "lab:taken", "--probe", "--restarts", "0"],
    );
    assert!(
        told.said.contains("192.0.2.100 is at 02:00:5e:00:00:99"),
        "{told:?}"
    );
    let told = check(2, &["dora", "--expect", "reply.lease_time == 7"]);
    assert!(
        told.said
            .starts_with("expectation failed: reply.lease_time == 7"),
        "{told:?}"
    );
    assert!(
        told.more[0].contains("reply.lease_time is 3600"),
        "{told:?}"
    );
    assert_eq!(told.value("lease"), 3600.0);
    let told = check(2, &["discover", "--lint", "-i", "lab:no-server-id"]);
    assert!(told.said.starts_with("lint: "), "{told:?}");
    let rogue = ["servers", "-i", "lab:two-servers", "--allow", "192.0.2.1"];
    let told = check(2, &rogue);
    let wanted = "192.0.2.66 (02:00:5e:00:00:66) is not allowed to answer here";
    assert!(told.said.starts_with(wanted), "{told:?}");
    assert_eq!(told.value("strangers"), 1.0);
    // Silence that was asked for is as it should be.
    let refused = ["dora", "-i", "lab:nak", "--expect"];
    check(2, &[&refused[..], &["reply.lease_time >= 3600"]].concat());
    check(2, &[&refused[..], &["len(replies) == 2"]].concat());
    check(
        0,
        &[&refused[..], &["exchange.ending == \"refused\""]].concat(),
    );
    let silence = ["-i", "lab:silent", "--expect", "len(replies) == 0"];
    check(0, &[&["discover"][..], &silence].concat());
}

#[test]
fn what_cannot_be_checked_is_unknown() {
    for args in [
        &["dora", "--xid", "nonsense"][..],
        &["dora", "--no-such-flag"],
        &["nonsense"],
        &["show", "samples/lab.pcapng"],
        &["dora", "--warning", "2s:1s"],
        &["dora", "--json"],
        &["dora", "--print", "yiaddr"],
        &["dora", "--format", "tree"],
        &["dora", "--dry-run"],
        &["dora", "--clients", "2"],
        &["dora", "--hold", "1h"],
        &["discover", "--count", "2"],
        &["servers", "--watch"],
        &["release"],
        &["offer"],
        &["craft", "--type", "leasequery"],
        &["dora", "--expect", "reply ="],
        &["dora", "--where", "pkt ="],
        &["renew"],
        &["dora", "-i", "lab:nobody"],
        &["dora", "-i", "no-such-if0"],
        &["servers", "-i", "no-such-if0"],
        &["dora", "-i", "missing.pcap"],
        &["dora", "-w", "no-such-directory/out.pcapng"],
        &["inform", "--timeout", "0"],
    ] {
        let told = check(3, args);
        assert!(
            !told.said.is_empty() && told.measured.is_empty(),
            "{args:?}"
        );
    }
    // Help is no check.
    assert_eq!(tool(&["dora", "--nagios", "--help"]).code, Some(3));
    // Thresholds are for nothing without it, and said to be.
    tool(&["dora", "--warning", "1s"]).failed(2, &["required"]);
    // A script has its own ways.
    let run = tool(&["run", "-c", "dora(nagios=True)"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.err.contains("monitoring system"), "{run:?}");
}

#[test]
fn what_a_server_says_neither_ends_the_line_nor_pretends_to_measure() {
    let file = scratch("nagios-hostile").join("liar.star");
    let rules = "def on_request(req):\n    return nak(req, option='message=hex:6f6b207c206f666665723d300a44484350204f4b3a20616c6c2077656c6c1b5b326a')\n";
    std::fs::write(&file, rules).expect("a file");
    let told = check(2, &["dora", "-i", &format!("lab:{}", text(&file))]);
    assert!(
        told.said
            .contains("ok \\x7c offer=0\\nDHCP OK: all well\\x1b[2j"),
        "{told:?}"
    );
    assert!(told.measured.is_empty(), "{told:?}");
}
