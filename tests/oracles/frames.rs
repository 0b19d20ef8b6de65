//! The frames that the peers are asked about, made by the program and by the library.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

use dhcpcraft::dhcp::options::{OPTIONS, OptionSpec};
use dhcpcraft::link::capture::{CaptureReader, CaptureWriter, Packet};
use dhcpcraft::link::segment::EPOCH;
use dhcpcraft::wire::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// A frame, and how to make it again.
pub struct Sample {
    pub label: String,
    pub bytes: Vec<u8>,
}

/// A directory that goes away with the value.
pub struct Directory(PathBuf);

impl Directory {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("dhcpcraft-oracles-{}-{number}", process::id()));
        fs::create_dir_all(&path).expect("a directory for captures");
        Directory(path)
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs the program with `-w` and gives the frames it wrote.
pub fn written_by(arguments: &[&str], directory: &Directory) -> Vec<Sample> {
    let capture = directory.join("run.pcapng");
    let output = Command::new(env!("CARGO_BIN_EXE_dhcpcraft"))
        .args(arguments)
        .args(["--seed", "1", "--json", "-w"])
        .arg(&capture)
        .output()
        .expect("the program starts");
    assert!(
        output.status.success(),
        "dhcpcraft {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut reader = CaptureReader::open(&capture).expect("what -w wrote");
    let mut samples = Vec::new();
    while let Some(packet) = reader.next_packet().expect("what -w wrote") {
        samples.push(Sample {
            label: format!("dhcpcraft {}", arguments.join(" ")),
            bytes: packet.bytes,
        });
    }
    assert!(!samples.is_empty(), "{arguments:?} wrote no frame");
    samples
}

/// Ways to ask for a message, each a place where a length, a checksum or an address could go wrong.
const VARIANTS: [&[&str]; 8] = [
    &[],
    &["--vlan", "7"],
    &["--vlan", "100", "--vlan", "7:5"],
    &["--broadcast", "--pad-to", "548"],
    &[
        "--giaddr",
        "10.9.0.1",
        "--relay-info",
        "circuit-id=\"ge-0/0/1\",remote-id=hex:0a0b",
    ],
    &[
        "--giaddr", "10.9.0.1", "--vlan", "7", "--hops", "3", "--secs", "9",
    ],
    &[
        "--overload",
        "both",
        "-o",
        "bootfile-name=pxelinux.0",
        "-o",
        "tftp-server-name=tftp.example",
        "-o",
        "vendor-class=lab",
    ],
    // An odd length: a checksum takes a zero byte that is not there.
    &["--hostname", "odd", "--pad-to", "0"],
];

/// Every message type from its template in every variant, plain BOOTP both ways, and whole exchanges.
pub fn templates() -> Vec<Sample> {
    let directory = Directory::new();
    let mut samples = Vec::new();
    let mut kinds: Vec<String> = (1..=18).map(|number: u8| number.to_string()).collect();
    kinds.push("bootp".into());
    for kind in &kinds {
        let base = [
            "craft",
            "--type",
            kind,
            "--dry-run",
            "--ciaddr",
            "192.0.2.100",
            "--yiaddr",
            "192.0.2.100",
            "--requested-ip",
            "192.0.2.100",
            "--server-id",
            "192.0.2.1",
        ];
        for variant in VARIANTS {
            samples.extend(written_by(&[&base[..], variant].concat(), &directory));
        }
    }
    for arguments in [
        &[
            "craft",
            "--type",
            "bootp",
            "--op",
            "2",
            "--sport",
            "67",
            "--dport",
            "68",
            "--dry-run",
        ][..],
        &["discover", "--dry-run"],
        &["discover", "--bare", "--dry-run"],
        &["dora"],
        &["dora", "-i", "lab:two-servers"],
        &["dora", "--vlan", "7"],
    ] {
        samples.extend(written_by(arguments, &directory));
    }
    samples
}

/// Rows that carry data.
pub fn rows() -> impl Iterator<Item = &'static OptionSpec> {
    OPTIONS.iter().filter(|row| !matches!(row.code, PAD | END))
}

/// The data of a row's example.
pub fn example(row: &OptionSpec) -> Vec<u8> {
    let mut data = Vec::new();
    let value = row.ty.parse(row.example).expect("an example is a value");
    value.encode(&mut data).expect("an example can be encoded");
    data
}

/// A message with the example of one option between the message type and END.
pub fn carrying(code: u8, data: &[u8]) -> Frame {
    let mut options = Vec::new();
    if code != 53 {
        push_option(&mut options, 53, &[5]);
    }
    push_option(&mut options, code, data);
    options.push(END);
    let mut bootp = Bootp {
        op: 2,
        xid: 0x3d1d_5f2a,
        yiaddr: [192, 0, 2, 100].into(),
        ..Bootp::default()
    };
    bootp.set_client_mac(MacAddr::new(2, 0, 0x5e, 0x10, 0, 1));
    // Where option 52 says so, these hold options: none but END.
    (bootp.sname[0], bootp.file[0]) = (END, END);
    let udp = Udp {
        sport: SERVER_PORT,
        dport: CLIENT_PORT,
        ..Udp::default()
    };
    Frame::new([
        Ether::default().into(),
        Ipv4::default().into(),
        udp.into(),
        bootp.into(),
        Dhcp {
            options,
            ..Dhcp::default()
        }
        .into(),
    ])
}

/// One frame for each row's example.
pub fn examples() -> Vec<Sample> {
    rows()
        .map(|row| Sample {
            label: format!("{}={}", row.name, row.example),
            bytes: carrying(row.code, &example(row)).encode(),
        })
        .collect()
}

/// What random options hold.
#[derive(Clone, Copy, PartialEq)]
pub enum Data {
    /// Any bytes.
    Any,
    /// Values of the option's type.
    Typed,
}

/// Random well-formed frames: any header, options in any order, some long, of any bytes some twice, pads between, bytes after END.
pub fn random(seed: u64, count: usize, data: Data) -> Vec<Sample> {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    (0..count)
        .map(|number| Sample {
            label: format!("random frame {number} of seed {seed}"),
            bytes: random_frame(&mut chance, data).encode(),
        })
        .collect()
}

fn below(chance: &mut ChaCha8Rng, limit: u32) -> usize {
    (chance.next_u32() % limit) as usize
}

fn fits(row: &OptionSpec, data: &[u8]) -> bool {
    let most = row.max_len.map_or(usize::MAX, usize::from);
    (usize::from(row.min_len)..=most).contains(&data.len())
        && data.len().is_multiple_of(row.multiple.into())
        // A text of bytes that are no UTF-8 is one to us, and to others it is none.
        && row.ty.decode(data).is_ok_and(|value| row.ty.name() == "bytes" || !value.json().to_string().contains("\"hex\""))
}

fn random_frame(chance: &mut ChaCha8Rng, kind: Data) -> Frame {
    let rows: Vec<_> = rows().collect();
    let mut options = Vec::new();
    for _ in 0..below(chance, 12) {
        let row = rows[below(chance, rows.len() as u32)];
        let mut data = example(row);
        match below(chance, 8) {
            0 => data = vec![0; below(chance, 600)],
            1 => data = vec![0; usize::from(row.min_len)],
            _ => {}
        }
        if below(chance, 2) == 0 {
            chance.fill_bytes(&mut data);
        }
        if kind == Data::Typed {
            // Twice the same option would be joined, and fit no longer.
            if Options::new(&options).find_code(row.code).is_some() {
                continue;
            }
            if !fits(row, &data) {
                data = example(row);
            }
        }
        push_option(&mut options, row.code, &data);
        options.resize(options.len() + below(chance, 6).saturating_sub(3), PAD);
    }
    options.push(END);
    options.resize(options.len() + below(chance, 20), PAD);
    let mut bootp = Bootp::default();
    let mut header = [0; BOOTP_LEN];
    chance.fill_bytes(&mut header);
    if let Some((read, _)) = Bootp::read(&header) {
        bootp = read;
    }
    bootp.op = 1 + below(chance, 2) as u8;
    (bootp.htype, bootp.hlen) = (1, 6);
    let mut layers = vec![Layer::from(Ether::default())];
    layers.extend((0..below(chance, 3)).map(|depth| {
        Layer::from(Dot1Q {
            vlan: 100 + depth as u16,
            prio: 5,
            ..Dot1Q::default()
        })
    }));
    let udp = match bootp.op {
        1 => Udp::default(),
        _ => Udp {
            sport: SERVER_PORT,
            dport: CLIENT_PORT,
            ..Udp::default()
        },
    };
    let dhcp = Dhcp {
        options,
        ..Dhcp::default()
    };
    layers.extend([
        Ipv4::default().into(),
        udp.into(),
        bootp.into(),
        dhcp.into(),
    ]);
    Frame::new(layers)
}

/// Writes the frames to a capture, each with its label as comment.
pub fn write(samples: &[Sample], path: &Path) {
    let mut writer = CaptureWriter::create(path).expect("a capture").buffered();
    for sample in samples {
        let packet = Packet {
            at: EPOCH,
            link_type: link_type::ETHERNET,
            interface: 0,
            original_len: sample.bytes.len() as u32,
            bytes: sample.bytes.clone(),
            comment: Some(sample.label.clone()),
        };
        writer.write(&packet).expect("a capture");
    }
    writer.finish().expect("a capture");
}
