//! Packets judged by the rules of the RFCs.

use starlark::environment::GlobalsBuilder;
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::values::Value;

use super::exchange::Exchange;
use super::options::of_json;
use super::packet_methods::entry;
use super::send::packets;
use crate::commands::lint;
use crate::commands::outcome::Entry;
use crate::view::finding_json;

/// Adds the function.
#[starlark_module]
pub fn functions(builder: &mut GlobalsBuilder) {
    /// What the RFCs say against a packet, a list of them taken as one exchange, or an exchange: a list, a
    /// dictionary with `rule`, `severity`, `rfc`, `frame`, `place`, `offset`, `found` and `wants` each.
    fn lint<'v>(
        #[starlark(require = pos)] x: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let heap = eval.heap();
        let mut entries: Vec<Entry> = match Exchange::from_value(x) {
            Some(exchange) => exchange.entries().to_vec(),
            None => packets(x)?.iter().map(entry).collect(),
        };
        for (entry, number) in entries.iter_mut().zip(1..) {
            entry.number = number;
        }
        let found = lint::findings(&entries);
        let found = found.iter().map(|it| of_json(&finding_json(it), heap));
        let found: Vec<Value> = found.collect();
        Ok(heap.alloc(found))
    }
}
