//! The whole handshake: DISCOVER, OFFER, REQUEST, ACK.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use clap::Args;

use super::Error;
use super::args::{LinkArgs, OutArgs, SeedArgs, SendArgs, parse_duration};
use super::edits::Edits;
use super::message::tag;
use super::outcome::{Ending, Sink};
use super::session::{self, Here, Session};
use super::witness::Witness;
use crate::dhcp::Message;
use crate::dhcp::enums::DISCOVER;
use crate::dhcp::template;
use crate::link::segment::EPOCH;
use crate::talk::{Choose, Client, ClientConfig, ClientEnd, Hold, Host, Player};
use crate::wire::Frame;

/// Arguments of `dora`.
#[derive(Clone, Debug, Args)]
pub struct DoraArgs {
    #[command(flatten)]
    link: LinkArgs,
    /// Which offer to take: first, lowest, requested, or server=IP
    #[arg(long, value_name = "WHICH", value_parser = parse_choose, default_value = "first", help_heading = "Exchange")]
    choose: Choose,
    /// How long to collect offers before choosing
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "1s", help_heading = "Exchange")]
    collect: Duration,
    /// Ask with ARP who has the address before using it; decline it if someone does, and begin again
    #[arg(long, help_heading = "Exchange")]
    probe: bool,
    /// How often to begin again after a DECLINE
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Exchange")]
    restarts: u32,
    /// Live with the lease for this long: renew at T1, rebind at T2, begin again when it is over or refused
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "Exchange")]
    hold: Option<Duration>,
    /// Run the lease's own times so many times faster
    #[arg(long, value_name = "N", default_value_t = 1.0, value_parser = parse_scale, requires = "hold", help_heading = "Exchange")]
    time_scale: f64,
    /// Write the lease to a file, for renew, rebind, reboot, release and decline with --lease FILE
    #[arg(long, value_name = "FILE", help_heading = "Exchange")]
    save_lease: Option<PathBuf>,
    #[command(flatten)]
    edits: Edits,
    #[command(flatten)]
    send: SendArgs,
    #[command(flatten)]
    seed: SeedArgs,
    #[command(flatten)]
    out: OutArgs,
}

pub(super) fn parse_choose(text: &str) -> Result<Choose, String> {
    match text {
        "first" => Ok(Choose::First),
        "lowest" => Ok(Choose::Lowest),
        "requested" => Ok(Choose::Requested),
        _ => text
            .strip_prefix("server=")
            .and_then(|ip| ip.parse::<Ipv4Addr>().ok())
            .map(Choose::Server)
            .ok_or_else(|| "first, lowest, requested, or server=IP".into()),
    }
}

fn parse_scale(text: &str) -> Result<f64, String> {
    let scale = text.parse().ok().filter(|it| (0.001..=1e6).contains(it));
    scale.ok_or_else(|| "a number from 0.001 to 1000000".into())
}

impl DoraArgs {
    /// How to print.
    pub fn out(&self) -> &OutArgs {
        &self.out
    }

    /// The seed.
    pub fn seed(&self) -> Option<u64> {
        self.seed.seed
    }

    /// Runs the exchange.
    pub fn run(&self, session: &mut Session, sink: &mut dyn Sink) -> Result<Ending, Error> {
        if self.send.dry_run {
            return self.dry_run(session, sink);
        }
        let mut link = session.open(&self.link, self.out.write.as_deref())?;
        if link.here.lab {
            sink.notice(&super::lab_notice(&self.link.interface));
        }
        let identity = session.identity(&self.edits, &link.here);
        let relay_mac = identity.source_mac;
        let (edits, tags) = (self.edits.clone(), self.link.vlan.clone());
        let foreign = identity.source_mac != identity.client_mac;
        let timeout = self.send.timeout.unwrap_or(Duration::from_secs(30));
        let config = ClientConfig {
            identity,
            build: Rc::new(move |mut draft| {
                if foreign {
                    draft.bootp.set_broadcast(true);
                }
                let mut frame = edits.build(draft);
                tag(&mut frame, &tags);
                frame
            }),
            choose: self.choose.clone(),
            collect: if self.send.wait {
                timeout
            } else {
                self.collect
            },
            tries: self.send.tries.unwrap_or(4),
            timeout,
            probe: self.probe,
            restarts: self.restarts,
            hold: self.hold.map(|length| Hold {
                length,
                scale: self.time_scale,
            }),
        };
        let mut client = Client::new(config, session.fork());
        let mut host = Host::default();
        if let Some(giaddr) = self.edits.giaddr() {
            host.add(giaddr, relay_mac);
        }
        let mut witness = Witness::default();
        let players: &mut [&mut dyn Player] = &mut [&mut client, &mut host];
        let stopped = link.play(players, session, sink, &mut witness)?;
        Ok(match client.end() {
            Some(ClientEnd::Bound(ack)) => {
                self.save(ack)?;
                Ending::Bound
            }
            Some(ClientEnd::Refused(_)) => Ending::Refused,
            Some(ClientEnd::Declined(address, mac)) => Ending::Declined {
                by: format!("{address} is at {mac}"),
            },
            Some(ClientEnd::NoOffer(offers)) => {
                let mut silence = witness.silence(timeout, link.here.lab);
                if let (1.., Choose::Server(ip)) = (offers, &self.choose) {
                    let found =
                        format!("{offers} offer(s) came, none of them from server {ip} (--choose)");
                    silence.findings.insert(0, found);
                }
                Ending::NoReply(silence)
            }
            Some(ClientEnd::NoAck) => {
                let mut silence = witness.silence(timeout, link.here.lab);
                let found = "the server offered an address and did not answer the REQUEST for it";
                silence.findings.insert(0, found.into());
                Ending::NoReply(silence)
            }
            None if stopped => Ending::Interrupted,
            None => Ending::NoReply(witness.silence(timeout, link.here.lab)),
        })
    }

    /// The lease as the ACK that gave it, in hex text that every --from reads.
    fn save(&self, ack: &Frame) -> Result<(), Error> {
        let (Some(path), Some(message)) = (&self.save_lease, Message::of(ack)) else {
            return Ok(());
        };
        let server = message.server_id().map_or("-".into(), |ip| ip.to_string());
        let text = format!(
            "# lease of {} for {} from {server}: the ACK that gave it\n{}\n",
            message.bootp.yiaddr,
            message.bootp.client_mac(),
            hex::encode(ack.encode())
        );
        std::fs::write(path, text).map_err(|it| Error::file(path, it))
    }

    fn dry_run(&self, session: &mut Session, sink: &mut dyn Sink) -> Result<Ending, Error> {
        let here = Here::look(&self.link)?;
        let identity = session.identity(&self.edits, &here);
        let mut frame = self.edits.build(template::fresh(DISCOVER, &identity));
        tag(&mut frame, &self.link.vlan);
        sink.notice("dry run: the DISCOVER only, because the REQUEST follows from an offer");
        sink.entry(&session::built(1, frame, EPOCH))?;
        Ok(Ending::Done)
    }
}
