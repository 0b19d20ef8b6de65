//! The floors: each uses only those below it, unsafe code has one home, and nothing prints below the view.

use std::fs;
use std::path::{Path, PathBuf};

/// Floors from the ground up, with the floors each may use.
const FLOORS: [(&str, &[&str]); 8] = [
    ("wire", &[]),
    ("dhcp", &["wire"]),
    ("link", &["wire"]),
    ("talk", &["wire", "dhcp", "link"]),
    ("commands", &["wire", "dhcp", "link", "talk"]),
    ("view", &["wire", "dhcp", "link", "talk", "commands"]),
    (
        "script",
        &["wire", "dhcp", "link", "talk", "commands", "view"],
    ),
    (
        "repl",
        &["wire", "dhcp", "link", "talk", "commands", "view", "script"],
    ),
];

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
    found
}

/// The code of a file without comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

#[test]
fn each_floor_uses_only_floors_below_it() {
    for (floor, below) in FLOORS {
        let files = sources(&src().join(floor));
        assert!(!files.is_empty(), "floor {floor} is gone");
        for file in files {
            let code = code(&file);
            for (at, _) in code.match_indices("crate::") {
                let used: String = code[at + 7..]
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                if FLOORS.iter().any(|(name, _)| *name == used) {
                    assert!(
                        used == floor || below.contains(&used.as_str()),
                        "{} uses {used}",
                        file.display()
                    );
                }
            }
            assert!(
                !code.contains("use crate::{"),
                "{}: name the floor in each use",
                file.display()
            );
        }
    }
}

#[test]
fn every_folder_is_a_floor() {
    for entry in fs::read_dir(src()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let name = path.file_name().unwrap().to_str().unwrap().to_string();
            assert!(
                FLOORS.iter().any(|(floor, _)| *floor == name),
                "{name} is no floor"
            );
        }
    }
}

#[test]
fn unsafe_code_lives_in_one_file() {
    let with: Vec<_> = sources(&src())
        .into_iter()
        .filter(|path| {
            let code = code(path);
            code.contains("unsafe {") || code.contains("unsafe fn") || code.contains("unsafe impl")
        })
        .collect();
    assert_eq!(with, [src().join("link/socket.rs")]);
}

#[test]
fn nothing_below_the_view_prints() {
    for (floor, _) in FLOORS {
        for file in sources(&src().join(floor)) {
            let code = code(&file);
            for word in ["println!", "print!(", "eprint", "dbg!"] {
                assert!(!code.contains(word), "{} has {word}", file.display());
            }
        }
    }
}
