//! Rules of a server in the language, and the scripts in `samples/` that play a part each.

#[path = "support/tool.rs"]
#[allow(dead_code)]
mod tool;

use std::path::Path;
use std::time::{Duration, Instant};

use dhcpcraft::talk::{FAULTS, checksum_fault};
use dhcpcraft::wire::Frame;
use serde_json::Value as Json;
use tool::{Run, tool as run};

fn lab(rules: &str, name: &str) -> Run {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("rules-{name}.star"));
    std::fs::write(&file, rules).expect("a file");
    run(&[
        "dora",
        "--json",
        "--seed",
        "1",
        "-i",
        &format!("lab:{}", file.display()),
    ])
}

#[test]
fn a_rule_decides_and_the_server_does_the_rest() {
    let rules =
        "def on_discover(req):\n    return offer(req, yiaddr='192.0.2.150', lease_time='10m')\n";
    let run = lab(rules, "offer").succeeded();
    assert!(run.out.contains("192.0.2.150"), "{}", run.out);
}

#[test]
fn a_rule_can_refuse_be_silent_and_remember() {
    let rules = "seen = {}\ndef on_discover(req):\n    seen[1] = seen.get(1, 0) + 1\n    return answer(req) if seen[1] > 1 else None\ndef on_request(req):\n    return nak(req) if client_state(req) == 'selecting' else None\n";
    let run = lab(rules, "nak");
    assert_eq!(run.code, Some(4), "{run:?}");
    assert!(run.json().len() >= 5, "{}", run.out);
}

/// The messages of a run: type and yiaddr of each.
fn messages(run: &Run) -> Vec<(String, String)> {
    let text = |it: &Json| it.as_str().unwrap_or_default().to_string();
    let all = run.json().into_iter().map(|it| it["message"].clone());
    let all = all.filter(|it| it.is_object());
    all.map(|it| (text(&it["type"]), text(&it["yiaddr"])))
        .collect()
}

#[test]
fn an_address_that_a_rule_offers_is_acknowledged_by_the_server_whatever_pool_it_is_of() {
    for given in ["192.0.2.7", "10.77.9.9"] {
        let rules = format!("def on_discover(req):\n    return offer(req, yiaddr='{given}')\n");
        let run = lab(&rules, "out-of-pool").succeeded();
        let got = messages(&run);
        let got: Vec<_> = got.iter().filter(|it| it.1 != "0.0.0.0").collect();
        assert_eq!(got.len(), 2, "{got:?}");
        assert!(got.iter().all(|it| it.1 == given), "{got:?}");
    }
}

#[test]
fn a_fault_of_several_messages_is_no_rules() {
    for fault in ["reorder", "nak-renewal"] {
        let rules = format!("def on_request(req):\n    return fault('{fault}', answer(req))\n");
        lab(&rules, fault).failed(1, &[fault, "serve --fault"]);
    }
}

#[test]
fn a_rule_moves_options_and_spoils_those_that_were_moved() {
    let rules = "def on_request(req):\n    moved = fault('overload', answer(req))[0]\n    return fault('tiny-lease=4', moved)\n";
    let run = lab(rules, "moved").succeeded();
    let acks = run
        .json()
        .into_iter()
        .filter(|it| it["message"]["type"] == "ACK");
    let acks: Vec<_> = acks.collect();
    let options = acks[0]["options"].as_array().expect("options");
    let value = |code: u64| options.iter().find(|it| it["code"] == code);
    assert_eq!(value(52).expect("overload")["value"], "both", "{options:?}");
    assert_eq!(value(51).expect("a lease time")["value"], 4, "{options:?}");
    assert!(
        options.iter().any(|it| it["place"] == "file"),
        "{options:?}"
    );
}

#[test]
fn a_rule_that_fails_ends_the_run() {
    let run = lab("def on_discover(req):\n    return req.nonsense\n", "error");
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.err.contains("no attribute `nonsense`"), "{}", run.err);
    lab("def on_discovr(req):\n    return None\n", "name").failed(2, &["on_discover"]);
}

#[test]
fn ten_clients_behind_a_relay_agent_hold_ten_leases_and_give_them_back() {
    let file = tool::scratch("relay-sample").join("all.star");
    let sample = std::fs::read_to_string("samples/relay.star").expect("the sample");
    // Once more: what was given back is given again.
    let again = "\nagain = dora(mac='02:00:5e:10:01:ff', relay=giaddr, server=to)\nprint('again', again.reply.yiaddr)\n";
    std::fs::write(&file, sample + again).expect("a file");
    let done = run(&["run", tool::text(&file)]).succeeded();
    let mut given: Vec<&str> = done
        .out
        .lines()
        .filter_map(|it| it.split(' ').nth(1))
        .collect();
    assert_eq!(given.pop(), Some("198.51.100.100"), "{done:?}");
    let wanted: Vec<String> = (100..110).map(|it| format!("198.51.100.{it}")).collect();
    assert_eq!(given, wanted);
}

#[test]
fn the_scripts_of_each_role_run() {
    for (script, link, says) in [
        ("client", "lab", "192.0.2.100 for 3600 s"),
        ("client", "lab:taken", "belongs to"),
        ("relay", "lab", "ge-0/0/10"),
    ] {
        let done = run(&["run", "-i", link, &format!("samples/{script}.star")]).succeeded();
        assert!(done.out.contains(says), "{script}: {done:?}");
    }
}

/// A run's messages of a type.
fn of_type(run: &Run, kind: &str) -> Vec<Json> {
    let all = run.json().into_iter();
    all.filter(|it| it["message"]["type"] == kind).collect()
}

/// What stands under an option's code, each time.
fn option(message: &Json, code: u64) -> Vec<&Json> {
    let all = message["options"].as_array().expect("options").iter();
    all.filter(|it| it["code"] == code)
        .map(|it| &it["value"])
        .collect()
}

#[test]
fn the_sample_of_a_server_sleeps_delays_and_renumbers() {
    let rules = "lab:samples/server.star";
    let run = run(&["dora", "--json", "--seed", "1", "--hold", "6m", "-i", rules]).succeeded();
    let kinds: Vec<String> = messages(&run).into_iter().map(|it| it.0).collect();
    // Asleep at the first DISCOVER; at T1 of ten minutes the lease is refused, and the client begins again.
    let round = ["DISCOVER", "OFFER", "REQUEST", "ACK"];
    let wanted = [&["DISCOVER"], &round[..], &["REQUEST", "NAK"], &round].concat();
    assert_eq!(kinds, wanted);
    let since = |it: &Json| it["since"].as_f64().expect("a time");
    let requests = of_type(&run, "REQUEST");
    for (ack, request) in of_type(&run, "ACK")
        .iter()
        .zip([&requests[0], &requests[2]])
    {
        let later = since(ack) - since(request);
        assert!((0.2..0.21).contains(&later), "{later} s after the REQUEST");
        assert_eq!(option(ack, 51), [600]);
    }
    let nak = &of_type(&run, "NAK")[0];
    assert_eq!(option(nak, 56), ["renumbered, begin again"]);
    let pxe = [
        "discover",
        "--json",
        "--vendor-class",
        "PXEClient",
        "--tries",
        "2",
        "--timeout",
        "20s",
        "-i",
        rules,
    ];
    let offers = of_type(&tool::tool(&pxe).succeeded(), "OFFER");
    let bootp = offers[0]["layers"]
        .as_array()
        .expect("layers")
        .iter()
        .find(|it| it["layer"] == "BOOTP");
    let bootp = bootp.expect("a BOOTP layer");
    assert_eq!(
        (&bootp["siaddr"], &bootp["file"]),
        (&"192.0.2.9".into(), &"pxelinux.0".into())
    );
}

#[test]
fn the_sample_of_a_broken_server_gets_worse_with_every_lease() {
    let directory = tool::scratch("broken-server");
    let file = |n: usize| directory.join(format!("{n}.pcapng"));
    let script = directory.join("ask.star");
    let text = "for n in range(5):\n    request(mac='02:00:5e:10:00:0%d' % n, requested_ip='192.0.2.10%d' % n, server_id='192.0.2.1', wait=True, timeout=1, write=argv[0] + '/%d.pcapng' % n)\n";
    std::fs::write(&script, text).expect("a file");
    let args = [
        "-i",
        "lab:samples/broken-server.star",
        tool::text(&script),
        tool::text(&directory),
    ];
    run(&[&["run"], &args[..]].concat()).succeeded();
    let acks: Vec<Vec<Json>> = (0..5)
        .map(|n| of_type(&run(&["show", "--json", tool::text(&file(n))]), "ACK"))
        .collect();
    let counts: Vec<usize> = acks.iter().map(Vec::len).collect();
    assert_eq!(counts, [2, 1, 1, 1, 1]);
    assert_eq!(acks[0][0]["hex"], acks[0][1]["hex"], "twice the same");
    let whole = |it: &Json| option(it, 51) == [3600] && option(it, 54) == ["192.0.2.1"];
    let fine = [
        whole(&acks[0][0]),
        whole(&acks[1][0]),
        whole(&acks[2][0]),
        whole(&acks[3][0]),
    ];
    assert_eq!(fine, [true, false, false, true]);
    assert!(
        [51, 58, 59]
            .iter()
            .all(|it| option(&acks[1][0], *it).is_empty())
    );
    assert_eq!(option(&acks[2][0], 54), ["192.0.2.254"]);
    let spoiled = acks[3][0]["comment"].as_str().unwrap_or_default();
    assert!(spoiled.contains("UDP checksum"), "{spoiled}");
    assert_eq!(acks[4][0]["hex"].as_str().expect("hex").len(), 2 * 300);
}

/// The replies that a run saw, as they came.
fn replies(run: &Run) -> Vec<Frame> {
    let all = run.json().into_iter();
    let received = all.filter(|it| it["direction"] == "received");
    let bytes = |it: Json| hex::decode(it["hex"].as_str().expect("hex")).expect("digits");
    received.map(bytes).map(|it| Frame::decode(&it)).collect()
}

#[test]
fn replies_that_rules_spoil_or_edit_have_right_checksums() {
    let heard = |rules: &str, name: &str| {
        let file = tool::scratch(name).join("rules.star");
        std::fs::write(&file, rules).expect("a file");
        let link = format!("lab:{}", file.display());
        let args = [
            "discover",
            "--json",
            "--wait",
            "--timeout",
            "3s",
            "-i",
            &link,
        ];
        replies(&run(&args))
    };
    let of_server = ["reorder", "nak-renewal"];
    for (name, ..) in FAULTS.iter().filter(|it| !of_server.contains(&it.0)) {
        let fault = match *name {
            "drop" => "drop=0%",
            "delay" => "delay=1s",
            // The message is whole, and so are its sums.
            "truncate" => "truncate=5000",
            name => name,
        };
        let rules = format!(
            "def on_discover(req):\n    made = []\n    for it in [offer(req), ack(req), nak(req)]:\n        \
             made += fault('{fault}', it)\n    return made\n"
        );
        let replies = heard(&rules, &format!("spoiled-{name}"));
        let wanted = if fault == "duplicate" { 6 } else { 3 };
        assert_eq!(replies.len(), wanted, "{fault}: {replies:?}");
        for reply in replies {
            let wrong = checksum_fault(&reply, false);
            let spoiled = wrong.as_ref().is_some_and(|it| it.starts_with("UDP"));
            assert_eq!(spoiled, *name == "bad-checksum", "{fault}: {wrong:?}");
            assert!(wrong.is_none() || spoiled, "{fault}: {wrong:?}");
        }
    }
    let rules = "def on_discover(req):\n    p = offer(req)\n    p[BOOTP].siaddr = '9.9.9.9'\n    p[IP].ttl = 9\n    return p\n";
    let edited = heard(rules, "edited");
    assert_eq!(edited.len(), 1, "{edited:?}");
    let siaddr = edited[0].bootp().expect("BOOTP").siaddr;
    assert_eq!(siaddr.octets(), [9, 9, 9, 9]);
    assert_eq!(checksum_fault(&edited[0], false), None);
    // What is wrong on purpose stays wrong.
    let rules = "def on_discover(req):\n    p = offer(req)\n    p[UDP].chksum = 0x1234\n    return fault('tiny-lease', p)\n";
    let wrong = heard(rules, "wrong");
    let told = checksum_fault(&wrong[0], false).unwrap_or_default();
    assert!(told.starts_with("UDP checksum 0x1234"), "{told}");
}

#[test]
fn a_rule_that_does_not_return_is_given_up() {
    let rules = "def on_discover(req):\n    for i in range(2000000000):\n        pass\n";
    let begun = Instant::now();
    let run = lab(rules, "loop");
    assert!(begun.elapsed() < Duration::from_secs(30), "{run:?}");
    run.failed(
        1,
        &[
            "rule for this DISCOVER did not return in 5 s",
            "rules-loop.star",
        ],
    );
}
