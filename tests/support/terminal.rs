//! A program in a terminal of its own: keys go in, the screen is looked at.

use std::io::{Read, Write};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ptyprocess::{PtyProcess, WaitStatus};

/// Longest wait for anything on the screen; a machine that builds meanwhile is slow.
const PATIENCE: Duration = Duration::from_secs(20);

fn parser(columns: u16, rows: u16) -> vt100::Parser {
    let size = |it| std::num::NonZero::new(it).expect("a terminal has room");
    vt100::Parser::new(size(rows), size(columns), 0)
}

/// A program in a terminal.
pub struct Terminal {
    process: PtyProcess,
    keys: std::fs::File,
    screen: Arc<Mutex<vt100::Parser>>,
}

impl Terminal {
    /// Starts the program in a terminal of that size.
    pub fn start(command: Command, columns: u16, rows: u16) -> Self {
        let mut process = PtyProcess::spawn(command).expect("a pty");
        process.set_window_size(columns, rows).expect("a size");
        let keys = process.get_raw_handle().expect("the terminal's end");
        let mut output = process.get_raw_handle().expect("the terminal's end");
        let screen = Arc::new(Mutex::new(parser(columns, rows)));
        let shown = screen.clone();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // The read fails once the program has left.
            while let Ok(length @ 1..) = output.read(&mut buffer) {
                shown.lock().unwrap().process(&buffer[..length]);
            }
        });
        Terminal {
            process,
            keys,
            screen,
        }
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("keys");
    }

    /// Types a line and Enter.
    pub fn enter(&mut self, line: &str) {
        self.press(&format!("{line}\r"));
    }

    /// Pastes text as a terminal does.
    pub fn paste(&mut self, text: &str) {
        self.press(&format!("\x1b[200~{text}\x1b[201~"));
    }

    /// What is on the screen, without empty space at the end.
    pub fn screen(&self) -> String {
        let contents = self.screen.lock().unwrap().screen().contents();
        contents.trim_end().to_string()
    }

    /// The screen with its colours.
    pub fn colors(&self) -> String {
        let screen = self.screen.lock().unwrap();
        screen.screen().contents_formatted()
    }

    /// Waits until the screen is as wanted.
    #[track_caller]
    pub fn until(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let screen = self.screen();
            if wanted(&screen) {
                return screen;
            }
            assert!(
                Instant::now() < deadline,
                "after {PATIENCE:?} still waiting for {what}; the screen:\n{screen}"
            );
            thread::sleep(Duration::from_millis(15));
        }
    }

    /// Waits until the screen shows a text.
    #[track_caller]
    pub fn shows(&self, text: &str) -> String {
        self.until(&format!("{text:?}"), |it| it.contains(text))
    }

    /// Waits until the last line is this one: an empty prompt after all output.
    #[track_caller]
    pub fn at(&self, prompt: &str) -> String {
        self.until(&format!("the prompt {prompt:?}"), |it| {
            it.lines().next_back().unwrap_or_default().trim_end() == prompt
        })
    }

    /// Enters a line and waits for the next empty prompt; gives what stands between.
    #[track_caller]
    pub fn run(&mut self, line: &str, prompt: &str) -> String {
        // What is there already cannot be taken for the answer.
        self.press("\x0c");
        self.until("an empty screen", |it| it.lines().count() <= 1);
        self.enter(line);
        self.until(&format!("{prompt:?} after {line:?}"), |it| {
            let last = it.lines().next_back().unwrap_or_default().trim_end();
            it.lines().count() > 1 && last == prompt
        })
    }

    /// Waits for the end and gives the exit code.
    #[track_caller]
    pub fn ends(&mut self) -> i32 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.process.status() {
                Ok(WaitStatus::Exited(_, code)) => return code,
                Ok(WaitStatus::StillAlive) if Instant::now() < deadline => {
                    thread::sleep(Duration::from_millis(15));
                }
                other => panic!(
                    "{other:?} instead of an end; the screen:\n{}",
                    self.screen()
                ),
            }
        }
    }
}
