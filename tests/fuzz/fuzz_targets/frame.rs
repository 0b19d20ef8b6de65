//! Any bytes of any link type are a frame, and the frame is those bytes; every reading of it ends.
#![no_main]

use dhcpcraft::commands::session;
use dhcpcraft::dhcp::Message;
use dhcpcraft::link::Time;
use dhcpcraft::view::{self, Style};
use dhcpcraft::wire::{Frame, Layer, link_type};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let links = [
        link_type::ETHERNET,
        link_type::RAW_OLD[0],
        link_type::RAW_OLD[1],
        link_type::RAW,
        link_type::LINUX_SLL,
        link_type::IPV4,
        link_type::LINUX_SLL2,
        147, // a private link type
    ];
    for link in links {
        let frame = Frame::decode_as(link, bytes);
        assert_eq!(frame.encode(), bytes, "link type {link}: {frame:?}");
        let lengths: usize = frame.layers.iter().map(Layer::encoded_len).sum();
        assert_eq!(lengths, bytes.len());
        let mut relaxed = frame.clone();
        relaxed.relax();
        assert_eq!(relaxed.encode(), bytes, "relaxed {relaxed:?}");
        if let Some(dhcp) = frame.dhcp() {
            let joined: Vec<u8> = dhcp.iter().flat_map(|it| it.raw).copied().collect();
            assert_eq!(joined, dhcp.options);
        }
        if let Some(message) = Message::of(&frame) {
            let _ = (
                message.type_name(),
                message.server_id(),
                message.lease_time(),
            );
            for option in message.options() {
                if let Ok(value) = option.value() {
                    let _ = (value.to_string(), value.json());
                }
            }
        }
    }
    // What is printed of it must end too, and hold nothing that moves a cursor.
    let entry = session::built(1, Frame::decode(bytes), Time::default());
    let style = Style {
        color: false,
        width: 80,
    };
    let mut text = Vec::new();
    view::tree(&mut text, &entry, &style).unwrap();
    view::list_line(&mut text, &entry, &style).unwrap();
    view::json_line(&mut text, &entry).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(
        !text.contains(|c: char| c.is_control() && c != '\n'),
        "{text:?}"
    );
});
