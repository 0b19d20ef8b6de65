//! The kernel filter that keeps a busy interface's other traffic away: ARP, ICMP, and UDP from or to
//! the DHCP ports, untagged or behind up to two VLAN tags.

use super::socket::{Instruction, instruction};

// Classic BPF, as `man 7 socket` and linux/filter.h have it.
const LOAD_HALF: u16 = 0x28;
const LOAD_BYTE: u16 = 0x30;
const LOAD_HALF_X: u16 = 0x48;
const LOAD_X_HEADER_LEN: u16 = 0xb1;
const JUMP_EQUAL: u16 = 0x15;
const JUMP_SET: u16 = 0x45;
const RETURN: u16 = 0x06;

/// Bytes kept of an accepted frame: all.
const ALL: u32 = 0x0004_0000;

/// Where a conditional jump leads.
#[derive(Clone, Copy)]
enum Target {
    Next,
    Accept,
    Reject,
    /// A label.
    To(usize),
}

/// A program with its jumps not yet resolved.
#[derive(Default)]
struct Assembly {
    code: Vec<(u16, u32, Target, Target)>,
    labels: Vec<usize>,
}

impl Assembly {
    fn put(&mut self, code: u16, k: u32) {
        self.code.push((code, k, Target::Next, Target::Next));
    }

    fn jump(&mut self, code: u16, k: u32, yes: Target, no: Target) {
        self.code.push((code, k, yes, no));
    }

    /// Has label `label` stand here.
    fn label(&mut self, label: usize) {
        if self.labels.len() <= label {
            self.labels.resize(label + 1, 0);
        }
        if let Some(slot) = self.labels.get_mut(label) {
            *slot = self.code.len();
        }
    }

    fn finish(self) -> Vec<Instruction> {
        let (reject, accept) = (self.code.len(), self.code.len() + 1);
        let mut program: Vec<_> = self
            .code
            .iter()
            .enumerate()
            .map(|(at, (code, k, yes, no))| {
                let distance = |target: &Target| {
                    let to = match target {
                        Target::Next => at + 1,
                        Target::Accept => accept,
                        Target::Reject => reject,
                        Target::To(label) => self.labels.get(*label).copied().unwrap_or(reject),
                    };
                    (to - at - 1) as u8
                };
                instruction(*code, distance(yes), distance(no), *k)
            })
            .collect();
        program.push(instruction(RETURN, 0, 0, 0));
        program.push(instruction(RETURN, 0, 0, ALL));
        program
    }
}

/// The filter for these UDP ports.
pub(super) fn program(ports: &[u16]) -> Vec<Instruction> {
    use Target::{Accept, Next, Reject, To};
    let mut asm = Assembly::default();
    for depth in 0..3usize {
        let (network, ip) = (14 + 4 * depth as u32, 2 * depth);
        let deeper = ip + 1;
        asm.put(LOAD_HALF, network - 2);
        asm.jump(JUMP_EQUAL, 0x0806, Accept, Next);
        if depth < 2 {
            asm.jump(JUMP_EQUAL, 0x0800, To(ip), Next);
            for tpid in [0x8100, 0x88a8] {
                asm.jump(JUMP_EQUAL, tpid, To(deeper), Next);
            }
            asm.jump(JUMP_EQUAL, 0x9100, To(deeper), Reject);
        } else {
            asm.jump(JUMP_EQUAL, 0x0800, To(ip), Reject);
        }
        asm.label(ip);
        asm.put(LOAD_BYTE, network + 9);
        asm.jump(JUMP_EQUAL, 1, Accept, Next);
        asm.jump(JUMP_EQUAL, 17, Next, Reject);
        // A later fragment has no ports to look at.
        asm.put(LOAD_HALF, network + 6);
        asm.jump(JUMP_SET, 0x1fff, Accept, Next);
        asm.put(LOAD_X_HEADER_LEN, network);
        for offset in [0, 2] {
            asm.put(LOAD_HALF_X, network + offset);
            for port in ports {
                asm.jump(JUMP_EQUAL, u32::from(*port), Accept, Next);
            }
        }
        asm.put(RETURN, 0);
        asm.label(deeper);
    }
    asm.finish()
}
