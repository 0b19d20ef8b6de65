//! Scapy, in one Python for many questions.

#![allow(dead_code)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Reads expressions, one a line, and prints for each its bytes in hexadecimal, or `! ` and why there are none.
const EVALUATE: &str = r#"
import logging, sys
logging.disable(logging.CRITICAL)
from scapy.all import *
sys.stdin.reconfigure(encoding="utf-8")
for line in sys.stdin:
    try:
        print(raw(eval(line)).hex())
    except Exception as error:
        print("!", type(error).__name__, str(error).splitlines()[0] if str(error) else "")
"#;

/// Runs a script in which `sendp` prints the bytes in hexadecimal instead of sending them.
const RUN: &str = r#"
import logging, sys
logging.disable(logging.CRITICAL)
import scapy.all
scapy.all.sendp = lambda packet: print(scapy.all.raw(packet).hex())
exec(sys.stdin.read(), {})
"#;

/// What Scapy builds for each expression.
pub fn scapy(expressions: &[String]) -> Vec<Result<String, String>> {
    let lines = python(EVALUATE, expressions.join("\n") + "\n");
    let results: Vec<_> = lines
        .lines()
        .map(|line| match line.strip_prefix("! ") {
            Some(reason) => Err(reason.to_string()),
            None => Ok(line.to_string()),
        })
        .collect();
    assert_eq!(results.len(), expressions.len(), "an answer for each");
    results
}

/// The frames that a script sends when Scapy runs it.
pub fn sent_by_scapy(script: &str) -> Vec<Vec<u8>> {
    let lines = python(RUN, script.to_string());
    lines
        .lines()
        .map(|it| hex::decode(it).expect("hexadecimal"))
        .collect()
}

fn python(program: &str, input: String) -> String {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/venv-scapy/bin/python");
    let child = Command::new(&python)
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.unwrap_or_else(|error| {
        panic!(
            "no Scapy: {}: {error}: run scripts/test, which installs it",
            python.display()
        )
    });
    let mut stdin = child.stdin.take().expect("stdin is a pipe");
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("Python ends");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "Scapy failed: run scripts/test, which installs it\n{errors}"
    );
    writer.join().unwrap().expect("Python reads everything");
    String::from_utf8(output.stdout).expect("UTF-8")
}
