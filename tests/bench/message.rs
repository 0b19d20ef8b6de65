//! One message built and encoded, and one decoded to typed options, beside dhcproto on the same options.
//!
//! Ours is the whole frame, with Ethernet, IP and UDP around the message and both checksums; dhcproto knows the message
//! alone. What is made is dropped within the time taken. `scripts/bench` runs this and puts the figures beside those of Scapy and others.

use dhcpcraft::dhcp::assign::Assignment;
use dhcpcraft::dhcp::template::{self, Identity};
use dhcpcraft::dhcp::{Message, enums};
use dhcpcraft::wire::{
    BOOTP_LEN, Bootp, Dhcp, END, Ether, Frame, Ipv4, Layer, MacAddr, Udp, push_option,
};
use dhcproto::v4::{self, DhcpOption, OptionCode};
use dhcproto::{Decodable, Decoder, Encodable, Encoder};
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

const MAC: [u8; 6] = [2, 0, 0x5e, 0x10, 0, 1];
const REQUESTED: [u8; 4] = [192, 0, 2, 100];
const REQUEST_LIST: [u8; 12] = [1, 121, 3, 6, 12, 15, 26, 28, 42, 58, 59, 119];

/// A DISCOVER with eight options, from layers and bytes.
fn frame(xid: u32) -> Frame {
    let mut options = Vec::with_capacity(96);
    push_option(&mut options, 53, &[1]);
    push_option(&mut options, 61, &[1, 2, 0, 0x5e, 0x10, 0, 1]);
    push_option(&mut options, 50, &REQUESTED);
    push_option(&mut options, 57, &1500u16.to_be_bytes());
    push_option(&mut options, 55, &REQUEST_LIST);
    push_option(&mut options, 12, b"printer-3");
    push_option(&mut options, 60, b"dhcpcraft bench");
    push_option(&mut options, 51, &3600u32.to_be_bytes());
    options.push(END);
    let mut bootp = Bootp {
        xid,
        ..Bootp::default()
    };
    bootp.set_client_mac(MAC.into());
    Frame::new([
        Ether::default().into(),
        Ipv4::default().into(),
        Udp::default().into(),
        bootp.into(),
        Dhcp {
            options,
            ..Dhcp::default()
        }
        .into(),
    ])
}

/// The same by way of the template, as the commands make it.
fn drafted(xid: u32) -> Frame {
    let who = Identity {
        client_mac: MacAddr::from(MAC),
        source_mac: MacAddr::from(MAC),
        xid,
        address: Some(REQUESTED.into()),
        server: None,
        own: None,
        server_mac: None,
    };
    let mut draft = template::fresh(enums::DISCOVER, &who);
    for (code, data) in [
        (12, &b"printer-3"[..]),
        (60, b"dhcpcraft bench"),
        (51, &[0, 0, 14, 16]),
    ] {
        draft.put(Assignment {
            code,
            data: data.to_vec(),
        });
    }
    draft.min_message = 0;
    draft.frame()
}

fn dhcproto_message(xid: u32) -> v4::Message {
    let zero = [0, 0, 0, 0].into();
    let mut message = v4::Message::new_with_id(xid, zero, zero, zero, zero, &MAC);
    let options = message.opts_mut();
    options.insert(DhcpOption::MessageType(v4::MessageType::Discover));
    options.insert(DhcpOption::ClientIdentifier(vec![
        1, 2, 0, 0x5e, 0x10, 0, 1,
    ]));
    options.insert(DhcpOption::RequestedIpAddress(REQUESTED.into()));
    options.insert(DhcpOption::MaxMessageSize(1500));
    let list = REQUEST_LIST.iter().map(|code| OptionCode::from(*code));
    options.insert(DhcpOption::ParameterRequestList(list.collect()));
    options.insert(DhcpOption::Hostname("printer-3".into()));
    options.insert(DhcpOption::ClassIdentifier(b"dhcpcraft bench".to_vec()));
    options.insert(DhcpOption::AddressLeaseTime(3600));
    message
}

/// Holds the two sides to be the same message, so that the figures compare the same work.
fn assert_same() {
    let bytes = frame(7).encode();
    assert_eq!(
        drafted(7).dhcp().map(|it| it.iter().count()),
        Some(9),
        "eight options and END"
    );
    let theirs = v4::Message::decode(&mut Decoder::new(&bytes[42..])).expect("dhcproto reads it");
    assert_eq!(theirs, dhcproto_message(7));
    assert_eq!(theirs.opts().len(), 8);
}

#[divan::bench_group(sample_size = 500, min_time = 1)]
mod build {
    use super::*;

    #[divan::bench]
    fn dhcpcraft_frame(bencher: Bencher) {
        assert_same();
        bencher.bench_local(|| {
            black_box(frame(black_box(7)).encode());
        });
    }

    #[divan::bench]
    fn dhcpcraft_template(bencher: Bencher) {
        bencher.bench_local(|| {
            black_box(drafted(black_box(7)).encode());
        });
    }

    #[divan::bench]
    fn dhcproto_message(bencher: Bencher) {
        bencher.bench_local(|| {
            let mut bytes = Vec::with_capacity(BOOTP_LEN + 100);
            let message = super::dhcproto_message(black_box(7));
            message
                .encode(&mut Encoder::new(&mut bytes))
                .expect("encodes");
            black_box(bytes);
        });
    }
}

#[divan::bench_group(sample_size = 500, min_time = 1)]
mod encode {
    use super::*;

    #[divan::bench]
    fn dhcpcraft_frame(bencher: Bencher) {
        let frame = frame(7);
        let mut bytes = Vec::with_capacity(400);
        bencher.bench_local(|| {
            bytes.clear();
            black_box(&frame).encode_into(&mut bytes);
        });
    }

    #[divan::bench]
    fn dhcproto_message(bencher: Bencher) {
        let message = super::dhcproto_message(7);
        let mut bytes = Vec::with_capacity(400);
        bencher.bench_local(|| {
            bytes.clear();
            let encoded = black_box(&message).encode(&mut Encoder::new(&mut bytes));
            encoded.expect("encodes");
        });
    }
}

#[divan::bench_group(sample_size = 500, min_time = 1)]
mod decode {
    use super::*;

    /// To layers, and every option to its value.
    #[divan::bench]
    fn dhcpcraft_frame(bencher: Bencher) {
        let bytes = frame(7).encode();
        bencher.bench_local(|| {
            let frame = Frame::decode(black_box(&bytes));
            let message = Message::of(&frame).expect("a message");
            let mut values = 0;
            for option in message.options() {
                values += usize::from(black_box(option.value()).is_ok());
            }
            assert_eq!(values, 8);
        });
    }

    /// To layers, and the options that a server looks at to their values.
    #[divan::bench]
    fn dhcpcraft_lazy(bencher: Bencher) {
        let bytes = frame(7).encode();
        bencher.bench_local(|| {
            let frame = Frame::decode(black_box(&bytes));
            let message = Message::of(&frame).expect("a message");
            let wanted = (
                message.message_type(),
                message.requested_ip(),
                message.lease_time(),
            );
            black_box((
                wanted,
                message.server_id(),
                message.data(61),
                message.data(55),
            ));
        });
    }

    /// To layers alone.
    #[divan::bench]
    fn dhcpcraft_layers(bencher: Bencher) {
        let bytes = frame(7).encode();
        bencher.bench_local(|| {
            let frame = Frame::decode(black_box(&bytes));
            assert!(matches!(frame.layers.last(), Some(Layer::Dhcp(_))));
            black_box(frame);
        });
    }

    #[divan::bench]
    fn dhcproto_message(bencher: Bencher) {
        let bytes = frame(7).encode();
        bencher.bench_local(|| {
            let message = v4::Message::decode(&mut Decoder::new(black_box(&bytes[42..])));
            black_box(message.expect("decodes"));
        });
    }
}
