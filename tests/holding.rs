//! A lease that is held (`dora --hold`), as the user of the program sees it.

#[path = "support/tool.rs"]
#[allow(dead_code)]
mod tool;

use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use tool::tool as run;

/// A file of rules for the lab's server, and the link that it makes.
fn lab(name: &str, rules: &str) -> String {
    let file = scratch(&format!("{name}.star"));
    std::fs::write(&file, rules).expect("a file");
    format!("lab:{}", file.display())
}

fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("holding-{name}"))
}

/// A server that leaves a client in RENEWING alone.
const REBINDS: &str = "def on_request(req):\n    return None if client_state(req) == 'renewing' else answer(req)\n";

/// The REQUESTs of a client that holds an address.
fn renewals(lines: &[Json]) -> Vec<&Json> {
    let holds = |it: &&Json| {
        it["message"]["type"] == "REQUEST" && it["message"]["ciaddr"] != "0.0.0.0"
    };
    lines.iter().filter(holds).collect()
}

fn field<'a>(frame: &'a Json, layer: &str, name: &str) -> &'a Json {
    let layers = frame["layers"].as_array().expect("layers");
    let found = layers.iter().find(|it| it["layer"] == layer);
    &found.unwrap_or_else(|| panic!("no {layer} in {frame}"))[name]
}

fn has_relay_info(frame: &Json) -> bool {
    let options = frame["options"].as_array().expect("options");
    options.iter().any(|it| it["code"] == 82)
}

#[test]
fn a_renewal_passes_the_relay_agent_and_rebinding_goes_through_it() {
    let link = lab("rebinds", REBINDS);
    for agent in [
        &["--relay", "198.51.100.1,circuit-id=x"][..],
        &["--giaddr", "198.51.100.1", "--relay-info", "circuit-id=x"],
    ] {
        let mut args = vec!["dora", "-i", &link, "--hold", "1h", "--json"];
        args.extend(agent);
        let lines = run(&args).succeeded().json();
        let sent = renewals(&lines);
        let (renewing, rebinding): (Vec<&Json>, Vec<&Json>) = sent
            .into_iter()
            .partition(|it| field(it, "IP", "dst") == "192.0.2.1");
        assert!(!renewing.is_empty(), "{agent:?}");
        for it in renewing {
            assert_eq!(it["message"]["ciaddr"], "198.51.100.100");
            assert_eq!(it["message"]["giaddr"], "0.0.0.0", "{it}");
            assert_eq!(field(it, "IP", "src"), "198.51.100.100");
            assert_eq!(field(it, "UDP", "sport"), 68);
            assert!(!has_relay_info(it), "{it}");
        }
        // Only the one at T2 is answered.
        let [once] = rebinding[..] else {
            panic!("{rebinding:?}");
        };
        assert_eq!(once["message"]["giaddr"], "198.51.100.1");
        assert_eq!(field(once, "UDP", "sport"), 67);
        assert!(has_relay_info(once), "{once}");
    }
}
