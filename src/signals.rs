//! What ends a run from outside: Ctrl-C, and the signals of `timeout`, CI systems, service managers and
//! terminals that close. All ask what runs to stop in order: its captures and reports are written.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// How long a command at the prompt has for stopping before a further Ctrl-C ends the program, or before it ends
/// because it was told to.
const STUCK: Duration = Duration::from_secs(2);

/// How long what runs has for stopping once the program is told to end. Who tells it (`docker stop`, systemd) kills it
/// later than that.
const GRACE: Duration = Duration::from_secs(8);

/// The exit code that says so.
pub const INTERRUPTED: u8 = 130;

/// Has signals set this flag from here on; `prompt` says whether a conversation would be lost with the program.
pub fn listen(flag: Arc<AtomicBool>, prompt: bool) -> io::Result<()> {
    let mut wanted = vec![SIGINT, SIGTERM];
    // With `nohup` it outlives its terminal.
    if !is_ignored(SIGHUP) {
        wanted.push(SIGHUP);
    }
    let mut signals = Signals::new(wanted)?;
    thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            let (again, grace) = match prompt {
                true => (STUCK, STUCK),
                false => (Duration::ZERO, GRACE),
            };
            let mut press = on_interrupt(flag.clone(), again, end);
            for signal in signals.forever() {
                match signal {
                    SIGINT => press(),
                    _ => terminate(&flag, grace),
                }
            }
        })?;
    Ok(())
}

fn end() {
    std::process::exit(INTERRUPTED.into())
}

/// Whether whoever started the program has a signal ignored.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|it| it.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|it| u64::from_str_radix(it.trim(), 16).ok());
    mask.unwrap_or(0) >> (signal - 1) & 1 == 1
}

/// The program is to end, and not only what runs: it does when that has stopped, or had its time for it. Told again, it
/// does not wait.
fn terminate(flag: &AtomicBool, patience: Duration) {
    if flag.swap(true, Ordering::Relaxed) {
        end();
    }
    // The flag is no sign of an end: clean-up lowers it, and a prompt goes on after its command.
    thread::spawn(move || {
        thread::sleep(patience);
        end();
    });
}

/// What Ctrl-C does: it asks what runs to stop. Again, it does not wait for anything; but at the prompt,
/// where a conversation would be lost with it, only when what runs had its time and did not stop.
fn on_interrupt(flag: Arc<AtomicBool>, patience: Duration, exit: impl Fn()) -> impl FnMut() {
    let mut asked = Instant::now();
    move || {
        if !flag.swap(true, Ordering::Relaxed) {
            asked = Instant::now();
        } else if asked.elapsed() >= patience {
            exit();
        } else {
            eprintln!("stopping; if it does not, Ctrl-C in two seconds ends dhcpcraft");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    /// How often the program would have ended after each Ctrl-C.
    fn presses(patience: Duration, pause: Duration, resumed: bool) -> [usize; 3] {
        let flag = Arc::new(AtomicBool::new(false));
        let ended = Arc::new(AtomicUsize::new(0));
        let count = ended.clone();
        let mut press = on_interrupt(flag.clone(), patience, move || {
            count.fetch_add(1, Ordering::Relaxed);
        });
        [(); 3].map(|()| {
            press();
            std::thread::sleep(pause);
            if resumed {
                flag.store(false, Ordering::Relaxed);
            }
            ended.load(Ordering::Relaxed)
        })
    }

    #[test]
    fn a_further_interrupt_ends_what_does_not_stop() {
        let (none, some) = (Duration::ZERO, Duration::from_millis(30));
        // A command: the second does not wait.
        assert_eq!(presses(none, none, false), [0, 1, 2]);
        // The prompt: an impatient hand loses nothing, and what hangs can be left.
        assert_eq!(presses(Duration::from_secs(60), none, false), [0, 0, 0]);
        assert_eq!(presses(some / 2, some, false), [0, 1, 2]);
        // What stopped in between has nothing to do with the next one.
        assert_eq!(presses(some / 2, some, true), [0, 0, 0]);
    }
}
