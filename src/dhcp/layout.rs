//! Laying options out: into the options field, and on request into `file` and `sname` too.

use super::assign::Assignment;
use crate::wire::{Bootp, END, PAD, push_option};

/// Code of the overload option.
const OVERLOAD: u8 = 52;

/// Which BOOTP fields take options as well (option 52, RFC 2132 section 9.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overload {
    /// `file`, 128 bytes.
    File,
    /// `sname`, 64 bytes.
    Sname,
    /// Both.
    Both,
}

impl Overload {
    /// The value of option 52.
    pub fn number(self) -> u8 {
        match self {
            Overload::File => 1,
            Overload::Sname => 2,
            Overload::Both => 3,
        }
    }
}

/// The option stream for `options` in their order; pieces of 255 bytes at most (RFC 3396). END is
/// added unless the list itself holds one.
pub fn stream(options: &[Assignment]) -> Vec<u8> {
    let mut out = Vec::new();
    for option in options {
        push_option(&mut out, option.code, &option.data);
    }
    if !options.iter().any(|option| option.code == END) {
        out.push(END);
    }
    out
}

/// Lays `options` out with as many of the last ones as fit moved into the overloaded fields, their
/// order kept: a reader that joins options, file and sname finds them as they were given. Returns
/// the stream of the options field; option 52 stands where the caller put one, else behind the
/// message type.
pub fn overloaded(options: &[Assignment], overload: Overload, bootp: &mut Bootp) -> Vec<u8> {
    let number = overload.number();
    let (file_room, sname_room) = (
        if number & 1 != 0 { bootp.file.len() } else { 0 },
        if number & 2 != 0 {
            bootp.sname.len()
        } else {
            0
        },
    );
    let sizes: Vec<usize> = options
        .iter()
        .map(|option| {
            let mut piece = Vec::new();
            push_option(&mut piece, option.code, &option.data);
            piece.len()
        })
        .collect();
    // The options field keeps message type, overload and END, and whatever stands before them.
    let pinned = options
        .iter()
        .rposition(|option| matches!(option.code, 53 | OVERLOAD | END | PAD))
        .map_or(0, |at| at + 1);
    let fits = |from: usize| -> Option<usize> {
        // Where sname's part begins when file takes as many as it holds, its END included.
        let mut used = 1;
        let mut split = from;
        while split < options.len() && used + sizes[split] <= file_room {
            used += sizes[split];
            split += 1;
        }
        let rest: usize = sizes[split..].iter().sum();
        (split == options.len() || rest < sname_room).then_some(split)
    };
    let (from, split) = (pinned..=options.len())
        .find_map(|from| fits(from).map(|split| (from, split)))
        .unwrap_or((options.len(), options.len()));

    let mut head: Vec<Assignment> = options[..from].to_vec();
    if !head.iter().any(|option| option.code == OVERLOAD) {
        let at = head
            .iter()
            .position(|option| option.code == 53)
            .map_or(0, |at| at + 1);
        head.insert(
            at,
            Assignment {
                code: OVERLOAD,
                data: vec![number],
            },
        );
    }
    fn fill(field: &mut [u8], part: &[Assignment]) {
        let bytes = stream(part);
        field.fill(0);
        if let Some(room) = field.get_mut(..bytes.len()) {
            room.copy_from_slice(&bytes);
        }
    }
    if file_room > 0 {
        fill(&mut bootp.file, &options[from..split]);
    }
    if sname_room > 0 {
        fill(&mut bootp.sname, &options[split..]);
    }
    stream(&head)
}
