//! Random layer expressions in the words that Scapy and the language share, from a seed.
//!
//! Everything that depends on the host is set (addresses of Ethernet, IP and ARP), so that the bytes of an expression
//! are the same everywhere. What Scapy gets wrong is not written here: it stands in the table of tests/scapy.rs.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::scapy_names::{ETHERTYPES, HARDWARE, ICMP, PORTS, PROTOCOLS};

/// Writes expressions.
pub struct Expressions(ChaCha8Rng);

impl Expressions {
    /// Expressions that follow from the seed.
    pub fn new(seed: u64) -> Self {
        Expressions(ChaCha8Rng::seed_from_u64(seed))
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0.next_u32() as usize % end
    }

    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// A number of so many bits, at times written in hexadecimal, often one of the ends.
    pub(super) fn number(&mut self, bits: u32) -> String {
        let max = u64::MAX >> (64 - bits);
        let number = match self.below(5) {
            0 => 0,
            1 => max,
            _ => u64::from(self.0.next_u32()) & max,
        };
        match self.below(3) {
            0 => format!("{number:#x}"),
            _ => number.to_string(),
        }
    }

    fn text(&mut self) -> String {
        let pool = [
            "a", "Z", "0", ".", "-", " ", "/", "é", "\\n", "\\\\", "\\\"", "'", "#",
        ];
        let len = self.below(12);
        let body: String = (0..len).map(|_| self.pick(&pool)).collect();
        format!("\"{body}\"")
    }

    fn bytes(&mut self, len: usize) -> String {
        let body: String = (0..len)
            .map(|_| match self.below(4) {
                0 => self.pick(&["a", "Z", "7", "(", "#", " ", "'"]).to_string(),
                1 => "\\x00".into(),
                _ => format!("\\x{:02x}", self.below(256)),
            })
            .collect();
        format!("b\"{body}\"")
    }

    pub(super) fn some_bytes(&mut self, most: usize) -> String {
        let len = self.below(most + 1);
        self.bytes(len)
    }

    /// Text or bytes of at most so many.
    pub(super) fn load(&mut self, most: usize) -> String {
        match self.chance(40) {
            true => self.text(),
            false => self.some_bytes(most),
        }
    }

    fn mac(&mut self) -> String {
        let fixed = [
            "ff:ff:ff:ff:ff:ff",
            "00:00:00:00:00:00",
            "02:00:5E:10:00:01",
            "2:0:5e:10:0:1",
        ];
        match self.below(4) {
            0 => format!("\"{}\"", self.pick(&fixed)),
            1 => self.bytes(6),
            _ => {
                let octets: Vec<String> =
                    (0..6).map(|_| format!("{:02x}", self.below(256))).collect();
                format!("\"{}\"", octets.join(":"))
            }
        }
    }

    pub(super) fn ip(&mut self) -> String {
        let fixed = ["0.0.0.0", "255.255.255.255", "192.0.2.1", "10.0.0.1"];
        match self.below(3) {
            0 => format!("\"{}\"", self.pick(&fixed)),
            _ => {
                let octets: Vec<String> = (0..4).map(|_| self.below(256).to_string()).collect();
                format!("\"{}\"", octets.join("."))
            }
        }
    }

    /// Each field with a chance, in any order.
    fn fields(&mut self, always: Vec<String>, maybe: Vec<String>, percent: usize) -> String {
        let mut all = always;
        for field in maybe {
            if self.chance(percent) {
                let at = self.below(all.len() + 1);
                all.insert(at, field);
            }
        }
        all.join(", ")
    }

    fn named(&mut self, names: &[&str], bits: u32) -> String {
        match self.chance(50) {
            true => format!("\"{}\"", self.pick(names)),
            false => self.number(bits),
        }
    }

    fn ether(&mut self) -> String {
        let (dst, src) = (self.mac(), self.mac());
        let ethertype = self.named(ETHERTYPES, 16);
        let fields = self.fields(
            vec![format!("dst={dst}"), format!("src={src}")],
            vec![format!("type={ethertype}")],
            15,
        );
        format!("Ether({fields})")
    }

    fn tag(&mut self) -> String {
        let ethertype = self.named(ETHERTYPES, 16);
        let fields = vec![
            format!("prio={}", self.number(3)),
            format!("dei={}", self.number(1)),
            format!("vlan={}", self.number(12)),
            format!("type={ethertype}"),
        ];
        let percent = self.pick(&[10, 50]);
        format!("Dot1Q({})", self.fields(vec![], fields, percent))
    }

    fn arp(&mut self) -> String {
        let op = self.named(&["who-has", "is-at", "RARP-req", "InARP-rep"], 16);
        if self.chance(25) {
            // Addresses of other networks are bytes of any length.
            let (hw, p) = (self.below(20), self.below(20));
            let fields = [
                format!(
                    "hwtype={}",
                    self.pick(&["6", "32", "\"IEEE 802 Networks\"", "\"ARCNET\""])
                ),
                format!("ptype={}", self.pick(&["0x86de", "1", "\"n_802_1Q\""])),
                format!("hwsrc={}", self.bytes(hw)),
                format!("psrc={}", self.bytes(p)),
                format!("hwdst={}", self.bytes(hw)),
                format!("pdst={}", self.bytes(p)),
                format!("op={op}"),
            ];
            return format!("ARP({})", fields.join(", "));
        }
        let (hwsrc, psrc) = (self.mac(), self.ip());
        let maybe = vec![
            format!("op={op}"),
            format!("hwdst={}", self.mac()),
            format!("pdst={}", self.ip()),
            "hwlen=6".into(),
            "plen=4".into(),
            format!("hwtype={}", self.pick(&["1", "\"Ethernet (10Mb)\""])),
            format!("ptype={}", self.pick(&["0x0800", "\"IPv4\""])),
        ];
        let fields = self.fields(
            vec![format!("hwsrc={hwsrc}"), format!("psrc={psrc}")],
            maybe,
            50,
        );
        format!("ARP({fields})")
    }

    fn ipv4(&mut self) -> String {
        let (src, dst) = (self.ip(), self.ip());
        let options = 4 * self.below(5);
        let loose = self.below(11);
        let proto = self.named(PROTOCOLS, 8);
        let flags = match self.below(4) {
            0 => "\"MF\"".into(),
            1 => "\"DF+MF\"".into(),
            2 => "[\"DF\", \"evil\"]".into(),
            _ => self.number(3),
        };
        let mut maybe = vec![
            format!("version={}", self.number(4)),
            format!("tos={}", self.number(8)),
            format!("len={}", self.number(16)),
            format!("id={}", self.number(16)),
            format!("flags={flags}"),
            format!("frag={}", self.number(13)),
            format!("ttl={}", self.number(8)),
            format!("proto={proto}"),
            format!("chksum={}", self.number(16)),
        ];
        // A header length that is set has the options as they are: whole words of them.
        maybe.extend(match self.chance(50) {
            true => vec![
                format!("ihl={}", self.number(4)),
                format!("options={}", self.bytes(options)),
            ],
            false => vec![format!("options={}", self.bytes(loose))],
        });
        let percent = self.pick(&[0, 8, 30]);
        let fields = self.fields(
            vec![format!("src={src}"), format!("dst={dst}")],
            maybe,
            percent,
        );
        format!("IP({fields})")
    }

    fn icmp(&mut self) -> String {
        let (kind, codes) = self.pick(ICMP);
        let code = match codes.is_empty() {
            true => self.number(8),
            false => self.named(codes, 8),
        };
        let mut maybe = vec![
            format!("code={code}"),
            format!("chksum={}", self.number(16)),
        ];
        // Fields that the type has; those of other types are accepted and left out.
        for (name, bits) in [
            ("id", 16),
            ("seq", 16),
            ("ptr", 8),
            ("reserved", 8),
            ("length", 8),
            ("nexthopmtu", 16),
        ] {
            maybe.push(format!("{name}={}", self.number(bits)));
        }
        maybe.push(format!("gw={}", self.ip()));
        let always = match self.chance(20) {
            true => vec![],
            false => vec![format!("type={kind}")],
        };
        if !always.is_empty() && kind == "9" {
            maybe.push(format!("unused={}", self.number(32)));
        }
        format!("ICMP({})", self.fields(always, maybe, 30))
    }

    fn udp(&mut self) -> String {
        let (sport, dport) = (self.named(PORTS, 16), self.named(PORTS, 16));
        let percent = self.pick(&[0, 10, 60]);
        let rare = vec![
            format!("len={}", self.number(16)),
            format!("chksum={}", self.number(16)),
        ];
        let ports = vec![format!("sport={sport}"), format!("dport={dport}")];
        let ports = self.fields(vec![], ports, 50);
        let always = if ports.is_empty() {
            vec![]
        } else {
            vec![ports]
        };
        format!("UDP({})", self.fields(always, rare, percent))
    }

    fn bootp(&mut self) -> String {
        let chaddr = match self.below(4) {
            0 => "\"00:11:22:33:44:55:66:77\"".to_string(),
            1 => {
                // A first byte that is no hexadecimal digit: Scapy takes bytes for text where it can.
                let len = self.below(16);
                self.bytes(len).replacen('"', "\"\\xf7", 1)
            }
            _ => self.mac(),
        };
        let maybe = vec![
            format!("op={}", self.named(&["BOOTREQUEST", "BOOTREPLY"], 8)),
            format!("htype={}", self.named(HARDWARE, 8)),
            format!("hlen={}", self.number(8)),
            format!("hops={}", self.number(8)),
            format!("xid={}", self.number(32)),
            format!("secs={}", self.number(16)),
            format!("flags={}", self.named(&["B"], 16)),
            format!("ciaddr={}", self.ip()),
            format!("yiaddr={}", self.ip()),
            format!("siaddr={}", self.ip()),
            format!("giaddr={}", self.ip()),
            format!("chaddr={chaddr}"),
            format!("sname={}", self.load(64)),
            format!("file={}", self.load(128)),
        ];
        let percent = self.pick(&[5, 30, 80]);
        let always = match self.chance(5) {
            true => vec![format!("options={}", self.load(8))],
            false => vec![],
        };
        format!("BOOTP({})", self.fields(always, maybe, percent))
    }

    fn dhcp(&mut self) -> String {
        if self.chance(3) {
            return "DHCP()".into();
        }
        let count = self.below(9);
        let mut options: Vec<String> = (0..count).map(|_| self.option()).collect();
        if self.chance(70) {
            options.push("\"end\"".into());
        }
        format!("DHCP(options=[{}])", options.join(", "))
    }

    fn raw(&mut self) -> String {
        let (load, plain) = (self.load(40), self.load(40));
        match self.below(3) {
            0 => format!("Raw({load})"),
            1 => format!("Raw(load={load})"),
            _ => plain,
        }
    }

    fn layer(&mut self) -> String {
        match self.below(9) {
            0 => self.ether(),
            1 => self.tag(),
            2 => self.arp(),
            3 => self.ipv4(),
            4 => self.icmp(),
            5 => self.udp(),
            6 => self.bootp(),
            7 => self.dhcp(),
            _ => format!("Padding(load={})", self.load(20)),
        }
    }

    /// A whole expression: mostly DHCP messages, also ARP and ping, and layers in any order.
    pub fn expression(&mut self) -> String {
        let mut layers = Vec::new();
        match self.below(10) {
            0..5 => {
                layers.push(self.ether());
                for _ in 0..self.pick(&[0, 0, 1, 2]) {
                    layers.push(self.tag());
                }
                layers.extend([self.ipv4(), self.udp(), self.bootp(), self.dhcp()]);
            }
            5 => layers.extend([self.ether(), self.arp()]),
            6 => layers.extend([self.ether(), self.ipv4(), self.icmp()]),
            7 => layers.extend([self.bootp(), self.dhcp()]),
            _ => {
                layers.push(self.layer());
                for _ in 0..self.below(5) {
                    let next = if self.chance(20) {
                        self.raw()
                    } else {
                        self.layer()
                    };
                    layers.push(next);
                }
            }
        }
        if self.chance(20) {
            layers.push(self.raw());
        }
        if self.chance(10) {
            layers.push(format!("Padding(load={})", self.load(20)));
        }
        layers.join(" / ")
    }
}
