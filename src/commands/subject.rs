//! A client under test: how it is started, stopped, and told to do what a person would have it do.

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::Error;

/// What a client can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Begin, knowing nothing of an earlier lease if that can be helped.
    Start,
    /// Begin again with what it remembers.
    Restart,
    /// Give its lease back.
    Release,
    /// Ask for configuration only, with INFORM.
    Inform,
}

/// A client under test.
pub trait Subject {
    /// Whether it can be told so.
    fn knows(&self, act: Act) -> bool;
    /// Tells it.
    fn act(&mut self, act: Act) -> Result<(), Error>;
    /// Ends it; `gently`, so that it may tidy up, or as when its machine is switched off.
    fn stop(&mut self, gently: bool);
    /// Why it is not there any more, where it ended by itself: its last words.
    fn ended(&mut self) -> Option<String>;
}

/// How long a client may take to end when it is asked to.
const PATIENCE: Duration = Duration::from_secs(2);
/// Of what a client writes so much is kept, its last words.
const WORDS: usize = 2_000;

/// A process group, and the last that it wrote.
struct Group {
    leader: Child,
    words: Arc<Mutex<Vec<u8>>>,
}

impl Group {
    /// Runs a command line in a process group of its own.
    fn start(line: &str) -> Result<Group, Error> {
        let failed = |it| Error::Usage(format!("cannot run `{line}`: {it}"));
        let mut leader = Command::new("sh")
            .args(["-c", line])
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let words: Arc<Mutex<Vec<u8>>> = Arc::default();
        if let Some(mut from) = leader.stderr.take() {
            let words = words.clone();
            std::thread::spawn(move || {
                let mut part = [0; 512];
                while let Ok(length @ 1..) = from.read(&mut part) {
                    let Ok(mut words) = words.lock() else { return };
                    words.extend(part.iter().take(length));
                    let over = words.len().saturating_sub(WORDS);
                    words.drain(..over);
                }
            });
        }
        Ok(Group { leader, words })
    }

    /// Sends a signal to all of it; says whether anybody was there.
    fn signal(&self, name: &str) -> bool {
        let line = format!("kill -s {name} -- -{}", self.leader.id());
        let sent = Command::new("sh")
            .args(["-c", &line])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .status();
        sent.is_ok_and(|it| it.success())
    }

    fn has_ended(&mut self) -> bool {
        self.leader.try_wait().is_ok_and(|it| it.is_some())
    }

    /// Ends all of it.
    fn end(&mut self, gently: bool) {
        if gently && self.signal("TERM") {
            let until = Instant::now() + PATIENCE;
            // Its leader is waited for here, the others by the signal that reaches nobody.
            while Instant::now() < until && (!self.has_ended() || self.signal("0")) {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        self.signal("KILL");
        let _ = self.leader.wait();
    }

    fn last_words(&self) -> String {
        let words = self.words.lock().map(|it| it.clone()).unwrap_or_default();
        let text = String::from_utf8_lossy(&words).into_owned();
        let lines: Vec<&str> = text.lines().filter(|it| !it.trim().is_empty()).collect();
        let last = lines.len().saturating_sub(3);
        lines.get(last..).unwrap_or_default().join(" / ")
    }
}

/// The command lines that a client is run with, each by `sh -c` in a process group of its own.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    /// Starts it.
    pub start: Option<String>,
    /// Starts it again with what it remembers; without it, `start` does.
    pub restart: Option<String>,
    /// Has it release its lease: a command line, or a signal.
    pub release: Option<String>,
    /// Starts it to send INFORM.
    pub inform: Option<String>,
}

/// A client that is run by command lines.
pub struct Process {
    lines: Lines,
    client: Option<Group>,
    helpers: Vec<Group>,
}

/// Whether a text names a signal: `USR2`, `SIGUSR2`, `12`.
fn signal_name(text: &str) -> Option<&str> {
    let plain = text.strip_prefix("SIG").unwrap_or(text);
    let is_signal = |it: char| it.is_ascii_uppercase() || it.is_ascii_digit();
    (!plain.is_empty() && plain.chars().all(is_signal)).then_some(plain)
}

impl Process {
    /// A client that was not started yet.
    pub fn new(lines: Lines) -> Process {
        Process {
            lines,
            client: None,
            helpers: Vec::new(),
        }
    }

    fn line(&self, act: Act) -> Option<&String> {
        let lines = &self.lines;
        match act {
            Act::Start => lines.start.as_ref(),
            Act::Restart => lines.restart.as_ref().or(lines.start.as_ref()),
            Act::Release => lines.release.as_ref(),
            Act::Inform => lines.inform.as_ref(),
        }
    }
}

impl Subject for Process {
    fn knows(&self, act: Act) -> bool {
        self.line(act).is_some()
    }

    fn act(&mut self, act: Act) -> Result<(), Error> {
        let Some(line) = self.line(act).cloned() else {
            return Ok(());
        };
        match (act, signal_name(&line), &self.client) {
            (Act::Release, Some(signal), Some(client)) => {
                client.signal(signal);
            }
            (Act::Release, ..) => self.helpers.push(Group::start(&line)?),
            _ => {
                self.stop(true);
                self.client = Some(Group::start(&line)?);
            }
        }
        Ok(())
    }

    fn stop(&mut self, gently: bool) {
        for mut it in self.client.take().into_iter().chain(self.helpers.drain(..)) {
            it.end(gently);
        }
    }

    fn ended(&mut self) -> Option<String> {
        let client = self.client.as_mut()?;
        let status = client.leader.try_wait().ok().flatten()?;
        let words = client.last_words();
        Some(match words.is_empty() {
            true => status.to_string(),
            false => format!("{status}: {words}"),
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop(true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_told_from_a_command() {
        assert_eq!(signal_name("USR2"), Some("USR2"));
        assert_eq!(signal_name("SIGALRM"), Some("ALRM"));
        assert_eq!(signal_name("12"), Some("12"));
        assert_eq!(signal_name("dhclient -r v1"), None);
        assert_eq!(signal_name(""), None);
    }

    #[test]
    fn the_whole_group_ends_with_its_client() {
        let lines = Lines {
            start: Some("sleep 77 & sleep 78; :".into()),
            ..Lines::default()
        };
        let mut client = Process::new(lines);
        client.act(Act::Start).expect("sh starts");
        let group = client.client.as_ref().map(|it| it.leader.id());
        client.stop(true);
        let line = format!("kill -s 0 -- -{}", group.expect("it was there"));
        let there = Command::new("sh")
            .args(["-c", &line])
            .stderr(Stdio::null())
            .status();
        assert!(!there.expect("sh").success());
    }

    #[test]
    fn what_ended_by_itself_leaves_its_last_words() {
        let lines = Lines {
            start: Some("echo no such interface >&2; exit 3".into()),
            ..Lines::default()
        };
        let mut client = Process::new(lines);
        client.act(Act::Start).expect("sh starts");
        let until = Instant::now() + PATIENCE;
        let mut words = None;
        while Instant::now() < until
            && !words
                .as_ref()
                .is_some_and(|it: &String| it.contains("no such"))
        {
            words = client.ended();
        }
        assert_eq!(words.as_deref(), Some("exit status: 3: no such interface"));
    }
}
