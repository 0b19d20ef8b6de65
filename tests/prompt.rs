//! What the prompt promises, in a real terminal.

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use support::segment::Segment;
use support::terminal::Terminal;

const BINARY: &str = env!("CARGO_BIN_EXE_dhcpcraft");

/// A directory that a test has for itself.
struct Home(PathBuf);

impl Home {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("prompt-{}-{count}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Home(path)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(BINARY);
        self.furnish(&mut command);
        command
    }

    fn furnish(&self, command: &mut Command) {
        command
            .env("HOME", &self.0)
            .env("TERM", "xterm-256color")
            .env_remove("XDG_STATE_HOME")
            .env_remove("NO_COLOR")
            .env_remove("COLUMNS")
            .current_dir(&self.0);
    }

    fn start(&self) -> Terminal {
        let terminal = Terminal::start(self.command(), 100, 90);
        terminal.at("lab>");
        terminal
    }

    fn history(&self) -> PathBuf {
        self.0.join(".local/state/dhcpcraft/history")
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn commands_and_the_language_stand_side_by_side() {
    let home = Home::new();
    let mut prompt = home.start();
    let screen = prompt.run("discover --hostname printer", "lab 1 offer>");
    assert!(screen.contains("192.0.2.100"), "{screen}");
    let screen = prompt.run("reply.router", "lab 1 offer>");
    assert!(screen.contains("[\"192.0.2.1\"]"), "{screen}");
    let screen = prompt.run("_", "lab 1 offer>");
    assert!(screen.contains("[\"192.0.2.1\"]"), "{screen}");
    let screen = prompt.run("len(answers)", "lab 1 offer>");
    assert!(screen.contains("\n1\n"), "{screen}");
    let screen = prompt.run("show reply", "lab 1 offer>");
    assert!(
        screen.contains("yiaddr") && screen.contains("router"),
        "{screen}"
    );
    let screen = prompt.run("answers", "lab 1 offer>");
    assert!(screen.contains("OFFER"), "{screen}");
    prompt.press("\x04");
    assert_eq!(prompt.ends(), 0);
}

#[test]
fn the_conversation_is_remembered() {
    let home = Home::new();
    let mut prompt = home.start();
    prompt.run("discover", "lab 1 offer>");
    let screen = prompt.run("request", "lab 192.0.2.100>");
    assert!(screen.contains("ACK"), "{screen}");
    let screen = prompt.run("lease", "lab 192.0.2.100>");
    assert!(screen.contains("192.0.2.100/24"), "{screen}");
    let screen = prompt.run("renew", "lab 192.0.2.100>");
    assert!(screen.contains("ACK"), "{screen}");
    // A configured host asks on: the lease stays.
    prompt.run("inform", "lab 192.0.2.100>");
    prompt.run("release", "lab>");
    let screen = prompt.run("lease", "lab>");
    assert!(screen.contains("no lease is held"), "{screen}");
    prompt.run("dora", "lab 192.0.2.100>");
    prompt.run("decline", "lab>");
    // The declined address is not offered again.
    let screen = prompt.run("discover", "lab 1 offer>");
    assert!(screen.contains("192.0.2.101"), "{screen}");
    prompt.run("set interface lab:two-servers", "lab:two-servers>");
    prompt.run("discover --wait", "lab:two-servers 2 offers>");
    let screen = prompt.run("replies", "lab:two-servers 2 offers>");
    assert!(screen.contains("192.0.2.66"), "{screen}");
    prompt.run("set interface lab:nak", "lab:nak>");
    prompt.run("discover", "lab:nak 1 offer>");
    prompt.run("request", "lab:nak nak>");
}

#[test]
fn what_gives_no_address_is_no_lease() {
    let home = Home::new();
    let mut prompt = home.start();
    prompt.run("inform --ciaddr 192.0.2.7", "lab>");
    let screen = prompt.run("servers", "lab>");
    assert!(screen.contains("192.0.2.1 "), "{screen}");
    let screen = prompt.run("lease", "lab>");
    assert!(screen.contains("no lease is held"), "{screen}");
}

#[test]
fn settings_hold_until_they_are_changed() {
    let home = Home::new();
    let mut prompt = home.start();
    prompt.enter("set mac 02:11:22:33:44:55");
    prompt.at("lab>");
    prompt.run("discover", "lab 1 offer>");
    let screen = prompt.run("sent.chaddr", "lab 1 offer>");
    assert!(
        screen.contains("02:11:22:33:44:55") || screen.contains("\\x11"),
        "{screen}"
    );
    let screen = prompt.run("set", "lab 1 offer>");
    assert!(screen.contains("02:11:22:33:44:55"), "{screen}");
    let screen = prompt.run("set interface nothing9", "lab 1 offer>");
    assert!(screen.contains("no interface"), "{screen}");
    let screen = prompt.run("set interfce lab", "lab 1 offer>");
    assert!(screen.contains("did you mean `interface`"), "{screen}");
    let screen = prompt.run("set mac 02:xx", "lab 1 offer>");
    assert!(screen.contains("no MAC address"), "{screen}");
}

const REFERENCE: &[&str] = &[
    // The client asks.
    r#"from scapy.all import *
dhcp_discover = Ether(dst="ff:ff:ff:ff:ff:ff") / IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) / BOOTP(op=1) / DHCP(options=[("message-type", "discover"), "end"])
sendp(dhcp_discover)"#,
    // The server offers.
    r#"from scapy.all import *

def send_offer(client_mac):
    offer = Ether(dst=client_mac) / IP(src="192.168.1.1", dst="255.255.255.255") / UDP(sport=67, dport=68) / BOOTP(op=2, yiaddr="192.168.1.100", siaddr="192.168.1.1") / DHCP(options=[("message-type", "offer"), ("server_id", "192.168.1.1"), "end"])
    sendp(offer)

send_offer("00:11:22:33:44:55")"#,
    // The client requests.
    r#"from scapy.all import *
dhcp_request = Ether(dst="ff:ff:ff:ff:ff:ff") / IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) / BOOTP(op=1) / DHCP(options=[("message-type", "request"), ("requested_addr", "192.168.1.100"), ("server_id", "192.168.1.1"), "end"])
sendp(dhcp_request)"#,
    // The server acknowledges.
    r#"from scapy.all import *

def send_ack(client_mac):
    ack = Ether(dst=client_mac) / IP(src="192.168.1.1", dst="255.255.255.255") / UDP(sport=67, dport=68) / BOOTP(op=2, yiaddr="192.168.1.100", siaddr="192.168.1.1") / DHCP(options=[("message-type", "ack"), ("server_id", "192.168.1.1"), ("lease_time", 3600), "end"])
    sendp(ack)

send_ack("00:11:22:33:44:55")"#,
];

#[test]
fn scapy_scripts_run_as_they_are_pasted() {
    for script in REFERENCE {
        let home = Home::new();
        let mut prompt = home.start();
        prompt.paste(script);
        prompt.press("\r");
        let screen = prompt.until("the packet to be sent", |it| {
            it.contains("Sent 1 packet.") && it.trim_end().ends_with('>')
        });
        assert!(!screen.contains("rror"), "{screen}");
    }
}

#[test]
fn a_pasted_block_may_hold_commands_and_source() {
    let home = Home::new();
    let mut prompt = home.start();
    prompt.paste(
        "# a note\ndiscover --hostname \"a b\"\ndef twice(x):\n    y = [\n1]\n# still inside\n    return 2 * x\n\nprint(twice(21))\nrequest\n",
    );
    prompt.press("\r");
    let screen = prompt.at("lab 192.0.2.100>");
    assert!(screen.contains("\n42\n"), "{screen}");
    // The first that fails is the last that runs.
    prompt.press("\x0c");
    prompt.paste("fail(\"stop\", \"here\")\nprint(\"never \" + \"more\")");
    prompt.press("\r");
    prompt.shows("stop here");
    let screen = prompt.at("lab 192.0.2.100>");
    assert!(!screen.contains("never more"), "{screen}");
}

#[test]
fn blocks_are_typed_over_several_lines() {
    let home = Home::new();
    let mut prompt = home.start();
    prompt.enter("def double(x):");
    // Tab indents.
    prompt.press("\treturn 2 * x\r\r");
    prompt.at("lab>");
    prompt.enter("double(");
    prompt.enter("21)");
    prompt.shows("\n42\n");
    prompt.enter("discover \\");
    prompt.enter("--hostname x");
    prompt.at("lab 1 offer>");
}

#[test]
fn tab_knows_where_it_is() {
    let home = Home::new();
    let mut prompt = home.start();
    for (typed, wanted) in [
        ("discov\t", "lab> discover"),
        ("discover --requested\t", "--requested-ip"),
        ("discover --option domain-nam\t", "--option domain-name"),
        ("discover -o message-type=disc\t", "message-type=discover"),
        ("DHCP(options=[(\"message-type\", \"disc\t", "\"discover"),
        ("DHCP(options=[(\"requested_a\t", "(\"requested_addr"),
        ("x = BOOTP(yia\t", "BOOTP(yiaddr="),
        ("set interface lab:tw\t", "lab:two-servers"),
        ("help rout\t", "help router"),
    ] {
        prompt.press("\x15\x0c");
        prompt.press(typed);
        prompt.shows(wanted);
        prompt.press("\x15");
    }
    prompt.press("\x15");
    prompt.run("variable = Ether()/IP()/UDP()/BOOTP()", "lab>");
    prompt.press("varia\t.yia\t");
    prompt.shows("variable.yiaddr");
    prompt.press("\x15");
    std::fs::write(home.0.join("a-capture.pcap"), "").unwrap();
    prompt.press("show a-cap\t");
    prompt.shows("show a-capture.pcap");
}

#[test]
fn grey_text_says_what_may_follow() {
    let home = Home::new();
    let mut prompt = home.start();
    prompt.press("sniff(");
    prompt.shows("sniff(count=0");
    // It is read, not taken.
    prompt.press("\x1b[C)\x0c");
    prompt.until("the call", |it| it.trim_end().ends_with("sniff()"));
    prompt.press("\x15");
    prompt.press("discover ");
    prompt.shows("--hostname VALUE");
    prompt.press("\x15");
    prompt.run("discover --hostname earlier", "lab 1 offer>");
    prompt.press("disc");
    prompt.shows("discover --hostname earlier");
    // The right arrow takes it.
    prompt.press("\x1b[C\x0c");
    prompt.press("\r");
    prompt.until("the offer again", |it| it.matches("OFFER").count() == 1);
}

#[test]
fn help_tells_of_every_meaning() {
    let home = Home::new();
    let mut prompt = home.start();
    for (line, wanted) in [
        ("help router", "option 3"),
        ("router?", "option 3"),
        ("help BOOTP", "yiaddr"),
        ("BOOTP?", "yiaddr"),
        ("help sendp", "sendp(x, "),
        ("help save", "save FILE.star"),
        ("help scapy", "For Scapy users"),
        ("help replies", "of an exchange"),
        ("help nonsense-word", "nothing is known"),
        ("help discver", "did you mean `discover`?"),
    ] {
        let screen = prompt.run(line, "lab>");
        assert!(screen.contains(wanted), "{line}: {screen}");
    }
    prompt.enter("help discover");
    prompt.shows("--where <EXPR>");
    prompt.at("lab>");
    prompt.run("clear", "lab>");
}

#[test]
fn errors_point_and_suggest() {
    let home = Home::new();
    let mut prompt = home.start();
    for (line, wanted) in [
        ("discovr", "did you mean `discover`?"),
        ("discovr --hostname x", "did you mean `discover`?"),
        ("discover --hostnam x", "--hostname"),
        ("discover -o routr=10.0.0.1", "mean router, "),
        ("x = BOOTP(oop=1)", "    ^^^^^^^^^^^^"),
        ("replies now", "usage: replies"),
        ("save", "usage: save FILE.star"),
        ("write", "usage: write FILE.pcapng"),
        ("write early.pcapng", "no frames"),
        ("show", "show FILE"),
        ("discover --hostname \"x", "a quote is not closed"),
        ("discover --where 'pkt.nonsense'", "no attribute `nonsense`"),
    ] {
        let prompt_now = "lab>";
        let screen = prompt.run(line, prompt_now);
        assert!(screen.contains(wanted), "{line}: {screen}");
        assert!(!screen.contains("no reply"), "{line}: {screen}");
    }
    let screen = prompt.run("discover --expect 'reply.router == []'", "lab 1 offer>");
    assert!(
        screen.contains("expectation failed: reply.router == []"),
        "{screen}"
    );
    assert!(
        screen.contains("reply.router is [\"192.0.2.1\"]"),
        "{screen}"
    );
    // Judging ends with its command.
    prompt.run(
        "discover --where 'pkt.yiaddr == \"1.2.3.4\"' --timeout 1ms",
        "lab 1 offer>",
    );
    prompt.run("discover", "lab 1 offer>");
}

#[test]
fn the_session_becomes_a_script_and_a_capture() {
    let home = Home::new();
    let mut prompt = home.start();
    prompt.run("discover --hostname printer", "lab 1 offer>");
    prompt.run("request", "lab 192.0.2.100>");
    prompt.run("address = reply.yiaddr", "lab 192.0.2.100>");
    prompt.run("print(address)", "lab 192.0.2.100>");
    prompt.enter("nonsense(");
    prompt.press("\x03");
    prompt.shows("Ctrl-D leaves");
    prompt.at("lab 192.0.2.100>");
    let screen = prompt.run("write all.pcapng", "lab 192.0.2.100>");
    assert!(
        screen.contains("4 frames written to all.pcapng"),
        "{screen}"
    );
    let screen = prompt.run("history", "lab 192.0.2.100>");
    assert!(screen.contains("discover --hostname printer"), "{screen}");
    let screen = prompt.run("save again.star", "lab 192.0.2.100>");
    assert!(screen.contains("saved to again.star"), "{screen}");
    prompt.enter("clear");
    prompt.at("lab>");
    let screen = prompt.run("write none.pcapng", "lab>");
    assert!(screen.contains("no frames"), "{screen}");

    let mut command = home.command();
    let ran = command.args(["run", "again.star"]).output().unwrap();
    let text = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{ran:?}");
    assert!(text.contains("OFFER") && text.contains("ACK"), "{text}");
    assert!(text.ends_with("\n192.0.2.100\n"), "{text}");
    let shown = home
        .command()
        .args(["show", "all.pcapng"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&shown.stdout);
    assert_eq!(text.lines().count(), 4, "{text}");
}

#[test]
fn lines_are_kept_across_runs_for_their_owner_alone() {
    let home = Home::new();
    let mut first = home.start();
    let mut second = home.start();
    first.run("len(\"from the first\")", "lab>");
    second.run("len(\"from the second\")", "lab>");
    first.run("len(\"again the first\")", "lab>");
    first.run("len(\"again the first\")", "lab>");
    // With a blank before it a line is not kept.
    first.run(" len(\"a secret\")", "lab>");
    first.press("\x04");
    second.press("\x04");
    assert_eq!((first.ends(), second.ends()), (0, 0));

    let mode = std::fs::metadata(home.history())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let kept = std::fs::read_to_string(home.history()).unwrap();
    for line in ["from the first", "from the second", "again the first"] {
        assert_eq!(kept.matches(line).count(), 1, "{line}: {kept}");
    }
    assert!(!kept.contains("secret"), "{kept}");

    let mut third = home.start();
    third.press("\x12second");
    third.shows("from the second");
    third.press("\r");
    third.shows("\n15\n");
    third.press("\x1b[A");
    third.shows("lab> len(\"from the second\")");
}

#[test]
fn without_a_place_for_the_history_there_is_a_prompt() {
    let home = Home::new();
    let file = home.0.join("no-directory");
    std::fs::write(&file, "").unwrap();
    let mut command = home.command();
    command.env("HOME", &file);
    let mut prompt = Terminal::start(command, 80, 24);
    let screen = prompt.at("lab>");
    assert!(
        screen.contains("history of this prompt is not kept"),
        "{screen}"
    );
    prompt.run("1 + 1", "lab>");
}

#[test]
fn control_c_stops_what_runs_and_nothing_else() {
    let home = Home::new();
    let mut prompt = home.start();
    // In the editor it takes the line back.
    prompt.press("some words");
    prompt.shows("some words");
    prompt.press("\x03");
    prompt.shows("Ctrl-D leaves");
    prompt.at("lab>");
    // A loop of the language.
    prompt.enter("for i in range(2000000000): x = i");
    prompt.press("\r");
    std::thread::sleep(Duration::from_millis(600));
    let asked = Instant::now();
    // As often as an impatient person presses it.
    for _ in 0..4 {
        prompt.press("\x03");
        std::thread::sleep(Duration::from_millis(30));
    }
    prompt.shows("interrupted");
    assert!(asked.elapsed() < Duration::from_secs(5));
    let screen = prompt.run("6 * 7", "lab>");
    assert!(screen.contains("\n42\n"), "{screen}");
}

#[test]
fn control_c_ends_waiting_on_a_real_link() {
    let segment = Segment::new();
    let home = Home::new();
    let mut command = segment.client_command(BINARY);
    home.furnish(&mut command);
    command.args(["repl", "-i", segment.client_interface()]);
    let mut prompt = Terminal::start(command, 100, 50);
    let name = segment.client_interface();
    let empty = format!("{name}>");
    prompt.at(&empty);
    prompt.enter("dora -w cut.pcapng");
    prompt.shows("DISCOVER");
    prompt.press("\x03");
    let screen = prompt.at(&empty);
    assert!(screen.contains("interrupted"), "{screen}");
    // The capture is whole.
    let shown = home
        .command()
        .args(["show", "cut.pcapng"])
        .output()
        .unwrap();
    assert!(shown.status.success(), "{shown:?}");
    assert!(String::from_utf8_lossy(&shown.stdout).contains("DISCOVER"));
    // Listening without an end gives what was heard.
    prompt.press("\x0c");
    prompt.enter("heard = sniff()");
    std::thread::sleep(Duration::from_millis(800));
    prompt.press("\x03");
    prompt.at(&empty);
    let screen = prompt.run("type(heard)", &empty);
    assert!(screen.contains("\"list\""), "{screen}");
    // Leaving with an open exchange behind it is leaving in order.
    prompt.press("\x04");
    assert_eq!(prompt.ends(), 0);
}

#[test]
fn colours_are_for_those_who_want_them() {
    let home = Home::new();
    let mut prompt = home.start();
    prompt.press("discover --hostname x");
    prompt.shows("--hostname x");
    assert!(prompt.colors().contains("\x1b["), "no colours");
    let plain = |it: &str| it.contains(";36") || it.contains("[36") || it.contains(";33");
    assert!(plain(&prompt.colors()));
    let mut command = home.command();
    command.env("NO_COLOR", "1");
    let mut prompt = Terminal::start(command, 80, 24);
    prompt.at("lab>");
    prompt.press("discover --hostname x");
    prompt.shows("--hostname x");
    assert!(!plain(&prompt.colors()), "{:?}", prompt.colors());
}

#[test]
fn odd_input_is_survived() {
    let home = Home::new();
    let mut prompt = Terminal::start(home.command(), 30, 20);
    prompt.at("lab>");
    prompt.enter("x = \"größe 日本 😀\"");
    prompt.enter("len(x)");
    prompt.shows("\n10\n");
    prompt.press("\x0c");
    prompt.enter("discover -o größe=1 日本");
    prompt.shows("größe");
    prompt.press("\x0c");
    let long = format!("y = \"{}\"", "z".repeat(4000));
    prompt.paste(&long);
    prompt.press("\r\x0c");
    prompt.enter("len(y)");
    prompt.shows("\n4000\n");
    // What stays open is taken back with Ctrl-C.
    for line in ["(((", "\"\"\"", "\\"] {
        prompt.press("\x0c");
        prompt.enter(line);
        prompt.shows(line);
        prompt.press("\x03");
        prompt.at("lab>");
    }
    for line in ["?", "??", "#", ")", "$ % &", "'", "help"] {
        prompt.enter(line);
    }
    prompt.press("\x0c");
    prompt.enter("\"still \" + \"here\"");
    prompt.shows("\"still here\"");
}

/// A key must show before a person notices that it did not, also where this was built without
/// optimisation, and also behind a long line.
#[test]
fn keys_show_at_once() {
    let home = Home::new();
    let mut prompt = Terminal::start(home.command(), 120, 40);
    prompt.at("lab>");
    prompt.press("pkt = Ether(dst=\"ff:ff:ff:ff:ff:ff\") / IP(src=\"0.0.0.0\", dst=\"255.255.255.255\") / UDP(sport=68, dport=67) / BOOTP(op=1) / DHCP(options=[(\"message-type\", \"discover\"), ");
    prompt.shows("\"discover\"),");
    let start = Instant::now();
    for key in 0..50 {
        prompt.press("1");
        let wanted = "1".repeat(key + 1);
        prompt.shows(&format!("), {wanted}"));
    }
    let each = start.elapsed() / 50;
    // Looking at the screen every 15 ms is most of it.
    assert!(each < Duration::from_millis(60), "{each:?} for a key");
}

#[test]
fn a_pipe_is_no_terminal() {
    let home = Home::new();
    let mut command = home.command();
    command
        .arg("repl")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, b"1 + 1\ndiscover\nreply.yiaddr\n").unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success());
    assert!(
        text.contains("2\n") && text.contains("\"192.0.2.100\"\n"),
        "{text}"
    );
}
