//! `servers` on a real segment: dnsmasq and Kea on one bridge, who of them may answer, and a rogue that comes and goes.

mod support;

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value as Json;
use support::clients::{SERVER, Tool};
use support::expect_within;
use support::leases::{LeaseRecord, LeaseState};
use support::peers::{Kind, Server, ServerConfig};
use support::segment::Segment;
use support::tool::{Run, TOOL, finish, text, tool};

/// A dnsmasq and a Kea on a segment.
fn office() -> (Segment, [Server; 2]) {
    let segment = Segment::new();
    let servers = [Kind::Dnsmasq, Kind::Kea];
    let servers = servers.map(|kind| segment.server(kind, ServerConfig::default()));
    (segment, servers)
}

/// The tool on the client's side.
fn command(segment: &Segment, args: &[&str]) -> Command {
    let mut command = segment.client_command(TOOL);
    command
        .args(args)
        .args(["-i", segment.client_interface()])
        .env_remove("COLUMNS")
        .env_remove("NO_COLOR");
    command
}

/// Runs the tool on the client's side.
#[track_caller]
fn ask(segment: &Segment, args: &[&str]) -> Run {
    finish(&mut command(segment, args), b"")
}

/// Looks for servers from the client's side.
#[track_caller]
fn look(segment: &Segment, more: &[&str]) -> Run {
    ask(segment, &[&["servers", "--timeout", "1s"], more].concat())
}

const PATIENCE: Duration = Duration::from_secs(20);

/// The tool while it watches.
struct Watching {
    child: Child,
    out: PathBuf,
    err: PathBuf,
}

/// Looks often.
const OFTEN: [&str; 5] = ["servers", "--watch", "200ms", "--timeout", "500ms"];

impl Watching {
    #[track_caller]
    fn start(segment: &Segment, more: &[&str]) -> Watching {
        let [out, err] = ["out", "err"].map(|it| segment.directory().join(it));
        let file = |path| fs::File::create(path).expect("a file");
        let child = command(segment, more)
            .stdin(Stdio::null())
            .stdout(file(&out))
            .stderr(file(&err))
            .spawn()
            .expect("the tool starts");
        Watching { child, out, err }
    }

    fn out(&self) -> String {
        fs::read_to_string(&self.out).unwrap_or_default()
    }

    /// Waits until its output holds all of this.
    #[track_caller]
    fn says(&self, parts: &[&str]) {
        expect_within(&format!("{parts:?}"), PATIENCE, || {
            let out = self.out();
            parts.iter().all(|it| out.contains(it))
        });
    }

    /// Ends it with Ctrl-C.
    #[track_caller]
    fn stop(mut self) -> Run {
        // nsenter made itself the tool: it is the test's own child.
        let pid = self.child.id().to_string();
        let sent = Command::new("sh")
            .args(["-c", "kill -INT $0", &pid])
            .status();
        assert!(sent.expect("a shell").success());
        let mut status = None;
        expect_within("the tool to end", PATIENCE, || {
            status = self.child.try_wait().expect("a child");
            status.is_some()
        });
        Run {
            code: status.and_then(|it| it.code()),
            out: self.out(),
            err: fs::read_to_string(&self.err).expect("a file"),
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The row of a server.
#[track_caller]
fn row<'a>(rows: &'a [Json], server: &Server) -> &'a Json {
    let name = server.address().to_string();
    let mut found = rows.iter().filter(|it| it["server"] == name.as_str());
    let row = found
        .next()
        .unwrap_or_else(|| panic!("no {name} in {rows:#?}"));
    assert!(found.next().is_none(), "{name} has two rows: {rows:#?}");
    row
}

#[test]
fn each_real_server_has_a_row_with_what_it_gives_and_binds_nothing() {
    let (segment, servers) = office();
    // An address of nobody: the tool plays it, so that the INFORM can be answered.
    let file = segment.directory().join("asked.pcapng");
    let inform = ["--json", "--ciaddr", "10.77.0.250", "-w", text(&file)];
    let run = look(&segment, &inform).succeeded();
    let rows = run.json();
    assert_eq!(rows.len(), 2, "{rows:#?}");
    for server in &servers {
        let row = row(&rows, server);
        let address = server.address().to_string();
        assert_eq!(row["server_id"], address.as_str());
        assert_eq!(row["source"], address.as_str());
        assert_eq!(row["mac"], server.mac());
        assert_eq!(row["relay"], Json::Null);
        let offered = row["offered"]
            .as_array()
            .expect("the lowest and the highest");
        assert_eq!(offered.len(), 2);
        for ip in offered {
            let ip = ip.as_str().and_then(|it| it.parse().ok());
            assert!(server.gives(ip.expect("an address")), "{row:#}");
        }
        let kinds = ["plain", "pxe", "windows", "android", "random-mac", "inform"];
        assert_eq!(row["answered"], serde_json::json!(kinds), "{row:#}");
        assert_eq!(row["silent"], serde_json::json!([]));
        let options = &row["options"];
        assert_eq!(options["router"], serde_json::json!([address]));
        assert_eq!(options["dns"], serde_json::json!([address]));
        assert_eq!(options["lease-time"], 600);
        assert_eq!(options["domain-name"], "lab.example");
        let [fastest, median] = ["latency_min", "latency_median"]
            .map(|it| row[it].as_f64().unwrap_or_else(|| panic!("{row:#}")));
        assert!(
            0.0 < fastest && fastest <= median && median < 1.0,
            "{row:#}"
        );
        assert_eq!(row["notes"], serde_json::json!([]));
        let disagree = row["disagrees_on"].to_string();
        assert!(disagree.contains("\"router\"") && disagree.contains("\"dns\""));
        assert!(!disagree.contains("domain-name"), "{disagree}");
    }
    // What was asked binds nothing: the lease files say so, and say otherwise as soon as somebody takes an offer.
    for server in &servers {
        let bound = server.leases();
        let active = |it: &LeaseRecord| it.state == LeaseState::Active;
        assert!(!bound.iter().any(active), "{bound:?}");
        let id = server.address().to_string();
        let choose = format!("server={id}");
        let run = ask(
            &segment,
            &["dora", "--choose", &choose, "--print", "yiaddr"],
        )
        .succeeded();
        server.expect_active(run.out.trim().parse().expect("an address"));
    }
    let recorded = tool(&["show", text(&file), "--json"]).succeeded().json();
    for it in recorded
        .iter()
        .filter(|it| it["message"]["type"] == "DISCOVER")
    {
        assert_eq!(it["message"]["ciaddr"], "0.0.0.0", "{it:#}");
    }
}

#[test]
fn who_may_answer_is_named_by_address_or_by_mac() {
    let (segment, [dnsmasq, kea]) = office();
    let by_ip = dnsmasq.address().to_string();
    let ip = kea.address().to_string();
    for all in [
        [by_ip.as_str(), &ip],
        [dnsmasq.mac(), kea.mac()],
        [&by_ip, kea.mac()],
    ] {
        let run = look(&segment, &["--allow", all[0], "--allow", all[1]]).succeeded();
        assert!(!run.err.contains("not allowed"), "{run:?}");
        assert!(!run.out.contains("#2 (!)"), "{run:?}");
    }
    for only in [by_ip.as_str(), dnsmasq.mac()] {
        let run = look(&segment, &["--allow", only]);
        assert_eq!(run.code, Some(1), "{run:?}");
        let told = format!("(!) {ip} ({}) is not allowed to answer here", kea.mac());
        assert!(run.err.contains(&told), "{run:?}");
        assert!(run.out.contains(&format!("{ip} (!)")), "{run:?}");
        assert!(!run.out.contains(&format!("{by_ip} (!)")), "{run:?}");
    }
    // Silence of one that may answer is told, and is no stranger.
    kea.stop();
    let run = look(&segment, &["--allow", &by_ip, "--allow", &ip]).succeeded();
    let told = format!("{ip} is allowed and did not answer");
    assert!(run.err.contains(&told), "{run:?}");
}

#[test]
fn a_rogue_that_comes_and_goes_is_told_once_each_and_fails_the_watch() {
    let (segment, [dnsmasq, kea]) = office();
    let [one, other] = [&dnsmasq, &kea].map(|it| it.address().to_string());
    let file = segment.directory().join("watched.pcapng");
    let allow = ["--allow", &one, "--allow", &other, "-w", text(&file)];
    let watching = Watching::start(&segment, &[&OFTEN, &allow[..]].concat());
    let here = |it: &str, mac: &str| format!("  + {it} ({mac}) answers\n");
    let (first, second) = (here(&one, dnsmasq.mac()), here(&other, kea.mac()));
    watching.says(&[&first, &second]);
    let name = SERVER.to_string();
    let rogue = Tool::start(&segment, "rogue", &[]);
    watching.says(&[&format!("+ {name} (")]);
    drop(rogue);
    watching.says(&[&format!("- {name} (")]);
    let run = watching.stop();
    // That it left does not undo that it was there.
    assert_eq!(run.code, Some(1), "{run:?}");
    let changes: Vec<_> = run.out.lines().take_while(|it| !it.is_empty()).collect();
    assert_eq!(changes.len(), 4, "{run:?}");
    for (line, told) in changes[2..].iter().zip(["answers", "is gone"]) {
        assert!(
            line.contains(told) && line.ends_with("(!) not allowed"),
            "{line}"
        );
    }
    let mut times: Vec<_> = changes.iter().map(|it| &it[..20]).collect();
    for it in &times {
        assert!(it.starts_with("20") && it.ends_with('Z'), "{it}");
    }
    let told = times.clone();
    times.sort_unstable();
    assert_eq!(told, times, "in the order of time");
    // The last look: who is there now, and why it failed all the same.
    assert!(
        run.out.contains(&one) && run.out.contains(&other),
        "{run:?}"
    );
    assert!(
        run.err.contains("2 servers; they disagree on router"),
        "{run:?}"
    );
    let gone =
        format!("(!) {name} (02:00:00:77:00:04) is not allowed to answer here; it did from 20");
    assert!(run.err.replace('\n', " ").contains(&gone), "{run:?}");
    assert!(!run.err.contains("interrupted"), "{run:?}");
    // The capture is whole, and has the rogue's offers.
    let recorded = tool(&["show", text(&file), "--json"]).succeeded().json();
    let from = |it: &Json| it["message"]["server_id"] == name.as_str();
    assert!(recorded.iter().any(from));
}

#[test]
fn watching_in_json_is_a_line_for_each_change_and_each_server_at_the_end() {
    let (segment, [dnsmasq, kea]) = office();
    let allow = dnsmasq.mac();
    let watching = Watching::start(
        &segment,
        &[&OFTEN, &["--json", "--allow", allow][..]].concat(),
    );
    let (one, other) = (dnsmasq.address().to_string(), kea.address().to_string());
    watching.says(&[&one, &other]);
    kea.stop();
    watching.says(&["disappears"]);
    let run = watching.stop();
    assert_eq!(run.code, Some(1), "{run:?}");
    let lines = run.json();
    let (changes, rows): (Vec<_>, Vec<_>) = lines.iter().partition(|it| it["change"].is_string());
    let told = |it: &&Json| {
        let [what, server] = ["change", "server"].map(|key| it[key].as_str().unwrap_or_default());
        format!("{what} {server} {}", it["allowed"])
    };
    let mut came: Vec<_> = changes[..2].iter().map(told).collect();
    came.sort();
    assert_eq!(
        came,
        [
            format!("appears {one} true"),
            format!("appears {other} false")
        ]
    );
    assert_eq!(told(&changes[2]), format!("disappears {other} false"));
    assert_eq!(changes.len(), 3, "{run:?}");
    assert_eq!(rows.len(), 1, "{run:?}");
    assert_eq!(rows[0]["server"], one.as_str());
}

#[test]
fn ctrl_c_ends_a_watch_in_order_and_breaks_a_single_look_off() {
    let (segment, [dnsmasq, _kea]) = office();
    let one = dnsmasq.address().to_string();
    // A watch that nobody is missed in and nobody strange comes to ends well.
    let watching = Watching::start(
        &segment,
        &[&OFTEN, &["--expect", "len(servers) == 2"][..]].concat(),
    );
    watching.says(&[&one]);
    let run = watching.stop();
    assert_eq!(run.code, Some(0), "{run:?}");
    // A look that is not over says what it has found, and that it was broken off.
    for more in [&[][..], &["--watch", "1s"]] {
        let file = segment
            .directory()
            .join(format!("broken-off-{}.pcapng", more.len()));
        let single = ["servers", "--timeout", "60s", "-w", text(&file)];
        let looking = Watching::start(&segment, &[&single[..], more].concat());
        expect_within("the answers", PATIENCE, || {
            let shown = tool(&["show", text(&file), "--json"]);
            shown.out.matches("\"type\":\"OFFER\"").count() >= 10
        });
        let run = looking.stop();
        assert_eq!(run.code, Some(130), "{run:?}");
        assert!(run.out.contains(&one), "{run:?}");
        assert!(run.err.ends_with("interrupted\n"), "{run:?}");
    }
}

#[test]
fn who_poses_as_a_server_that_may_answer_fails_and_both_are_marked() {
    let (segment, [dnsmasq, kea]) = office();
    let [one, other] = [&dnsmasq, &kea].map(|it| it.address().to_string());
    let allow = ["--allow", &one, "--allow", &other];
    let watching = Watching::start(&segment, &[&OFTEN, &allow[..]].concat());
    watching.says(&[&one, &other]);
    // The same address and server-id, from another machine.
    let clone = format!("{one}/24");
    let rogue = Tool::start(&segment, "clone", &["--address", &clone]);
    let mac = "02:00:00:77:00:04";
    watching.says(&[&format!("+ {one} ({mac})")]);
    let run = look(&segment, &allow);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert_eq!(run.out.matches(&format!("{one} (!)")).count(), 2, "{run:?}");
    assert!(!run.out.contains(&format!("{other} (!)")), "{run:?}");
    let told = format!("(!) server-id {one} comes from several MAC addresses");
    assert!(run.err.contains(&told), "{run:?}");
    // By MAC there is no doubt who it is.
    let run = look(&segment, &["--allow", dnsmasq.mac(), "--allow", &other]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(
        run.err
            .contains(&format!("(!) {one} ({mac}) is not allowed")),
        "{run:?}"
    );
    drop(rogue);
    watching.says(&[&format!("- {one} ({mac})")]);
    let run = watching.stop();
    assert_eq!(run.code, Some(1), "{run:?}");
    for it in ["+", "-"] {
        let marked = |line: &str| {
            line.contains(&format!("{it} {one} ({mac})"))
                && line.contains("(!) its server-id comes")
        };
        assert!(run.out.lines().any(marked), "{run:?}");
    }
    let told = format!("(!) server-id {one} came from {mac} too, from 20");
    assert!(run.err.replace('\n', " ").contains(&told), "{run:?}");
}
