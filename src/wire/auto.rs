//! Fields that are computed unless somebody sets them.

/// A header field that the encoder computes while it is `Unset` and copies as it is once `Set`.
///
/// Lengths, checksums, protocol numbers and ethertypes are of this kind. Decoding sets every one of
/// them, so that what came off the wire goes back onto it unchanged, wrong or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Auto<T> {
    /// Computed when the frame is encoded.
    #[default]
    Unset,
    /// Encoded as it is.
    Set(T),
}

impl<T: Copy + PartialEq> Auto<T> {
    /// The value somebody set, if any.
    pub fn get(self) -> Option<T> {
        match self {
            Auto::Unset => None,
            Auto::Set(value) => Some(value),
        }
    }

    /// The value that goes out: the set one, or else `computed`.
    pub fn or(self, computed: T) -> T {
        self.get().unwrap_or(computed)
    }

    /// Forgets a set value that equals what would be computed anyway.
    pub fn relax(&mut self, computed: T) {
        if *self == Auto::Set(computed) {
            *self = Auto::Unset;
        }
    }
}

impl<T> From<T> for Auto<T> {
    fn from(value: T) -> Self {
        Auto::Set(value)
    }
}
