//! The whole handshake: DISCOVER, OFFER, REQUEST, ACK.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use clap::Args;

use super::Error;
use super::Outcome;
use super::args::{LinkArgs, OutArgs, SeedArgs, SendArgs, parse_duration};
use super::built::{Built, tag};
use super::diagnosis::Circumstances;
use super::edits::Edits;
use super::message::resolve;
use super::nagios::NagiosArgs;
use super::outcome::{ClientResult, Clients, Ending, Silence, Sink};
use super::session::{self, Here, OpenLink, Session};
use super::witness::Witness;
use crate::dhcp::Message;
use crate::dhcp::enums::{DISCOVER, REQUEST};
use crate::dhcp::template::{self, Identity};
use crate::link::segment::EPOCH;
use crate::talk::{Choose, Client, ClientConfig, ClientEnd, Fleet, Hold, Host, Late, Player};
use crate::wire::{FieldValue, Frame, MacAddr};

/// Arguments of `dora`.
#[derive(Clone, Debug, Args)]
pub struct DoraArgs {
    #[command(flatten)]
    link: LinkArgs,
    /// Which offer to take: first, lowest, requested (--requested-ip), or server=IP (as --server-id IP does)
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
    /// So many clients at once, their MAC addresses counted on from --mac
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000), conflicts_with_all = ["save_lease", "print"], help_heading = "Exchange")]
    clients: u32,
    /// Time between the starts of two clients
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "1ms", help_heading = "Exchange")]
    stagger: Duration,
    /// Live with the lease for this long: renew at T1, rebind at T2, begin again when it is over or refused
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "Exchange")]
    hold: Option<Duration>,
    /// Run the life of the lease so many times faster, --hold included: 12m take 12 s with --time-scale 60
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
    #[command(flatten)]
    pub(super) nagios: NagiosArgs,
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

    /// Whether it is of more than one client.
    pub fn many(&self) -> bool {
        self.clients > 1
    }

    /// Whether it lives on with its lease.
    pub fn holds(&self) -> bool {
        self.hold.is_some()
    }

    /// How it is sent.
    pub fn sending(&self) -> &SendArgs {
        &self.send
    }

    /// The seed.
    pub fn seed(&self) -> Option<u64> {
        self.seed.seed
    }

    fn config(
        &self,
        identity: Identity,
        edits: Edits,
        choose: Choose,
        timeout: Duration,
    ) -> ClientConfig {
        let tags = self.link.vlan.clone();
        // A reply to chaddr would go to another station than this one; one to a relay agent comes here.
        let foreign = identity.source_mac != identity.client_mac && edits.giaddr().is_none();
        let direct = edits.past_relays();
        ClientConfig {
            identity,
            build: Rc::new(move |mut draft| {
                if foreign && matches!(draft.data(53), Some([DISCOVER | REQUEST])) {
                    draft.bootp.set_broadcast(true);
                }
                // What a client in RENEWING unicasts is routed past the relay agents (RFC 2131 section 4.3.6).
                let mut frame = match draft.unicast_by_holder() {
                    true => direct.build_in_exchange(draft),
                    false => edits.build_in_exchange(draft),
                };
                tag(&mut frame, &tags);
                frame
            }),
            choose,
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
                length: length.div_f64(self.time_scale),
                scale: self.time_scale,
            }),
            remembered: None,
        }
    }

    /// Runs the exchange, of one client or of many.
    pub fn run(&self, session: &mut Session, sink: &mut dyn Sink) -> Result<Outcome, Error> {
        let choose = self.choice()?;
        if self.send.dry_run {
            return self.dry_run(session, sink).map(Outcome::Ran);
        }
        if let Some(path) = &self.save_lease {
            writable(path)?;
        }
        if self.many() {
            Here::look(&self.link)?.spare_others(
                &self.link,
                self.send.force,
                "many clients there may use up a pool that others need",
            )?;
        }
        let mut link = session.open(&self.link, self.out.write.as_deref())?;
        if link.here.lab {
            sink.notice(&super::lab_notice(&self.link.interface));
        }
        let timeout = self.send.timeout.unwrap_or(Duration::from_secs(30));
        let mut host = Host::default().on(self.link.vlans());
        let mut edits = Vec::new();
        for index in 0..self.clients {
            edits.push(self.edits.for_client(index + 1, &self.link.vlan)?);
        }
        let identities: Vec<_> = (0..self.clients)
            .map(|index| {
                let identity = self.wishing(session.identity_of(index, &self.edits, &link.here));
                (identity, session.fork())
            })
            .collect();
        for (identity, _) in &identities {
            for address in self.edits.relays().addresses().chain(self.edits.giaddr()) {
                host.add(address, identity.source_mac);
            }
        }
        let mut witness = match self.many() {
            true => Witness::of_many(),
            false => Witness::default(),
        };
        let server = match identities.first() {
            Some((first, _)) => self.server_mac(first, &mut link, session, sink, &mut witness)?,
            None => None,
        };
        let mut clients = Vec::new();
        for (index, ((identity, chance), mut edits)) in
            identities.into_iter().zip(edits).enumerate()
        {
            if let Some(mac) = server {
                edits.default_field("Ether", "dst", FieldValue::Mac(mac));
            }
            let client = Client::new(
                self.config(identity, edits, choose.clone(), timeout),
                chance,
            );
            clients.push(Late::new(client, self.stagger * index as u32));
        }
        let mut fleet = Fleet::new(clients);
        let stopped = {
            let players: &mut [&mut dyn Player] = &mut [&mut fleet, &mut host];
            link.play(players, session, sink, &mut witness)?
        };
        let clients: Vec<&Client> = fleet.clients().collect();
        let mut about = Circumstances::of(&link.here, &self.link);
        if let Choose::Server(ip) = choose {
            about.chosen = Some(ip);
        }
        remarks(&clients, sink);
        if let [client] = &clients[..] {
            let ending = self.ending(client, stopped, &witness, &about)?;
            if client.took().is_some() && matches!(ending, Ending::NoReply(_)) {
                sink.notice("the lease that was held is over, and no other was given");
            }
            return Ok(Outcome::Ran(ending));
        }
        let results: Vec<ClientResult> = clients.into_iter().map(ClientResult::of).collect();
        let failed = results.iter().filter(|it| it.failed()).map(|it| it.mac);
        Ok(Outcome::Clients(Clients {
            interrupted: stopped && !fleet.done(),
            common: witness.common_causes(failed, &about),
            results,
        }))
    }

    /// Which offer to take: --server-id names the server, as --choose server=IP does. A DISCOVER has no place for it.
    fn choice(&self) -> Result<Choose, Error> {
        match (self.edits.option_address(54), &self.choose) {
            (None, choose) => Ok(choose.clone()),
            (Some(server), Choose::First) => Ok(Choose::Server(server)),
            (Some(server), Choose::Server(ip)) if *ip == server => Ok(Choose::Server(server)),
            (Some(server), _) => Err(Error::Usage(format!(
                "--server-id {server} takes the offer of that server, and --choose another: leave one of them out"
            ))),
        }
    }

    /// The client, and the address that it asks for in its DISCOVER.
    fn wishing(&self, who: Identity) -> Identity {
        Identity {
            address: self.edits.option_address(50),
            ..who
        }
    }

    /// Where the server is that relay agents forward to: `None` when they broadcast, or it does not say.
    fn server_mac(
        &self,
        who: &Identity,
        link: &mut OpenLink,
        session: &mut Session,
        sink: &mut dyn Sink,
        witness: &mut Witness,
    ) -> Result<Option<MacAddr>, Error> {
        let mut frame = self.edits.build_in_exchange(template::fresh(DISCOVER, who));
        tag(&mut frame, &self.link.vlan);
        if self.edits.sets("Ether", "dst") {
            return Ok(None);
        }
        resolve(&mut frame, None, link, session, sink, witness)?;
        let found = frame.ether().map(|it| it.dst);
        Ok(found.filter(|it| !it.is_broadcast()))
    }

    /// How it ended for one client.
    fn ending(
        &self,
        client: &Client,
        stopped: bool,
        witness: &Witness,
        about: &Circumstances,
    ) -> Result<Ending, Error> {
        let timeout = self.send.timeout.unwrap_or(Duration::from_secs(30));
        if let Some(ack) = client.lease() {
            self.save(ack)?;
        }
        Ok(match client.end() {
            Some(ClientEnd::Bound(_)) => Ending::Bound,
            Some(ClientEnd::Refused(_)) => Ending::Refused(witness.diagnosis(about)),
            Some(ClientEnd::Declined(address, mac)) => Ending::Declined {
                by: format!("{address} is at {mac}"),
                causes: witness.diagnosis(about),
            },
            Some(ClientEnd::NoOffer(_) | ClientEnd::NoAck) => {
                // Of the message that had no answer: the lease may have been renewed a hundred times before.
                let (tries, waited) = client.in_vain();
                Ending::NoReply(Silence {
                    waited,
                    tries,
                    causes: witness.diagnosis(about),
                })
            }
            None if stopped && client.lease().is_some() => Ending::Stopped,
            None if stopped => Ending::Interrupted,
            None => Ending::NoReply(witness.silence(timeout, about)),
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
        let identity = self.wishing(session.identity(&self.edits, &here));
        let edits = self.edits.for_client(1, &self.link.vlan)?;
        let mut frame = edits.build_in_exchange(template::fresh(DISCOVER, &identity));
        tag(&mut frame, &self.link.vlan);
        sink.notice("dry run: the DISCOVER only, because the REQUEST follows from an offer");
        let entry = session::built(1, frame, EPOCH);
        Built::new(self.out.write.as_deref())?.record(&entry)?;
        sink.entry(&entry)?;
        Ok(Ending::Done)
    }
}

/// Whether a file can be written later, found out before anything is sent. It is left as it is.
fn writable(path: &Path) -> Result<(), Error> {
    let there = std::fs::metadata(path);
    // A pipe's reader would take opening and closing it for all there is.
    if there.as_ref().is_ok_and(|it| !it.is_file() && !it.is_dir()) {
        return Ok(());
    }
    let mut options = std::fs::OpenOptions::new();
    let opened = options.append(true).create(true).open(path);
    opened.map_err(|it| Error::file(path, it))?;
    match there {
        Ok(_) => Ok(()),
        Err(_) => std::fs::remove_file(path).map_err(|it| Error::file(path, it)),
    }
}

/// What a person should know of leases that are not as they should be.
fn remarks(clients: &[&Client], sink: &mut dyn Sink) {
    let replaced: Vec<_> = clients.iter().filter_map(|it| it.replaced()).collect();
    if let [(asked, given), ..] = replaced[..] {
        let more = match replaced.len() {
            1 => String::new(),
            clients => format!(" (so for {clients} clients)"),
        };
        sink.notice(&format!(
            "the ACK gives {given} where {asked} was asked for: taken, because the ACK counts{more}"
        ));
    }
    let useless: u32 = clients.iter().map(|it| it.useless()).sum();
    if useless > 0 {
        let leases = match useless {
            1 => "a lease was".to_string(),
            leases => format!("{leases} leases were"),
        };
        sink.notice(&format!(
            "{leases} over before it could be used; asked again after 10 s (RFC 2131 section 3.1)"
        ));
    }
}
