//! What checks on a client have beside the language: running it, playing its server, and hearing it.

use starlark::environment::{Globals, GlobalsBuilder};
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::values::Value;
use starlark::values::list::UnpackList;
use starlark::values::none::NoneType;

use super::bench::Bench;
use super::client_bench::ClientBench;
use super::functions::{named_frames, time, with_bench};
use crate::commands::Error;
use crate::commands::subject::Act;
use crate::dhcp::Message;
use crate::script::error;
use crate::script::exchange::packet_of;
use crate::wire::Frame;

/// Everything that a check on a client can call.
pub fn globals() -> &'static Globals {
    static GLOBALS: std::sync::LazyLock<Globals> = std::sync::LazyLock::new(|| {
        crate::script::engine::builder()
            .with(super::functions::shared)
            .with(functions)
            .build()
    });
    &GLOBALS
}

/// Does something with the bench; an error of the link ends the run.
fn with_client<R>(
    eval: &Evaluator<'_, '_, '_>,
    act: impl FnOnce(&mut ClientBench) -> Result<R, Error>,
) -> starlark::Result<R> {
    with_bench(eval, |bench| match bench {
        Bench::Client(bench) => act(bench).map_err(|it| {
            let text = it.to_string();
            bench.desk.failed = Some(it);
            error(text)
        }),
        Bench::Server(_) => Err(error("this is for checks on a client")),
    })
}

fn act_named(name: &str) -> starlark::Result<Act> {
    Ok(match name {
        "start" => Act::Start,
        "restart" => Act::Restart,
        "release" => Act::Release,
        "inform" => Act::Inform,
        _ => return Err(error(format!("a client cannot be told to {name}"))),
    })
}

/// Whether a frame is one of those waited for: a message of one of the types (0 for one without), or an
/// ARP packet where `arp` says so.
fn is_wanted(frame: &Frame, types: &[i32], arp: bool) -> bool {
    match Message::of(frame) {
        Some(message) => {
            let kind = message.message_type().map_or(0, i32::from);
            message.bootp.op == 1 && types.contains(&kind)
        }
        None => arp && frame.arp().is_some(),
    }
}

#[starlark_module]
fn functions(builder: &mut GlobalsBuilder) {
    /// Tells the client to "start", "restart", "release" or "inform". False where nobody knows how to
    /// start it again.
    fn tell<'v>(
        #[starlark(require = pos)] act: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<bool> {
        let act = act_named(act)?;
        with_client(eval, |bench| bench.act(act))
    }

    /// Whether the client can be told so.
    fn can_tell<'v>(
        #[starlark(require = pos)] act: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<bool> {
        let act = act_named(act)?;
        with_client(eval, |bench| Ok(bench.knows(act)))
    }

    /// Whether a client is there that was not sent anything yet.
    fn is_fresh<'v>(eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<bool> {
        with_client(eval, |bench| Ok(bench.is_fresh()))
    }

    /// Why the client is not there any more, or None.
    fn why_gone<'v>(eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<Value<'v>> {
        let text = with_client(eval, |bench| Ok(bench.ended()))?;
        Ok(text.map_or(Value::new_none(), |it| eval.heap().alloc(it)))
    }

    /// Ends the client as when its machine is switched off.
    fn switch_off<'v>(eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<NoneType> {
        with_client(eval, |bench| bench.stop(false))?;
        Ok(NoneType)
    }

    /// The client's next message of one of these types that nobody waited for so far, or None when the
    /// seconds are over. With `arp` an ARP packet of its counts too.
    fn next_frame<'v>(
        #[starlark(require = pos)] length: Value<'v>,
        #[starlark(require = pos)] types: UnpackList<i32>,
        #[starlark(default = false)] arp: bool,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let length = time(length)?.unwrap_or_default();
        let types = types.items;
        let found = with_client(eval, |bench| {
            bench.wait(length, move |frame| is_wanted(frame, &types, arp))
        })?;
        Ok(found.map_or(Value::new_none(), |it| eval.heap().alloc(packet_of(&it))))
    }

    /// Everything that the client has sent since it began.
    fn all_heard<'v>(eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<Value<'v>> {
        let all = with_client(eval, |bench| {
            Ok(bench.heard().iter().map(packet_of).collect::<Vec<_>>())
        })?;
        let heap = eval.heap();
        let all: Vec<Value> = all.into_iter().map(|it| heap.alloc(it)).collect();
        Ok(heap.alloc(all))
    }

    /// Sends packets and gives the time.
    fn transmit<'v>(
        #[starlark(require = pos)] x: Value<'v>,
        #[starlark(default = "")] note: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<f64> {
        let frames = named_frames(x, note)?;
        let at = with_client(eval, |bench| bench.send(frames))?;
        Ok(at.0 as f64 / 1e9)
    }

    /// What the link's clock says, in seconds.
    fn clock<'v>(eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<f64> {
        let now = with_client(eval, |bench| Ok(bench.desk.now()))?;
        Ok(now.0 as f64 / 1e9)
    }

    /// Whether the clock is virtual, so that waiting costs nothing.
    fn is_virtual<'v>(eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<bool> {
        with_client(eval, |bench| Ok(bench.desk.is_virtual()))
    }

    /// Has somebody else own an address, who answers ARP for it until the client begins again.
    fn claim<'v>(
        #[starlark(require = pos)] ip: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        let ip = ip.parse().map_err(|_| error("no IPv4 address"))?;
        with_client(eval, |bench| {
            bench.claim(ip);
            Ok(())
        })?;
        Ok(NoneType)
    }

    /// Begins a scene that several checks rest on. False where it was played already; what ended it early
    /// ends this check too.
    fn begins_scene<'v>(
        #[starlark(require = pos)] name: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<bool> {
        let begun = with_client(eval, |bench| Ok(bench.scene(name)))?;
        begun.or_else(|stop| {
            with_client(eval, |bench| {
                bench.desk.stop = Some(stop);
                Ok(())
            })?;
            Err(error("the scene came to nothing"))
        })
    }

    /// The scene under way is over.
    fn ends_scene<'v>(eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<NoneType> {
        with_client(eval, |bench| {
            bench.curtain();
            Ok(())
        })?;
        Ok(NoneType)
    }
}
