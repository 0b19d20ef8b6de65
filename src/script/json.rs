//! Values as JSON, within bounds: a list may hold itself, or a hundred thousand lists in each other.

use starlark::environment::GlobalsBuilder;
use starlark::starlark_module;
use starlark::values::dict::DictRef;
use starlark::values::list::ListRef;
use starlark::values::structs::StructRef;
use starlark::values::tuple::TupleRef;
use starlark::values::{Heap, Value};

use super::{error, options};

/// How deep values nest in JSON; what reads it has the same limit.
const DEPTH: usize = 127;
/// How many values there may be.
const COUNT: usize = 1 << 20;

/// The value as JSON.
pub fn of(value: Value) -> Result<serde_json::Value, String> {
    let mut left = COUNT;
    match fits(value, DEPTH, &mut left) {
        true => value.to_json_value().map_err(|it| it.to_string()),
        false => Err("the value holds itself, or is too deep or too large".into()),
    }
}

fn fits(value: Value, depth: usize, left: &mut usize) -> bool {
    if depth == 0 || *left == 0 {
        return false;
    }
    *left -= 1;
    if let Some(list) = ListRef::from_value(value) {
        return list.iter().all(|it| fits(it, depth - 1, left));
    }
    if let Some(tuple) = TupleRef::from_value(value) {
        return tuple.iter().all(|it| fits(it, depth - 1, left));
    }
    if let Some(it) = StructRef::from_value(value) {
        return it.iter().all(|it| fits(it.1, depth - 1, left));
    }
    match DictRef::from_value(value) {
        Some(dict) => dict.iter().all(|it| fits(it.1, depth - 1, left)),
        // Values of other types hold no others.
        None => true,
    }
}

/// `json.encode`, `json.decode`.
#[starlark_module]
pub fn functions(builder: &mut GlobalsBuilder) {
    /// The value as JSON text.
    fn encode<'v>(#[starlark(require = pos)] x: Value<'v>) -> starlark::Result<String> {
        Ok(of(x).map_err(error)?.to_string())
    }

    /// The value that JSON text means.
    fn decode<'v>(
        #[starlark(require = pos)] x: &str,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        let json = serde_json::from_str(x).map_err(error)?;
        Ok(options::of_json(&json, heap))
    }
}
