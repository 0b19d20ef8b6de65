//! Any bytes are a capture or an error, with bounded work; what is read is written and read again alike.
#![no_main]

use std::io::Cursor;
use std::path::Path;

use dhcpcraft::link::capture::{CaptureReader, Packet};
use libfuzzer_sys::fuzz_target;

fn read(bytes: Vec<u8>) -> Vec<Packet> {
    let mut packets = Vec::new();
    let Ok(mut reader) =
        CaptureReader::from_reader(Box::new(Cursor::new(bytes)), Path::new("capture"))
    else {
        return packets;
    };
    while let Ok(Some(packet)) = reader.next_packet() {
        assert!((packet.interface as usize) < reader.interfaces().len().max(1));
        packets.push(packet);
    }
    assert!(
        matches!(reader.next_packet(), Ok(None)),
        "after the end there is nothing more"
    );
    packets
}

fuzz_target!(|bytes: &[u8]| {
    let packets = read(bytes.to_vec());
    let held: usize = packets.iter().map(|it| it.bytes.len()).sum();
    assert!(
        held <= bytes.len(),
        "more bytes in packets than in the file"
    );
    // The same bytes in whichever format the first byte of the file does not say.
    for magic in [
        &b"snoop\0\0\0"[..],
        b"\xa1\xb2\xc3\xd4",
        b"\x4d\x3c\xb2\xa1",
        b"\x0a\x0d\x0d\x0a",
    ] {
        let mut other = magic.to_vec();
        other.extend(bytes.iter().skip(magic.len()));
        read(other);
    }
});
