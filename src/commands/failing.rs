//! How what runs inside a player ends the run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Error;

/// Where something that runs inside a player says that the run cannot go on.
#[derive(Clone)]
pub struct Failing {
    first: Arc<Mutex<Option<Error>>>,
    /// When the run ends by itself.
    end: Arc<Mutex<Option<Instant>>>,
    interrupted: Arc<AtomicBool>,
}

impl Failing {
    pub(super) fn new(interrupted: Arc<AtomicBool>) -> Self {
        Failing {
            first: Arc::default(),
            end: Arc::default(),
            interrupted,
        }
    }

    /// Stops the run. Of several reasons the first is told.
    pub fn fail(&self, error: Error) {
        lock(&self.first).get_or_insert(error);
        self.interrupted.store(true, Ordering::Relaxed);
    }

    /// The run ends by itself after so long, if at all.
    pub(super) fn end_after(&self, timeout: Option<Duration>) {
        *lock(&self.end) = timeout.and_then(|it| Instant::now().checked_add(it));
    }

    /// Whether the run is to end: the user or a failure asked for it, or its time is over.
    pub fn over(&self) -> bool {
        let end = *lock(&self.end);
        self.interrupted.load(Ordering::Relaxed) || end.is_some_and(|it| it <= Instant::now())
    }

    /// What the user's asking to stop is written to.
    pub fn interruption(&self) -> Arc<AtomicBool> {
        self.interrupted.clone()
    }

    /// The reason, once; the user did not ask to stop then.
    pub(super) fn take(&self) -> Option<Error> {
        let error = lock(&self.first).take()?;
        self.interrupted.store(false, Ordering::Relaxed);
        Some(error)
    }
}

fn lock<T>(slot: &Mutex<T>) -> MutexGuard<'_, T> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}
