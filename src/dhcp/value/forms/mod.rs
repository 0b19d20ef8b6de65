//! Forms of their own: domain names, routes, client identifiers, and others that no general shape fits.

mod client_fqdn;
mod client_id;
mod geo;
mod names;
mod route;
mod sip;
mod uuid;

use super::ValueError;

pub(super) use client_fqdn::*;
pub(super) use client_id::*;
pub(super) use geo::*;
pub(super) use names::*;
pub(super) use route::*;
pub(super) use sip::*;
pub(super) use uuid::*;

type Read<T> = Result<T, ValueError>;

fn error(text: impl Into<String>) -> ValueError {
    ValueError::new(text)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    hex::decode(text.replace([':', '-', ' '], "")).ok()
}
