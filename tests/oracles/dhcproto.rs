//! dhcproto's reading of our messages: the header, and every option with its bytes after its typed values are encoded.

use std::collections::{BTreeMap, BTreeSet};

use dhcpcraft::dhcp::Message;
use dhcpcraft::wire::*;
use dhcproto::{Decodable, Decoder, Encodable, Encoder, v4};

use crate::frames::{self, Data, Sample};

/// Options that dhcproto 0.15 cannot read or does not give back as it read them, and why.
const REBUILT_OTHERWISE: &[(u8, &str)] = &[
    (37, "reads four bytes where RFC 2132 section 4.11 has one"),
    (
        81,
        "reads encoded names only, and RFC 4702 section 3.3 keeps the old ASCII form",
    ),
    (
        93,
        "keeps the first of several architectures (RFC 4578 section 2.1)",
    ),
    (
        106,
        "takes it for IPv6-only preferred, which is 108 (RFC 8925)",
    ),
    (116, "refuses numbers that have no meaning yet"),
    (
        119,
        "writes the names compressed: other bytes, the same names",
    ),
];

/// The options that dhcproto keeps, by code: it joins pieces that follow each other, and of what comes again later it
/// keeps the last.
fn kept(dhcp: &Dhcp) -> BTreeMap<u8, Vec<u8>> {
    let mut kept: BTreeMap<u8, Vec<u8>> = BTreeMap::new();
    let mut last = None;
    for item in dhcp.iter().take_while(|it| it.kind != ItemKind::End) {
        match item.kind {
            ItemKind::Option if last == Some(item.code) => {
                kept.entry(item.code).or_default().extend(item.data)
            }
            ItemKind::Option => {
                kept.insert(item.code, item.data.to_vec());
            }
            _ => {}
        }
        last = Some(item.code);
    }
    kept
}

/// The same after dhcproto has made its own types of it and these bytes again.
fn rebuilt(message: &v4::Message) -> BTreeMap<u8, Vec<u8>> {
    let mut all = BTreeMap::new();
    for (code, option) in message.opts().iter() {
        let mut bytes = Vec::new();
        option
            .encode(&mut Encoder::new(&mut bytes))
            .expect("dhcproto encodes what it decoded");
        let data = Options::new(&bytes)
            .flat_map(|it| it.data)
            .copied()
            .collect();
        all.insert(u8::from(*code), data);
    }
    all
}

/// A field of text up to its first zero byte and with it, as dhcproto has it: nothing when it is empty or not ended.
fn text(field: &[u8]) -> Option<&[u8]> {
    let end = field
        .iter()
        .position(|byte| *byte == 0)
        .filter(|at| *at > 0)?;
    Some(&field[..=end])
}

/// What is different between our reading and dhcproto's; codes of options that it rebuilds otherwise go to `otherwise`.
fn differences(sample: &Sample, otherwise: &mut BTreeSet<u8>) -> Vec<String> {
    let frame = Frame::decode(&sample.bytes);
    let (bootp, dhcp) = (
        frame.bootp().expect("a message"),
        frame.dhcp().expect("options"),
    );
    let at = frame
        .with_offsets()
        .find(|(_, it)| matches!(it, Layer::Bootp(_)))
        .map_or(0, |it| it.0);
    let theirs = match v4::Message::decode(&mut Decoder::new(&sample.bytes[at..])) {
        Ok(theirs) => theirs,
        Err(error) => return vec![format!("dhcproto cannot read it: {error}")],
    };
    let mut found = Vec::new();
    let mut same = |what: &str, same: bool| {
        if !same {
            found.push(format!("{what} differs"));
        }
    };
    same("op", u8::from(theirs.opcode()) == bootp.op);
    same("htype", u8::from(theirs.htype()) == bootp.htype);
    same("hlen", theirs.hlen() == bootp.hlen);
    same("hops", theirs.hops() == bootp.hops);
    same("xid", theirs.xid() == bootp.xid);
    same("secs", theirs.secs() == bootp.secs);
    same("flags", u16::from(theirs.flags()) == bootp.flags);
    same("ciaddr", theirs.ciaddr() == bootp.ciaddr);
    same("yiaddr", theirs.yiaddr() == bootp.yiaddr);
    same("siaddr", theirs.siaddr() == bootp.siaddr);
    same("giaddr", theirs.giaddr() == bootp.giaddr);
    same("chaddr", theirs.chaddr() == bootp.client_hardware());
    same("sname", theirs.sname() == text(&bootp.sname));
    same("file", theirs.fname() == text(&bootp.file));
    let (ours, theirs) = (kept(dhcp), rebuilt(&theirs));
    // It reads up to the first option that it cannot read; what follows is lost to it.
    let codes = dhcp
        .iter()
        .filter(|it| it.kind == ItemKind::Option)
        .map(|it| it.code);
    let missing: Vec<u8> = codes.filter(|code| !theirs.contains_key(code)).collect();
    if let Some(code) = missing.first() {
        otherwise.insert(*code);
        if REBUILT_OTHERWISE.iter().all(|(listed, _)| listed != code) {
            found.push(format!(
                "dhcproto cannot read option {code} {:02x?}",
                ours.get(code)
            ));
        }
    }
    for (code, theirs) in &theirs {
        let ours = ours.get(code);
        if ours != Some(theirs) && missing.is_empty() {
            otherwise.insert(*code);
            if REBUILT_OTHERWISE.iter().all(|(listed, _)| listed != code) {
                found.push(format!(
                    "option {code} {ours:02x?}, to dhcproto {theirs:02x?}"
                ));
            }
        }
    }
    // Where no code comes twice, the message as a whole has the same options.
    let message = Message::of(&frame).expect("a message");
    let joined = message.options();
    if message.overload() == 0
        && joined.iter().map(|it| it.data.len()).sum::<usize>()
            == ours.values().map(Vec::len).sum::<usize>()
    {
        let joined: BTreeMap<u8, Vec<u8>> = joined
            .into_iter()
            .map(|it| (it.code, it.data.into_owned()))
            .collect();
        if joined != ours {
            found.push(format!("joined {joined:?} is not {ours:?}"));
        }
    }
    found
}

#[test]
fn dhcproto_reads_every_message_as_we_do() {
    let mut samples = frames::templates();
    samples.retain(|it| Frame::decode(&it.bytes).dhcp().is_some());
    samples.extend(frames::examples());
    samples.extend(frames::random(3, 600, Data::Typed));
    let mut otherwise = BTreeSet::new();
    let mut wrong = Vec::new();
    for sample in &samples {
        let found = differences(sample, &mut otherwise);
        if !found.is_empty() {
            wrong.push(format!(
                "{} {}\n  {}",
                sample.label,
                hex::encode(&sample.bytes),
                found.join("\n  ")
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        samples.len(),
        wrong.join("\n")
    );
    let listed: BTreeSet<u8> = REBUILT_OTHERWISE.iter().map(|it| it.0).collect();
    assert_eq!(
        otherwise, listed,
        "options that dhcproto rebuilds otherwise"
    );
}
