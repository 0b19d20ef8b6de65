//! Many clients at once (`dora --clients N`), in the lab.

#[path = "support/tool.rs"]
#[allow(dead_code)]
mod tool;

use std::time::Instant;

use tool::tool;

#[test]
fn each_reply_is_timed_from_the_question_of_its_client() {
    let slow = ["dora", "-i", "lab:delay=500ms", "--json"];
    let many = ["--clients", "3", "--stagger", "300ms"];
    let lines = tool(&[&slow[..], &many].concat()).succeeded().json();
    let after: Vec<f64> = lines.iter().filter_map(|it| it["after"].as_f64()).collect();
    assert_eq!(after.len(), 6, "three OFFERs and three ACKs");
    for it in &after {
        assert!((0.5..0.501).contains(it), "{after:?}");
    }
}

#[test]
fn a_blank_line_stands_between_frames_and_the_table() {
    for format in ["ladder", "tree", "hex"] {
        let run = tool(&["dora", "--clients", "2", "--format", format]).succeeded();
        let table = run.out.find("#  client").expect("a table");
        assert!(run.out[..table].ends_with("\n\n"), "{format}: {}", run.out);
        assert!(
            !run.out[..table].ends_with("\n\n\n"),
            "{format}: {}",
            run.out
        );
    }
    let run = tool(&["dora", "--clients", "2"]).succeeded();
    assert!(run.out.starts_with("#  client"), "{}", run.out);
}

fn mac(number: u64) -> String {
    format!("02:00:5e:10:00:{number:02x}")
}

#[test]
fn what_comes_for_one_of_them_reaches_that_one() {
    let run = [
        "dora",
        "--clients",
        "4",
        "--probe",
        "--hold",
        "4h",
        "--json",
    ];
    // The owner of the first address answers the probe of the first client only.
    let lines = tool(&[&run[..], &["-i", "lab:taken"]].concat())
        .succeeded()
        .json();
    let of_kind = |kind: &str| {
        let all = lines.iter().filter(|it| it["message"]["type"] == kind);
        all.filter_map(|it| it["message"]["chaddr"].as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(of_kind("DECLINE"), [mac(1)]);
    assert_eq!(of_kind("NAK").len(), 0);
    // Behind the relay agent each looks with ARP for the router that all of them share, and renews through it.
    let lines = tool(&[&run[..], &["-i", "lab:relay"]].concat())
        .succeeded()
        .json();
    for number in 1..=4 {
        let renewals = lines.iter().filter(|it| {
            it["message"]["type"] == "REQUEST"
                && it["message"]["chaddr"] == mac(number).as_str()
                && it["message"]["ciaddr"] != "0.0.0.0"
        });
        let to: Vec<&str> = renewals
            .filter_map(|it| it["layers"][0]["dst"].as_str())
            .collect();
        let router = |it: &&str| *it == "02:00:5e:00:00:f2";
        assert!(
            to.len() >= 7 && to.iter().all(router),
            "client {number}: {to:?}"
        );
    }
}

#[test]
fn eight_times_the_clients_take_eight_times_as_long() {
    let takes = |clients: &str| {
        let start = Instant::now();
        let run = tool(&["dora", "--clients", clients, "--quiet"]);
        assert_eq!(run.code, Some(3), "the lab has a hundred addresses");
        start.elapsed()
    };
    let (few, many) = (takes("500"), takes("4000"));
    // Sixty-four times where every client looks at every frame.
    assert!(many < few * 24, "500: {few:?}, 4000: {many:?}");
}
