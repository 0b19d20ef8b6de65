//! How what runs inside a player ends the run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Error;

/// Where something that runs inside a player says that the run cannot go on.
#[derive(Clone)]
pub struct Failing {
    first: Arc<Mutex<Option<Error>>>,
    interrupted: Arc<AtomicBool>,
}

impl Failing {
    pub(super) fn new(interrupted: Arc<AtomicBool>) -> Self {
        Failing {
            first: Arc::default(),
            interrupted,
        }
    }

    /// Stops the run. Of several reasons the first is told.
    pub fn fail(&self, error: Error) {
        self.slot().get_or_insert(error);
        self.interrupted.store(true, Ordering::Relaxed);
    }

    /// What the user's asking to stop is written to.
    pub fn interruption(&self) -> Arc<AtomicBool> {
        self.interrupted.clone()
    }

    /// The reason, once; the user did not ask to stop then.
    pub(super) fn take(&self) -> Option<Error> {
        let error = self.slot().take()?;
        self.interrupted.store(false, Ordering::Relaxed);
        Some(error)
    }

    fn slot(&self) -> MutexGuard<'_, Option<Error>> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
