//! The option stream: how options are laid out, and whether their data fits them.

use super::Report;
use super::seen::{Piece, Seen};
use crate::dhcp::value::Shape;
use crate::dhcp::{Place, enums, options};
use crate::wire::ItemKind;

/// Code of the overload option.
const OVERLOAD: u8 = 52;

/// The items that stand in one field.
fn inside<'a>(seen: &'a Seen, place: Place) -> impl Iterator<Item = &'a Piece<'a>> {
    seen.pieces.iter().filter(move |it| it.place == place)
}

/// The fields that hold options.
fn places(seen: &Seen) -> impl Iterator<Item = Place> {
    let overload = seen.message.map_or(0, |it| it.overload());
    let holds = move |place: &Place| match place {
        Place::Options => true,
        Place::File => overload & 1 != 0,
        Place::Sname => overload & 2 != 0,
    };
    let dhcp = seen.message.is_some_and(|it| it.dhcp.is_some());
    let all = [Place::Options, Place::File, Place::Sname];
    all.into_iter().filter(move |it| dhcp && holds(it))
}

pub(super) fn cut_short(seen: &Seen, report: &mut Report) {
    for it in seen.pieces.iter().filter(|_| seen.whole) {
        if let ItemKind::Truncated { declared } = it.item.kind {
            let found = match declared {
                None => "its length byte is missing".to_string(),
                Some(len) => format!("{len} bytes declared, {} are left", it.item.data.len()),
            };
            let name = options::by_code(it.item.code).name;
            report.bytes(name, it.at, found);
        }
    }
}

/// The last item of a field, where the field has no END and does not end within an option.
fn without_end(seen: &Seen, place: Place) -> bool {
    let ended = |it: &Piece| matches!(it.item.kind, ItemKind::End | ItemKind::Truncated { .. });
    seen.whole && !inside(seen, place).any(ended)
}

pub(super) fn end_missing(seen: &Seen, report: &mut Report) {
    if places(seen).any(|it| it == Place::Options) && without_end(seen, Place::Options) {
        let last = inside(seen, Place::Options).last();
        let at = last.map_or(0, |it| it.at + it.item.raw.len());
        let at = if at == 0 {
            seen.layer_at("DHCP").unwrap_or_default() + 4
        } else {
            at
        };
        report.bytes("end", at, "the options stop without it");
    }
}

pub(super) fn after_end(seen: &Seen, report: &mut Report) {
    for it in seen
        .pieces
        .iter()
        .filter(|it| it.item.kind == ItemKind::AfterEnd)
    {
        let odd = it.item.data.iter().filter(|it| **it != 0).count();
        if let Some(first) = it.item.data.iter().position(|it| *it != 0) {
            let found = format!("{odd} of {} bytes are not 0", it.item.data.len());
            report.bytes(it.place.name(), it.at + first, found);
        }
    }
}

pub(super) fn overload_value(seen: &Seen, report: &mut Report) {
    if let Some(data) = seen.data(OVERLOAD)
        && !matches!(data, [1..=3])
    {
        report.option(OVERLOAD, format!("hex:{}", short(data)));
    }
    for it in &seen.pieces {
        if it.item.is_option() && it.item.code == OVERLOAD && it.place != Place::Options {
            let found = format!("it stands in {}, which it would speak of", it.place.name());
            report.bytes("overload", it.at, found);
        }
    }
}

pub(super) fn overload_end(seen: &Seen, report: &mut Report) {
    for place in places(seen).filter(|it| *it != Place::Options) {
        if without_end(seen, place) {
            report.field("BOOTP", place.name(), "the options in it stop without END");
        }
    }
}

pub(super) fn overload_start(seen: &Seen, report: &mut Report) {
    for place in places(seen).filter(|it| *it != Place::Options) {
        let first = inside(seen, place).next();
        if first.is_some_and(|it| it.item.kind == ItemKind::Pad) {
            report.field("BOOTP", place.name(), "it begins with padding");
        }
    }
}

/// Bytes in hexadecimal, of many the first ones.
fn short(data: &[u8]) -> String {
    match data.get(..16) {
        Some(first) if data.len() > 16 => format!("{}… ({} bytes)", hex::encode(first), data.len()),
        _ => hex::encode(data),
    }
}

/// Whether data of this length fits the option's row in the dictionary.
fn fits(code: u8, len: usize) -> bool {
    let row = options::by_code(code);
    let most = row.max_len.map_or(usize::MAX, usize::from);
    let step = usize::from(row.multiple.max(1));
    (usize::from(row.min_len)..=most).contains(&len) && len.is_multiple_of(step)
}

/// Whether an option is there more than once without need: it would fit into one.
fn repeated(seen: &Seen, code: u8) -> bool {
    let mut fields = Vec::new();
    for it in seen
        .pieces
        .iter()
        .filter(|it| it.item.is_option() && it.item.code == code)
    {
        fields.push(it.place);
    }
    let len = seen.data(code).map_or(0, <[u8]>::len);
    // Between two fields an option may have to be split (RFC 3396 section 5).
    fields.len() > 1 && len <= 255 && fields.windows(2).any(|it| it[0] == it[1])
}

pub(super) fn option_repeated(seen: &Seen, report: &mut Report) {
    for it in &seen.options {
        if repeated(seen, it.code) {
            let found = format!("{} times, {} bytes in all", it.pieces, it.data.len());
            report.option(it.code, found);
        }
    }
}

/// Whether a piece of an option is cut short.
fn is_cut(seen: &Seen, code: u8) -> bool {
    let mut pieces = seen.pieces.iter();
    pieces.any(|it| it.item.code == code && matches!(it.item.kind, ItemKind::Truncated { .. }))
}

pub(super) fn option_length(seen: &Seen, report: &mut Report) {
    for it in &seen.options {
        let len = it.data.len();
        // One that is cut short, or there twice, has a rule of its own.
        if fits(it.code, len) || is_cut(seen, it.code) || repeated(seen, it.code) {
            continue;
        }
        let row = options::by_code(it.code);
        let step = match row.multiple {
            0 | 1 => String::new(),
            step => format!(" in steps of {step}"),
        };
        let range = match (row.min_len, row.max_len) {
            (min, Some(max)) if min == max => format!("{min}"),
            (min, Some(max)) => format!("{min} to {max}"),
            (min, None) => format!("{min} or more"),
        };
        report.option(it.code, format!("{len} bytes, its type has {range}{step}"));
    }
}

pub(super) fn option_value(seen: &Seen, report: &mut Report) {
    for it in seen.options.iter().filter(|_| seen.whole) {
        // What is in option 43 is the vendor's affair (RFC 2132 section 8.4).
        if it.code == 43 || !fits(it.code, it.data.len()) || repeated(seen, it.code) {
            continue;
        }
        if let Err(error) = options::by_code(it.code).ty.decode(&it.data) {
            report.option(it.code, error.to_string());
        }
    }
}

pub(super) fn text_nul(seen: &Seen, report: &mut Report) {
    for it in &seen.options {
        let text = matches!(options::by_code(it.code).ty.shape(), Shape::Str);
        if text && it.data.ends_with(&[0]) && !is_cut(seen, it.code) {
            report.option(it.code, "it ends with a NUL");
        }
    }
}

pub(super) fn message_type(seen: &Seen, report: &mut Report) {
    if let Some(kind) = seen.kind
        && enums::message_type_name(kind).is_none()
    {
        report.option(53, format!("{kind}, which no document assigns"));
    }
}

pub(super) fn mask_before_router(seen: &Seen, report: &mut Report) {
    let place = |code: u8| seen.options.iter().position(|it| it.code == code);
    if let (Some(mask), Some(router)) = (place(1), place(3))
        && router < mask
        && seen.replies().is_some()
    {
        report.option(3, "it stands before subnet-mask");
    }
}
