//! Rules about frames in their relation to those before them.

use std::net::Ipv4Addr;

use super::Report;
use super::exchange::{Asked, Exchange, Memory, PENDING};
use super::reply::from_relay;
use super::seen::{Hardware, Seen, Vlans};
use crate::dhcp::enums::*;
use crate::dhcp::{assign, options};
use crate::wire::{Bootp, SERVER_PORT};

/// The text of an option's data, shortened.
fn text(code: u8, data: &[u8]) -> String {
    let text = assign::format(code, data);
    let value = text.split_once('=').map_or("", |it| it.1);
    match value.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_string(),
    }
}

/// What the client asked, and the exchange that a message of a client goes on with.
fn before<'a>(seen: &Seen<'a>, memory: &'a Memory) -> Option<(&'a Bootp, &'a Exchange)> {
    let bootp = seen.asks()?;
    Some((bootp, memory.exchange(bootp)?))
}

/// A REQUEST that chooses an offer, the server chosen, and the exchange.
fn choice<'a>(seen: &Seen<'a>, memory: &'a Memory) -> Option<(Ipv4Addr, &'a Exchange)> {
    let (bootp, exchange) = before(seen, memory)?;
    let chooses = seen.kind == Some(REQUEST) && bootp.ciaddr.is_unspecified();
    let server = seen.address(54).filter(|_| chooses)?;
    Some((server, exchange))
}

pub(super) fn xid_shared(seen: &Seen, memory: &Memory, report: &mut Report) {
    let own_xid = [DISCOVER, REQUEST, INFORM];
    let Some(bootp) = seen.is(&own_xid).filter(|it| it.op == 1) else {
        return;
    };
    let own = Hardware::of(bootp);
    if let Some((other, frame, at)) = memory.xid(bootp.xid)
        && *other != own
        && seen.at.saturating_sub(*at) < PENDING
    {
        let found = format!("{:#010x}, which {other} uses in frame {frame}", bootp.xid);
        report.field("BOOTP", "xid", found);
    }
}

pub(super) fn xid_reused(seen: &Seen, memory: &Memory, report: &mut Report) {
    let Some((bootp, exchange)) = before(seen, memory) else {
        return;
    };
    if seen.kind == Some(DISCOVER)
        && let Some(answer) = exchange.answers.last()
    {
        let (xid, frame) = (bootp.xid, answer.frame);
        let found = format!("{xid:#010x}, of the exchange that frame {frame} ended");
        report.field("BOOTP", "xid", found);
    }
}

pub(super) fn request_xid(seen: &Seen, memory: &Memory, report: &mut Report) {
    let Some(bootp) = seen
        .is(&[REQUEST])
        .filter(|it| it.op == 1 && it.ciaddr.is_unspecified())
    else {
        return;
    };
    let (Some(server), Some(wanted)) = (seen.address(54), seen.address(50)) else {
        return;
    };
    let known = memory
        .exchange(bootp)
        .is_some_and(|it| it.offer(server).is_some());
    let offers = memory.client(bootp).map_or(&[][..], |it| &it.offers);
    let offer = offers.iter().rev().find(|(_, it)| {
        it.server == server && it.yiaddr == wanted && seen.at.saturating_sub(it.at) < PENDING
    });
    if let (Some((xid, offer)), false) = (offer, known) {
        let found = format!(
            "{:#010x}, the OFFER in frame {} has {xid:#010x}",
            bootp.xid, offer.frame
        );
        report.field("BOOTP", "xid", found);
    }
}

pub(super) fn request_secs(seen: &Seen, memory: &Memory, report: &mut Report) {
    let Some((_, exchange)) = choice(seen, memory) else {
        return;
    };
    // The offer followed on the DISCOVER whose secs count: of several, any one.
    if let (Some(bootp), Some(discover), Some(last)) = (
        seen.bootp(),
        &exchange.discover,
        exchange.asked_as(DISCOVER),
    ) && bootp.giaddr == last.giaddr
        && ![discover.secs, last.secs].contains(&bootp.secs)
    {
        let found = format!(
            "{}, the DISCOVER in frame {} has {}",
            bootp.secs, last.frame, last.secs
        );
        report.field("BOOTP", "secs", found);
    }
}

pub(super) fn client_id_kept(seen: &Seen, memory: &Memory, report: &mut Report) {
    let Some((_, exchange)) = before(seen, memory) else {
        return;
    };
    let Some(first) = exchange
        .discover
        .as_ref()
        .filter(|it| it.options.whole && seen.whole)
    else {
        return;
    };
    let (was, is) = (first.options.data(61), seen.data(61));
    if was != is {
        let said = |it: Option<&[u8]>| it.map_or("none".into(), |it| text(61, it));
        let found = format!(
            "{}, the DISCOVER in frame {} has {}",
            said(is),
            first.frame,
            said(was)
        );
        report.option(61, found);
    }
}

pub(super) fn request_list_kept(seen: &Seen, memory: &Memory, report: &mut Report) {
    let Some((_, exchange)) = choice(seen, memory) else {
        return;
    };
    let first = exchange.discover.as_ref().filter(|_| seen.whole);
    if let Some(first) = first
        && let Some(list) = first.options.data(55)
        && seen.data(55) != Some(list)
    {
        let is = seen
            .data(55)
            .map_or("missing".into(), |it| format!("{} options", it.len()));
        let found = format!(
            "{is}, the DISCOVER in frame {} lists {}",
            first.frame,
            list.len()
        );
        report.option(55, found);
    }
}

pub(super) fn request_address(seen: &Seen, memory: &Memory, report: &mut Report) {
    let Some((server, exchange)) = choice(seen, memory) else {
        return;
    };
    if let (Some(offer), Some(wanted)) = (exchange.offer(server), seen.address(50))
        && offer.yiaddr != wanted
    {
        let found = format!(
            "{wanted}, {server} offers {} in frame {}",
            offer.yiaddr, offer.frame
        );
        report.option(50, found);
    }
}

/// A reply to a client of which no message under this xid was seen.
fn unmatched<'a>(seen: &Seen<'a>, memory: &Memory) -> Option<&'a Bootp> {
    let bootp = seen.replies()?;
    memory.exchange(bootp).is_none().then_some(bootp)
}

pub(super) fn reply_chaddr(seen: &Seen, memory: &Memory, report: &mut Report) {
    if let Some(bootp) = unmatched(seen, memory)
        && let Some((other, frame, at)) = memory.xid(bootp.xid)
        && seen.at.saturating_sub(*at) < PENDING
    {
        let own = Hardware::of(bootp);
        let found = format!("{own}, under this xid {other} asks in frame {frame}");
        report.field("BOOTP", "chaddr", found);
    }
}

pub(super) fn reply_xid(seen: &Seen, memory: &Memory, report: &mut Report) {
    // A client that says it has just begun (secs 0) waits for nothing but what was seen.
    if let Some(bootp) = unmatched(seen, memory)
        && let Some((xid, asked)) = memory.client(bootp).and_then(|it| it.pending.as_ref())
        && asked.secs == 0
        && memory.xid(bootp.xid).is_none()
        && seen.at.saturating_sub(asked.at) < PENDING
    {
        let found = format!(
            "{:#010x}, frame {} asks with {xid:#010x}",
            bootp.xid, asked.frame
        );
        report.field("BOOTP", "xid", found);
    }
}

pub(super) fn reply_giaddr(seen: &Seen, memory: &Memory, report: &mut Report) {
    let Some(bootp) = seen.replies() else {
        return;
    };
    // From a relay agent to the client it may be what the server put there; an INFORM is answered past it.
    let last = memory.exchange(bootp).and_then(Exchange::last);
    if let (Some(asked), None) = (last, memory.asked(seen))
        && !from_relay(seen)
        && asked.kind != INFORM
        && asked.giaddr != bootp.giaddr
    {
        let found = format!(
            "{}, frame {} has {}",
            bootp.giaddr, asked.frame, asked.giaddr
        );
        report.field("BOOTP", "giaddr", found);
    }
}

/// A reply, its header, and the message that it answers.
fn answered<'a>(seen: &Seen<'a>, memory: &'a Memory) -> Option<(&'a Bootp, &'a Asked)> {
    let bootp = seen.replies()?;
    let asked = memory.asked(seen)?;
    let fits = match seen.kind {
        Some(OFFER) => asked.kind == DISCOVER,
        Some(ACK) => matches!(asked.kind, DISCOVER | REQUEST | INFORM),
        _ => asked.kind == REQUEST,
    };
    fits.then_some((bootp, asked))
}

pub(super) fn reply_flags(seen: &Seen, memory: &Memory, report: &mut Report) {
    // In a NAK to a relay agent the server sets the flag itself (section 4.3.2).
    if let Some((bootp, asked)) = answered(seen, memory)
        && seen.kind != Some(NAK)
        && bootp.flags != asked.flags
    {
        let found = format!(
            "{:#06x}, frame {} has {:#06x}",
            bootp.flags, asked.frame, asked.flags
        );
        report.field("BOOTP", "flags", found);
    }
}

pub(super) fn client_id_echo(seen: &Seen, memory: &Memory, report: &mut Report) {
    if let Some((_, asked)) = answered(seen, memory)
        && let (Some(was), None) = (asked.options.data(61), seen.data(61))
        && seen.whole
    {
        let found = format!("missing, frame {} has {}", asked.frame, text(61, was));
        report.option(61, found);
    }
}

pub(super) fn client_id_differs(seen: &Seen, memory: &Memory, report: &mut Report) {
    let Some((_, asked)) = answered(seen, memory).filter(|it| it.1.options.whole) else {
        return;
    };
    let was = asked.options.data(61);
    if let Some(is) = seen.data(61).filter(|is| was != Some(is)) {
        let was = was.map_or("none".into(), |it| text(61, it));
        report.option(
            61,
            format!("{}, frame {} has {was}", text(61, is), asked.frame),
        );
    }
}

/// An option's data; `None` where there is no such option.
type Data<'a> = Option<&'a [u8]>;

/// What a reply to a relay agent makes of option 82: the one asked with, and the one echoed.
fn relay_info<'a>(seen: &'a Seen, memory: &'a Memory) -> Option<(&'a Asked, Data<'a>, Data<'a>)> {
    let (_, asked) = answered(seen, memory)?;
    let known = asked.options.whole && seen.whole && !from_relay(seen);
    known.then(|| (asked, asked.options.data(82), seen.data(82)))
}

pub(super) fn relay_info_echo(seen: &Seen, memory: &Memory, report: &mut Report) {
    if let Some((asked, Some(_), None)) = relay_info(seen, memory) {
        report.option(82, format!("missing, frame {} has it", asked.frame));
    }
}

pub(super) fn relay_info_differs(seen: &Seen, memory: &Memory, report: &mut Report) {
    match relay_info(seen, memory) {
        Some((asked, Some(was), Some(is))) if was != is => {
            let (was, is) = (text(82, was), text(82, is));
            report.option(82, format!("{is}, frame {} has {was}", asked.frame));
        }
        Some((asked, None, Some(_))) => {
            report.option(82, format!("frame {} has none", asked.frame));
        }
        _ => {}
    }
}

pub(super) fn unselected_server(seen: &Seen, memory: &Memory, report: &mut Report) {
    if let Some((_, asked)) = answered(seen, memory)
        && matches!(seen.kind, Some(ACK | NAK))
        && asked.kind == REQUEST
        && let (Some(chosen), Some(server)) = (asked.options.address(54), seen.address(54))
        && chosen != server
    {
        report.option(
            54,
            format!("{server}, frame {} chooses {chosen}", asked.frame),
        );
    }
}

pub(super) fn ack_address(seen: &Seen, memory: &Memory, report: &mut Report) {
    if let Some((bootp, asked)) = answered(seen, memory)
        && seen.kind == Some(ACK)
        && asked.kind == REQUEST
        && let Some(wanted) = asked.wanted()
        && bootp.yiaddr != wanted
    {
        let found = format!("{}, frame {} asks for {wanted}", bootp.yiaddr, asked.frame);
        report.field("BOOTP", "yiaddr", found);
    }
}

/// Options that say something of the message, not of the client's parameters; and those of a lease,
/// which runs on between the two.
const NO_PARAMETER: &[u8] = &[51, 52, 53, 54, 55, 56, 57, 58, 59, 61, 80, 82, 90];

pub(super) fn ack_and_offer(seen: &Seen, memory: &Memory, report: &mut Report) {
    let Some((bootp, asked)) = answered(seen, memory) else {
        return;
    };
    if seen.kind != Some(ACK) || asked.kind != REQUEST {
        return;
    }
    let chosen = asked
        .options
        .address(54)
        .filter(|it| seen.address(54) == Some(*it));
    let offer = chosen.and_then(|it| memory.exchange(bootp)?.offer(it));
    let Some(offer) = offer.filter(|_| seen.whole) else {
        return;
    };
    for it in seen
        .options
        .iter()
        .filter(|it| !NO_PARAMETER.contains(&it.code))
    {
        if let Some(was) = offer.options.data(it.code)
            && was != &*it.data
        {
            let (is, was) = (text(it.code, &it.data), text(it.code, was));
            report.option(
                it.code,
                format!("{is}, the OFFER in frame {} has {was}", offer.frame),
            );
        }
    }
    if let (Some(is), Some(was)) = (seen.seconds(51), offer.options.address(51).map(u32::from)) {
        // What is left of a lease may be a little less.
        let elapsed = seen.at.saturating_sub(offer.at).as_secs() as u32;
        if is.abs_diff(was) > elapsed.saturating_add(2) {
            let found = format!("{is} s, the OFFER in frame {} has {was} s", offer.frame);
            report.option(51, found);
        }
    }
}

pub(super) fn ack_and_nak(seen: &Seen, memory: &Memory, report: &mut Report) {
    let Some((bootp, _)) = answered(seen, memory).filter(|_| !from_relay(seen)) else {
        return;
    };
    let Some(kind @ (ACK | NAK)) = seen.kind else {
        return;
    };
    let answers = memory.exchange(bootp).map_or(&[][..], |it| &it.answers);
    if let Some(other) = answers.iter().find(|it| it.kind != kind) {
        let name = options::by_code(54).name;
        let who = other
            .server
            .map_or(String::new(), |it| format!(" from {name} {it}"));
        let was = if other.kind == ACK { "an ACK" } else { "a NAK" };
        report.option(53, format!("frame {} is {was}{who}", other.frame));
    }
}

pub(super) fn lease_time(seen: &Seen, memory: &Memory, report: &mut Report) {
    let Some(bootp) = seen.is(&[OFFER, ACK]).filter(|_| seen.whole) else {
        return;
    };
    let informed = memory.asked(seen).is_some_and(|it| it.kind == INFORM);
    if seen.option(51).is_none() && !informed && !bootp.yiaddr.is_unspecified() {
        report.option(51, format!("missing, and {} is given", bootp.yiaddr));
    }
}

pub(super) fn inform_lease(seen: &Seen, memory: &Memory, report: &mut Report) {
    let Some((bootp, asked)) = answered(seen, memory).filter(|it| it.1.kind == INFORM) else {
        return;
    };
    for code in [51, 58, 59]
        .into_iter()
        .filter(|it| seen.option(*it).is_some())
    {
        report.option(
            code,
            format!("in the ACK to the INFORM in frame {}", asked.frame),
        );
    }
    if !bootp.yiaddr.is_unspecified() {
        report.field(
            "BOOTP",
            "yiaddr",
            format!("{} in the ACK to an INFORM", bootp.yiaddr),
        );
    }
}

pub(super) fn ack_delivery(seen: &Seen, memory: &Memory, report: &mut Report) {
    let Some((bootp, asked)) = answered(seen, memory) else {
        return;
    };
    let Some(ip) = seen.ip().filter(|_| seen.kind == Some(ACK)) else {
        return;
    };
    let direct = bootp.giaddr.is_unspecified() && asked.giaddr.is_unspecified();
    let everybody = ip.dst == Ipv4Addr::BROADCAST;
    let flag = asked.flags & Bootp::BROADCAST != 0;
    let found = match asked.ciaddr {
        _ if !direct => return,
        none if none.is_unspecified() => match (flag, everybody) {
            (true, false) => format!("{}, and the broadcast flag is set", ip.dst),
            (false, false) if ip.dst != bootp.yiaddr && !bootp.yiaddr.is_unspecified() => {
                format!("{}, and yiaddr is {}", ip.dst, bootp.yiaddr)
            }
            _ => return,
        },
        ciaddr if ip.dst != ciaddr => format!("{}, and the client has {ciaddr}", ip.dst),
        _ => return,
    };
    report.field("IP", "dst", found);
}

pub(super) fn max_size(seen: &Seen, memory: &Memory, report: &mut Report) {
    let Some((_, asked)) = answered(seen, memory).filter(|it| it.1.options.whole) else {
        return;
    };
    let limit = match asked.options.data(57) {
        Some(&[a, b]) => usize::from(u16::from_be_bytes([a, b])).max(576),
        _ => 576,
    };
    let headers = seen.ip().map_or(20, |it| 20 + it.options.len()) + 8;
    let len = headers + seen.message_len();
    if seen.whole && len > limit {
        report.field(
            "IP",
            "len",
            format!("{len} bytes, frame {} takes {limit}", asked.frame),
        );
    }
}

pub(super) fn leased_twice(seen: &Seen, memory: &Memory, report: &mut Report) {
    let Some(bootp) = seen.is(&[OFFER, ACK]) else {
        return;
    };
    let (Some(server), Some(who)) = (seen.address(54), memory.identity(seen)) else {
        return;
    };
    if let Some(holder) = memory.holder(who.vlans, bootp.yiaddr)
        && holder.bound
        && holder.server == server
        && holder.until.is_none_or(|until| until > seen.at)
        && holder.who.differs(&who)
    {
        let (ip, other) = (bootp.yiaddr, &holder.who.hardware);
        let found = format!("{ip}, leased to {other} in frame {}", holder.frame);
        report.field("BOOTP", "yiaddr", found);
    }
}

pub(super) fn offered_twice(seen: &Seen, memory: &Memory, report: &mut Report) {
    let Some(bootp) = seen.is(&[OFFER]) else {
        return;
    };
    let (Some(server), Some(who)) = (seen.address(54), memory.identity(seen)) else {
        return;
    };
    if let Some(holder) = memory.holder(who.vlans, bootp.yiaddr)
        && !holder.bound
        && holder.server == server
        && holder.until.is_some_and(|until| until > seen.at)
        && holder.who.differs(&who)
    {
        let (ip, other) = (bootp.yiaddr, &holder.who.hardware);
        let found = format!("{ip}, offered to {other} in frame {}", holder.frame);
        report.field("BOOTP", "yiaddr", found);
    }
}

pub(super) fn release_unknown(seen: &Seen, memory: &Memory, report: &mut Report) {
    let Some(bootp) = seen.is(&[RELEASE, DECLINE]).filter(|it| it.op == 1) else {
        return;
    };
    let ip = match seen.kind {
        Some(RELEASE) => Some(bootp.ciaddr),
        _ => seen.address(50),
    };
    let relayed = seen.udp().is_some_and(|it| it.sport == SERVER_PORT);
    if let (Some(ip), Some(server), false) = (ip, seen.address(54), relayed)
        && let Some(holder) = memory.holder(Vlans::of(seen.frame), ip)
        && holder.who.hardware == Hardware::of(bootp)
        && holder.server != server
    {
        let found = format!(
            "{server}, {ip} is from {} (frame {})",
            holder.server, holder.frame
        );
        report.option(54, found);
    }
}
