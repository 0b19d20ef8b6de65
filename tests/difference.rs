//! `diff`: what is not the same in two frames, and only that.

use std::process::{Command, Output};

use serde_json::Value as Json;

fn tool(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dhcpcraft"));
    command.args(args).output().expect("the tool starts")
}

/// A DISCOVER as hex text.
fn discover(args: &[&str]) -> String {
    let fixed = ["discover", "--dry-run", "--seed", "1", "--format", "hex"];
    let dump = tool(&[&fixed, args].concat());
    let dump = String::from_utf8(dump.stdout).expect("UTF-8");
    let bytes = dump.lines().flat_map(|line| {
        let columns = line.get(6..54).unwrap_or_default().split_whitespace();
        columns.map(str::to_string).collect::<Vec<_>>()
    });
    format!("hex:{}", bytes.collect::<String>())
}

fn rows(output: &Output) -> Vec<Json> {
    let text = String::from_utf8_lossy(&output.stdout);
    let rows = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    rows.collect()
}

#[test]
fn the_same_frame_does_not_differ() {
    let frame = discover(&[]);
    let output = tool(&["diff", &frame, &frame]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(output.stdout, b"no difference\n");
}

#[test]
fn fields_and_options_are_compared_by_name() {
    let first = discover(&["--pad-to", "0"]);
    let second = discover(&["--pad-to", "0", "--secs", "7", "--hostname", "printer"]);
    let ignore = [
        "--ignore",
        "IP.len",
        "--ignore",
        "ip.chksum",
        "--ignore",
        "UDP.len",
        "--ignore",
        "UDP.chksum",
    ];
    let output = tool(&[&["diff", &first, &second, "--json"], &ignore[..]].concat());
    assert_eq!(output.status.code(), Some(1), "they differ");
    let rows = rows(&output);
    let row = |name: &str, first: Json, second: Json| {
        assert!(
            rows.iter()
                .any(|it| it["name"] == name && it["first"] == first && it["second"] == second),
            "{rows:?}"
        );
    };
    row("BOOTP.secs", "0".into(), "7".into());
    row("option hostname", Json::Null, "printer".into());
    assert_eq!(rows.len(), 2, "{rows:?}");
}

#[test]
fn the_second_of_a_name_is_another() {
    let first = discover(&["-o", "224=hex:01", "-o", "224=hex:02"]);
    let second = discover(&["-o", "224=hex:01", "-o", "224=hex:03"]);
    let output = tool(&["diff", &first, &second, "--json", "--ignore", "UDP.chksum"]);
    let rows = rows(&output);
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert!(
        rows[0]["name"]
            .as_str()
            .is_some_and(|it| it.ends_with("#2")),
        "{rows:?}"
    );
}
