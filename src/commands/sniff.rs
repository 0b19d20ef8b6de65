//! Watches a link and shows the frames as they come, those that other programs of this machine send included.

use std::time::Duration;

use clap::Args;

use super::Error;
use super::args::{GroupArgs, LinkArgs, OutArgs, parse_duration};
use super::diagnosis::Circumstances;
use super::group::Grouping;
use super::outcome::{Ending, Sink};
use super::session::Session;
use super::witness::Witness;
use crate::talk::{Player, Watch, vlans};

/// Arguments of `sniff`.
#[derive(Clone, Debug, Args)]
pub struct SniffArgs {
    #[command(flatten)]
    link: LinkArgs,
    /// Stop after this many frames
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// Stop after this long [default: at Ctrl-C]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    timeout: Option<Duration>,
    /// Show ARP and ICMP as well, not only BOOTP and DHCP
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    group: GroupArgs,
    #[command(flatten)]
    out: OutArgs,
}

impl SniffArgs {
    /// How to print.
    pub fn out(&self) -> &OutArgs {
        &self.out
    }

    /// Watches until enough was seen, the time is over, or the user stops it.
    pub fn run(&self, session: &mut Session, sink: &mut dyn Sink) -> Result<Ending, Error> {
        let mut link = session.open_to_watch(&self.link, self.out.write.as_deref())?;
        if link.here.lab {
            sink.notice(&super::lab_notice(&self.link.interface));
        }
        let (all, admits) = (self.all, session.admitter());
        let own = self.link.vlans();
        let wanted = move |frame: &crate::wire::Frame| {
            let here = own.is_empty() || vlans(frame) == own;
            here && (all || frame.bootp().is_some()) && admits(frame)
        };
        let mut watch = Watch::new(self.count, self.timeout, wanted);
        let mut witness = Witness::default();
        let players: &mut [&mut dyn Player] = &mut [&mut watch];
        let mut grouping = Grouping::new(sink, self.group);
        let played = link.play(players, session, &mut grouping, &mut witness);
        // What was seen before the link failed is told all the same.
        grouping.finish(Some(link.link().now()))?;
        let stopped = played?;
        // Without another end, Ctrl-C is how it ends.
        if stopped && self.count.is_none() && self.timeout.is_none() {
            session.resume();
            return Ok(Ending::Done);
        }
        Ok(match (stopped, self.count) {
            (true, _) => Ending::Interrupted,
            (false, Some(_)) if !watch.done() => Ending::NoReply(
                witness.silence(Duration::ZERO, &Circumstances::of(&link.here, &self.link)),
            ),
            _ => Ending::Done,
        })
    }
}
