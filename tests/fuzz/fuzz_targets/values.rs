//! An option's data becomes text and comes back as the same bytes; a typed value survives text, bytes and JSON.
//!
//! The first byte chooses the code, the second the type (0: the code's own); the rest is the data, and read as text, a
//! value to parse.
#![no_main]

use dhcpcraft::dhcp::assign;
use dhcpcraft::dhcp::options::by_code;
use dhcpcraft::dhcp::value::{TYPES, Value, ValueType};
use libfuzzer_sys::fuzz_target;

fn bytes_of(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    value.encode(&mut out).unwrap();
    out
}

fn survives(ty: ValueType, value: &Value) {
    let bytes = bytes_of(value);
    let text = value.to_string();
    assert!(!text.contains(char::is_control), "{}: {text:?}", ty.name());
    let parsed = ty
        .parse(&text)
        .unwrap_or_else(|error| panic!("{}: {text:?}: {error}", ty.name()));
    assert_eq!(bytes_of(&parsed), bytes, "{}: {text:?}", ty.name());
    let json = value.json();
    let read = ty
        .from_json(&json)
        .unwrap_or_else(|error| panic!("{}: {json}: {error}", ty.name()));
    assert_eq!(bytes_of(&read), bytes, "{}: {json}", ty.name());
}

fuzz_target!(|bytes: &[u8]| {
    let &[code, choice, ref data @ ..] = bytes else {
        return;
    };
    let text = assign::format(code, data);
    let option = assign::parse(&text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    assert_eq!(
        (option.code, option.data.as_slice()),
        (code, data),
        "{text:?}"
    );

    let ty = match choice {
        0 => by_code(code).ty,
        choice => TYPES[usize::from(choice) % TYPES.len()],
    };
    if let Ok(value) = ty.decode(data) {
        survives(ty, &value);
        assert_eq!(
            ty.decode(&bytes_of(&value)).as_ref(),
            Ok(&value),
            "{}",
            ty.name()
        );
    }
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = assign::parse(&format!("{code}={text}"));
        // Looking for names like an unknown one takes long, and most are unknown: only now and then.
        if choice >= 0xf8 {
            let _ = assign::parse(text);
        }
        // What a person wrote may be refused when it is encoded (too long), never misread.
        if let Ok(value) = ty.parse(text)
            && value.encode(&mut Vec::new()).is_ok()
        {
            let bytes = bytes_of(&value);
            let decoded = ty
                .decode(&bytes)
                .unwrap_or_else(|error| panic!("{} {text:?} = {bytes:02x?}: {error}", ty.name()));
            assert_eq!(bytes_of(&decoded), bytes, "{} {text:?}", ty.name());
            survives(ty, &decoded);
        }
    }
});
