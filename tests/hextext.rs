//! Frames written as hex text, as people paste them.

use dhcpcraft::commands::input::Source;

/// The frames of a text, or why it holds none.
fn read(text: &str) -> Result<Vec<Vec<u8>>, String> {
    let source = Source {
        name: format!("hex:{text}"),
        number: None,
    };
    let mut input = source.open().map_err(|it| it.to_string())?;
    let mut frames = Vec::new();
    while let Some(packet) = input.next_packet().map_err(|it| it.to_string())? {
        frames.push(packet.bytes);
    }
    Ok(frames)
}

#[test]
fn a_line_without_digits_is_no_frame() {
    for text in ["-", ":", "0x", ",,,", "----", "\\x"] {
        let error = read(text).unwrap_err();
        assert!(
            error.contains("neither a capture nor hex"),
            "{text}: {error}"
        );
    }
    // Behind a dump it ends it, as any other line does.
    assert_eq!(read("0000  ff ff\n----\n").unwrap(), [[0xff, 0xff]]);
}
