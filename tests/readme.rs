//! README.md says what the program does: its commands run as they stand there and print what stands there.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Parser;
use dhcpcraft::commands::Cli;

const TOOL: &str = env!("CARGO_BIN_EXE_dhcpcraft");
const README: &str = include_str!("../README.md");

/// The code blocks of one kind.
fn blocks(kind: &str) -> Vec<Vec<&'static str>> {
    let mut blocks = Vec::new();
    let mut open: Option<(&str, Vec<&str>)> = None;
    for line in README.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(info), None) => open = Some((info, Vec::new())),
            (Some(_), Some(_)) => {
                let (info, lines) = open.take().expect("it is open");
                if info == kind {
                    blocks.push(lines);
                }
            }
            (None, Some((_, lines))) => lines.push(line),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a code block is not closed");
    blocks
}

/// A command of a `console` block, and what stands under it.
struct Shown {
    line: &'static str,
    code: i32,
    output: Vec<&'static str>,
}

fn shown() -> Vec<Shown> {
    let mut all: Vec<Shown> = Vec::new();
    for block in blocks("console") {
        for (at, text) in block.into_iter().enumerate() {
            let Some(command) = text.strip_prefix("$ ") else {
                assert!(at > 0, "output without a command: {text}");
                all.last_mut().expect("a command").output.push(text);
                continue;
            };
            let (line, code) = match command.split_once(" # exit ") {
                Some((line, code)) => (line, code.parse().expect("a number")),
                None => (command, 0),
            };
            all.push(Shown {
                line,
                code,
                output: Vec::new(),
            });
        }
    }
    assert!(all.len() > 15, "only {} commands", all.len());
    all
}

/// The words of each program of a pipe.
fn programs(line: &str) -> Vec<Vec<String>> {
    let words = shlex::split(line).expect("words of a shell");
    words
        .split(|it| it == "|")
        .map(<[String]>::to_vec)
        .collect()
}

/// Whether a command stays in the process or reads a file, so that it can run anywhere.
fn is_local(line: &str) -> bool {
    programs(line).iter().flatten().all(|it| it != "veth0")
}

/// A directory to run in, with the samples in it and the scripts of the README.
fn directory(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).expect("a directory");
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    symlink(samples, directory.join("samples")).expect("a link");
    for script in blocks("python") {
        let name = script[0]
            .strip_prefix("# ")
            .expect("the name of the script");
        fs::write(directory.join(name), script.join("\n") + "\n").expect("a script");
    }
    directory
}

/// A command in that directory, as wide as a terminal is at least.
fn at(directory: &Path, program: &str) -> Command {
    let mut command = Command::new(program);
    let tools = Path::new(TOOL).parent().expect("a directory").display();
    let path = std::env::var("PATH").unwrap_or_default();
    command
        .current_dir(directory)
        .env("PATH", format!("{tools}:{path}"))
        .env("COLUMNS", "80")
        .env("NO_COLOR", "1");
    command
}

/// Without the line that says it was the lab.
fn without_notice(text: &str) -> Vec<&str> {
    let notice = |it: &&str| it.starts_with("lab") && it.contains("nothing left the machine");
    text.lines().filter(|it| !notice(it)).collect()
}

#[test]
fn the_first_screen_is_what_the_first_command_prints() {
    let screen: Vec<&str> = README.lines().take(24).collect();
    assert!(screen.contains(&"$ dhcpcraft dora --seed 7"), "{screen:#?}");
    let first = &blocks("console")[0];
    assert_eq!(first[0], "$ dhcpcraft dora --seed 7");
    assert!(first.iter().all(|it| it.chars().count() <= 80));
    let output = at(&directory("readme-first"), TOOL)
        .args(["dora", "--seed", "7"])
        .output()
        .expect("the tool starts");
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(printed.lines().collect::<Vec<_>>(), first[1..]);
}

#[test]
fn every_command_is_one() {
    for shown in shown() {
        let programs = programs(shown.line);
        assert_eq!(programs[0][0], "dhcpcraft", "{}", shown.line);
        for words in programs.iter().filter(|it| it[0] == "dhcpcraft") {
            if let Err(error) = Cli::try_parse_from(words) {
                panic!("{}: {error}", shown.line);
            }
        }
    }
}

#[test]
fn commands_print_what_stands_under_them() {
    let directory = directory("readme");
    let mut ran = 0;
    for shown in shown().iter().filter(|it| is_local(it.line)) {
        ran += 1;
        let output = at(&directory, "sh")
            .args(["-c", &format!("{{ {}; }} 2>&1", shown.line)])
            .stdin(Stdio::null())
            .output()
            .expect("sh starts");
        let printed = String::from_utf8(output.stdout).expect("UTF-8");
        assert_eq!(
            output.status.code(),
            Some(shown.code),
            "{}: {printed}",
            shown.line
        );
        assert_eq!(without_notice(&printed), shown.output, "{}", shown.line);
    }
    assert!(ran > 12, "only {ran} commands ran");
}

#[test]
fn the_prompt_answers_what_stands_there() {
    let block = &blocks("text")[0];
    let asked: String = block
        .iter()
        .filter(|it| it.starts_with("lab"))
        .map(|it| it.split_once("> ").expect("a prompt").1.to_string() + "\n")
        .collect();
    let answers: Vec<&str> = block
        .iter()
        .copied()
        .filter(|it| !it.starts_with("lab"))
        .collect();
    let directory = directory("readme-prompt");
    let lines = directory.join("lines");
    fs::write(&lines, asked).expect("a file");
    let output = at(&directory, TOOL)
        .args(["repl", "--seed", "7"])
        .stdin(fs::File::open(lines).expect("a file"))
        .output()
        .expect("the tool starts");
    assert_eq!(output.status.code(), Some(0));
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(printed.lines().collect::<Vec<_>>(), answers);
    assert!(directory.join("printer.star").exists());
}

#[test]
fn option_values_of_the_table_are_understood() {
    let rows = README
        .lines()
        .skip_while(|it| *it != "| written | means |")
        .skip(2);
    let mut count = 0;
    for row in rows.take_while(|it| it.starts_with('|')) {
        count += 1;
        let option = row.split('`').nth(1).expect("an option");
        let output = Command::new(TOOL)
            .args(["discover", "--dry-run", "-o", option])
            .output()
            .expect("the tool starts");
        assert!(output.status.success(), "{option}: {output:?}");
    }
    assert_eq!(count, 8);
}

#[test]
fn files_that_are_named_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in [
        "samples/README.md",
        "scripts/lab",
        "scripts/test",
        "LICENSE-MIT",
        "LICENSE-APACHE",
    ] {
        assert!(README.contains(name), "{name} is not named");
        assert!(root.join(name).exists(), "{name}");
    }
}
