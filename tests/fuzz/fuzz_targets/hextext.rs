//! Any text is frames in hex or an error, and a hexdump of any frame is read back as that frame.
#![no_main]

use dhcpcraft::commands::input::Source;
use dhcpcraft::commands::session;
use dhcpcraft::link::Time;
use dhcpcraft::view::{self, Style};
use dhcpcraft::wire::Frame;
use libfuzzer_sys::fuzz_target;

/// The frames of a text, until its end or an error.
fn frames(text: &str) -> Vec<Vec<u8>> {
    let source = Source {
        name: format!("hex:{text}"),
        number: None,
    };
    let mut input = source.open().unwrap();
    let mut frames = Vec::new();
    while let Ok(Some(packet)) = input.next_packet() {
        assert!(!packet.bytes.is_empty());
        frames.push(packet.bytes);
    }
    frames
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        frames(text);
    }
    // The first byte tells an IP packet or a BOOTP message from a frame: those come back with headers around them.
    if matches!(bytes.first(), None | Some(0x45 | 1 | 2)) {
        return;
    }
    let entry = session::built(1, Frame::decode(bytes), Time::default());
    for color in [false, true] {
        let mut dump = Vec::new();
        view::hexdump(&mut dump, &entry, &Style { color, width: 80 }).unwrap();
        let dump = String::from_utf8(dump).unwrap();
        if !color {
            assert_eq!(frames(&dump), [bytes], "{dump}");
        }
    }
    assert_eq!(
        frames(
            &bytes
                .iter()
                .map(|it| format!("{it:02x}"))
                .collect::<String>()
        ),
        [bytes]
    );
});
