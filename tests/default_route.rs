//! What disturbs others stays off the interface that carries the machine's default route, until it is forced there.

mod support;

use support::segment::Segment;
use support::tool::{Run, TOOL, finish, tool};

#[test]
fn loads_and_parts_to_play_are_forced_onto_the_default_route() {
    let segment = Segment::new();
    let interface = segment.client_interface();
    let ip = |args: &[&str]| {
        finish(segment.client_command("ip").args(args), b"").succeeded();
    };
    ip(&["address", "add", "10.77.0.250/24", "dev", interface]);
    ip(&["route", "add", "default", "via", "10.77.0.1"]);
    let run = |args: &[&str]| -> Run {
        let mut command = segment.client_command(TOOL);
        finish(command.args(args).args(["-i", interface]), b"")
    };
    let few = [
        "discover",
        "--interval",
        "0",
        "--timeout",
        "10ms",
        "--count",
    ];
    let upstream = ["relay", "--server-interface", "lo", "--server", "127.0.0.2"];
    let recorded = "samples/dora-dnsmasq.pcapng";
    // Each with the code that it ends with once it is forced.
    let all: [(&[&str], i32); 5] = [
        (&[&few[..], &["101"]].concat(), 3),
        (&["conform", "--only", "S-OFR-01", "--timeout", "10ms"], 3),
        (
            &[
                "conform",
                "--client",
                "--only",
                "C-DIS-01",
                "--timeout",
                "10ms",
            ],
            3,
        ),
        (&["replay", recorded, "--as-server", "--timeout", "10ms"], 1),
        (&[&upstream[..], &["--timeout", "10ms"]].concat(), 0),
    ];
    for (args, code) in all {
        run(args).failed(2, &[interface, "default route", "--force"]);
        let forced = run(&[args, &["--force"]].concat());
        assert_eq!(forced.code, Some(code), "{forced:?}");
    }
    assert_eq!(run(&[&few[..], &["100"]].concat()).code, Some(3));
    run(&["conform", "--list"]).succeeded();
    // The lab disturbs nobody.
    tool(&["discover", "--count", "101", "--interval", "0"]).succeeded();
}
