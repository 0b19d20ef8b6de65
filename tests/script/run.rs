//! `dhcpcraft run`: where a script comes from, its words, its errors and exit codes.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A directory for the scripts of one test.
struct Scripts(PathBuf);

impl Scripts {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("dhcpcraft-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Scripts(path)
    }

    fn write(&self, name: &str, source: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, source).unwrap();
        path
    }
}

impl Drop for Scripts {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Exit code, standard output, standard error.
pub fn run(arguments: &[&str], stdin: &str) -> (Option<i32>, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_dhcpcraft"))
        .arg("run")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A script that is not read to its end closes the pipe.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |it| String::from_utf8(it).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn code(arguments: &[&str]) -> Option<i32> {
    run(arguments, "").0
}

#[test]
fn a_script_comes_from_a_file_standard_input_or_the_command_line() {
    let scripts = Scripts::new("sources");
    let file = scripts.write("a.star", "print(argv)\n1 + 1\n");
    let file = file.to_str().unwrap();
    assert_eq!(
        run(&[file, "x", "--y", "-z"], ""),
        (Some(0), "[\"x\", \"--y\", \"-z\"]\n".into(), "".into())
    );
    assert_eq!(
        run(&["-", "x"], "print(argv)"),
        (Some(0), "[\"x\"]\n".into(), "".into())
    );
    assert_eq!(
        run(&["-c", "1 + 1"], ""),
        (Some(0), "2\n".into(), "".into())
    );
    assert_eq!(run(&["-c", "None"], ""), (Some(0), "".into(), "".into()));
    assert_eq!(
        run(&["-c", "x = 2\nprint(x)"], ""),
        (Some(0), "2\n".into(), "".into())
    );
    assert_eq!(run(&["-c", "Raw(\"x\")"], "").1, "Raw(b\"x\")\n");
}

#[test]
fn exit_codes_say_what_went_wrong() {
    assert_eq!(code(&["-c", "assert_eq(1, 1)"]), Some(0));
    assert_eq!(code(&["-c", "assert_eq(1, 2)"]), Some(1));
    assert_eq!(code(&["-c", "assert_true(False)"]), Some(1));
    assert_eq!(code(&["-c", "fail(\"no\")"]), Some(1));
    assert_eq!(code(&["-c", "1 +"]), Some(2));
    assert_eq!(code(&["-c", "no_such_name"]), Some(2));
    assert_eq!(code(&["-c", "def f(:"]), Some(2));
    assert_eq!(code(&["-i", "nosuch0", "-c", "sendp(Ether())"]), Some(5));
    assert_eq!(code(&["-c", "sendp(Ether(), iface=\"nosuch0\")"]), Some(5));
    assert_eq!(code(&["/nonexistent/x.star"]), Some(6));
    assert_eq!(code(&["-c", "rdpcap(\"/nonexistent/x.pcap\")"]), Some(6));
    assert_eq!(
        code(&["-c", "wrpcap(\"/nonexistent/x.pcap\", [Raw(\"x\")])"]),
        Some(6)
    );
    assert_eq!(
        code(&["-c", "load(\"/nonexistent/x.star\", \"f\")"]),
        Some(6)
    );
    assert_eq!(code(&[]), Some(2));
}

#[test]
fn a_script_that_is_no_text_is_unreadable() {
    let scripts = Scripts::new("binary");
    let file = scripts.write("a.star", "");
    std::fs::write(&file, b"\xff\xfe\x00").unwrap();
    let (code, _, err) = run(&[file.to_str().unwrap()], "");
    assert_eq!(code, Some(6), "{err}");
    assert!(err.contains("a.star"), "{err}");
}

#[test]
fn a_traceback_names_file_line_and_calls() {
    let scripts = Scripts::new("traceback");
    let file = scripts.write("a.star", "from scapy.all import *\ndef outer():\n    inner()\n\ndef inner():\n    pkt = IP()\n    pkt.ttl = 999\n\nouter()\n");
    let (code, _, err) = run(&[file.to_str().unwrap()], "");
    assert_eq!(code, Some(1));
    for words in [
        "a.star:9",
        "a.star:3",
        "in outer",
        "a.star:7",
        "pkt.ttl = 999",
        "IP.ttl: `999` is not a number from 0 to 255",
    ] {
        assert!(err.contains(words), "{words} is not in\n{err}");
    }
    let file = scripts.write("b.star", "x = 1\ny = (\n");
    let (code, _, err) = run(&[file.to_str().unwrap()], "");
    assert_eq!(code, Some(2));
    assert!(err.contains("b.star:"), "{err}");
    let (_, _, err) = run(&["-"], "assert_eq(IP(ttl=1), IP(ttl=2))");
    assert!(
        err.contains("standard input:1") && err.contains("IP.ttl: 1 is not 2"),
        "{err}"
    );
}

#[test]
fn load_starts_from_the_directory_of_the_file() {
    let scripts = Scripts::new("load");
    scripts.write(
        "lib/words.star",
        "load(\"more.star\", \"more\")\ndef ask(): return Raw(load=more)\n",
    );
    scripts.write("lib/more.star", "more = \"x\"\nprint(\"once\")\n");
    let file = scripts.write(
        "main.star",
        "load(\"lib/words.star\", \"ask\")\nload(\"lib/more.star\", again=\"more\")\nprint(ask().load, again)\n",
    );
    let (code, out, err) = run(&[file.to_str().unwrap()], "");
    assert_eq!((code, out.as_str()), (Some(0), "once\nb\"x\" x\n"), "{err}");
    let own = scripts.write("own.star", "load(\"own.star\", \"x\")\n");
    let (code, _, err) = run(&[own.to_str().unwrap()], "");
    assert!(code == Some(1) && err.contains("loads itself"), "{err}");
    let bad = scripts.write("bad.star", "load(\"broken.star\", \"x\")\n");
    scripts.write("broken.star", "x = (\n");
    let (code, _, err) = run(&[bad.to_str().unwrap()], "");
    assert!(
        code == Some(2) && err.contains("broken.star"),
        "{code:?} {err}"
    );
    let error = scripts.write("error.star", "load(\"fails.star\", \"f\")\nf()\n");
    scripts.write("fails.star", "def f():\n    fail(\"no\")\n");
    let (code, _, err) = run(&[error.to_str().unwrap()], "");
    assert!(
        code == Some(1) && err.contains("fails.star:2") && err.contains("error.star:2"),
        "{err}"
    );
}

#[test]
fn the_same_seed_runs_the_same() {
    let source = "print(bytes(discover().entries[0]).hex())";
    let first = run(&["--seed", "3", "-c", source], "");
    assert_eq!(first, run(&["--seed", "3", "-c", source], ""));
    assert_ne!(first, run(&["--seed", "4", "-c", source], ""));
    assert!(Path::new(env!("CARGO_BIN_EXE_dhcpcraft")).exists() && first.0 == Some(0));
}

#[test]
fn a_script_that_does_not_end_is_stopped() {
    let endless = "def f():\n    for x in range(1000000000):\n        pass\nf()\n";
    let (code, _, said) = run(&["--timeout", "300ms", "-"], endless);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("--timeout"), "{said}");
    // Waiting on the lab's clock takes no time of ours, and is no end either.
    let (code, printed, said) = run(&["--timeout", "20s", "-c", "sleep(3600)"], "");
    assert_eq!((code, printed.as_str()), (Some(0), ""), "{said}");
}
