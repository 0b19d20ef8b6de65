//! Ends what takes too long on the real clock.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

#[derive(Default)]
struct State {
    deadline: Option<Instant>,
    fired: bool,
    over: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One thread that looks after one test at a time.
pub struct Watchdog {
    shared: Arc<Shared>,
    interrupted: Arc<AtomicBool>,
}

impl Watchdog {
    /// A watchdog that asks to stop through this flag, as Ctrl-C does.
    pub fn new(interrupted: Arc<AtomicBool>) -> Self {
        let shared = Arc::<Shared>::default();
        let (watch, flag) = (shared.clone(), interrupted.clone());
        thread::spawn(move || {
            let mut state = watch.state();
            while !state.over {
                let now = Instant::now();
                let wait = match state.deadline {
                    Some(deadline) if deadline <= now => {
                        state.deadline = None;
                        state.fired = true;
                        flag.store(true, Ordering::Relaxed);
                        continue;
                    }
                    Some(deadline) => deadline - now,
                    None => Duration::from_secs(3600),
                };
                let woken = watch.changed.wait_timeout(state, wait);
                state = woken.unwrap_or_else(PoisonError::into_inner).0;
            }
        });
        Watchdog {
            shared,
            interrupted,
        }
    }

    /// Something starts that may take so long.
    pub fn start(&self, limit: Duration) {
        let mut state = self.shared.state();
        state.deadline = Instant::now().checked_add(limit);
        state.fired = false;
        self.shared.changed.notify_all();
    }

    /// It has ended; says whether it was ended from here.
    pub fn stop(&self) -> bool {
        let mut state = self.shared.state();
        state.deadline = None;
        let fired = std::mem::take(&mut state.fired);
        if fired {
            self.interrupted.store(false, Ordering::Relaxed);
        }
        fired
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.shared.state().over = true;
        self.shared.changed.notify_all();
    }
}
