//! Real clients, and this tool as the server that they ask.

use super::segment::{Host, Segment};
use super::{expect_within, require, wait_for};
use serde_json::Value as Json;
use std::{
    fs,
    net::Ipv4Addr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// The address that the tool serves from.
pub const SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 200);
/// How long a client may take.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A process that ends with the value.
pub struct Running(Child);

impl Running {
    /// A process that was started.
    pub fn new(child: Child) -> Running {
        Running(child)
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        let sent = Command::new("sh")
            .args(["-c", "kill -$1 $0", &pid, name])
            .status();
        assert!(sent.expect("a shell").success(), "the process is there");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The tool as a server, and what it says it sent and received.
pub struct Tool {
    process: Running,
    host: Host,
    lines: PathBuf,
}

impl Tool {
    /// Serves on the segment with further arguments, and writes what it says to files of this name.
    #[track_caller]
    pub fn start(segment: &Segment, name: &str, args: &[&str]) -> Tool {
        Tool::start_on(segment, segment.host(SERVER), name, args)
    }

    /// The same on a machine that is there already.
    #[track_caller]
    pub fn start_on(segment: &Segment, host: Host, name: &str, args: &[&str]) -> Tool {
        let lines = segment.directory().join(name);
        let said = segment.directory().join(format!("{name}.err"));
        let process = host
            .command(env!("CARGO_BIN_EXE_dhcpcraft"))
            .args(["serve", "--json", "-i", host.interface()])
            .args(["--pool", "10.77.0.100-10.77.0.110"])
            .args(args)
            .stdin(Stdio::null())
            .stdout(fs::File::create(&lines).expect("a file"))
            .stderr(fs::File::create(&said).expect("a file"))
            .spawn()
            .expect("the tool starts");
        let text = || fs::read_to_string(&said).unwrap_or_default();
        expect_within("the server to be there", PATIENCE, || {
            text().contains("serving")
        });
        Tool {
            process: Running(process),
            host,
            lines,
        }
    }

    /// The machine that it runs on.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The messages so far.
    pub fn messages(&self) -> Vec<Json> {
        let text = fs::read_to_string(&self.lines).unwrap_or_default();
        let all = text
            .lines()
            .filter_map(|it| serde_json::from_str::<Json>(it).ok());
        all.filter(|it| it["message"].is_object()).collect()
    }

    /// How many messages of a type there are so far.
    pub fn count(&self, kind: &str) -> usize {
        self.messages()
            .iter()
            .filter(|it| it["message"]["type"] == kind)
            .count()
    }

    /// Waits for such a message.
    #[track_caller]
    pub fn expect(&self, what: &str, mut wanted: impl FnMut(&Json) -> bool) {
        let found = wait_for(|| self.messages().iter().any(&mut wanted), PATIENCE);
        assert!(
            found,
            "{what} does not come; so far: {:#?}",
            self.summaries()
        );
    }

    /// Has it say nothing more, as if it hung: its machine goes on and answers ARP.
    pub fn hang(&self) {
        self.process.signal("STOP");
    }

    /// Ends it in order, as Ctrl-C does; gives what it printed.
    #[track_caller]
    pub fn stop(self) -> Ended {
        self.process.signal("INT");
        self.wait()
    }

    /// Waits until it ends by itself.
    #[track_caller]
    pub fn wait(mut self) -> Ended {
        let status = self.process.0.wait().expect("it ends");
        let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
        Ended {
            code: status.code(),
            out: read(&self.lines),
            err: read(&self.lines.with_extension("err")),
        }
    }

    /// One line for each message so far.
    pub fn summaries(&self) -> Vec<String> {
        self.messages()
            .iter()
            .map(|it| it["summary"].to_string())
            .collect()
    }
}

/// What became of the server.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code.
    pub code: Option<i32>,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

/// A REQUEST of a client that holds the address: from ciaddr, without options 50 and 54.
pub fn renewal(message: &Json) -> bool {
    let it = &message["message"];
    it["type"] == "REQUEST"
        && it["ciaddr"] != "0.0.0.0"
        && it["server_id"].is_null()
        && it["requested_ip"].is_null()
}

/// An executable script in the segment's directory.
fn script(segment: &Segment, name: &str, text: &str) -> PathBuf {
    let path = segment.directory().join(name);
    fs::write(&path, text).expect("a script");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it runs");
    path
}

fn quiet(command: &mut Command) -> Running {
    let command = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Running(command.spawn().expect("the client starts"))
}

/// What udhcpc runs to configure its interface; it tells the address to the file that BOUND names.
pub fn udhcpc_script(segment: &Segment) -> PathBuf {
    let text = "#!/bin/sh\ncase $1 in\nbound|renew)\n  ip address replace \"$ip/24\" dev \"$interface\"\n  echo \"$ip\" >\"$BOUND\";;\n\
                deconfig) ip address flush dev \"$interface\";;\nesac\n";
    script(segment, "udhcpc-script", text)
}

/// busybox's client, which tells its address through a file.
pub fn udhcpc(segment: &Segment) -> (Running, PathBuf) {
    let bound = segment.directory().join("bound");
    let _ = fs::remove_file(&bound);
    let mut command = segment.client_command(require("busybox"));
    command
        .args([
            "udhcpc",
            "-f",
            "-R",
            "-t",
            "3",
            "-T",
            "1",
            "-A",
            "1",
            "-i",
            segment.client_interface(),
            "-s",
        ])
        .arg(udhcpc_script(segment))
        .env("BOUND", &bound);
    (quiet(&mut command), bound)
}

/// The address that udhcpc told.
pub fn address(bound: &Path) -> Option<Ipv4Addr> {
    fs::read_to_string(bound).ok()?.trim().parse().ok()
}

/// ISC's client, with its files in the segment's directory.
pub struct Dhclient<'a> {
    segment: &'a Segment,
    hook: PathBuf,
    config: Option<PathBuf>,
}

impl<'a> Dhclient<'a> {
    /// One that does what it is told by [`Dhclient::command`].
    pub fn new(segment: &'a Segment) -> Self {
        let text = "#!/bin/sh\necho \"$reason\" >>\"${0%/*}/reasons\"\ncase $reason in\nBOUND|RENEW|REBIND|REBOOT) ip address replace \"$new_ip_address/24\" dev \"$interface\";;\n\
                    RELEASE|EXPIRE|PREINIT) ip address flush dev \"$interface\"; ip link set \"$interface\" up;;\nesac\n";
        let hook = script(segment, "dhclient-script", text);
        Dhclient {
            segment,
            hook,
            config: None,
        }
    }

    /// One that goes by this configuration.
    pub fn configured(segment: &'a Segment, config: &str) -> Self {
        let path = segment.directory().join("dhclient.conf");
        fs::write(&path, config).expect("a configuration");
        Dhclient {
            config: Some(path),
            ..Dhclient::new(segment)
        }
    }

    /// What its script was told so far: `PREINIT`, `BOUND`, `RENEW` …
    pub fn reasons(&self) -> Vec<String> {
        let file = self.segment.directory().join("reasons");
        let text = fs::read_to_string(file).unwrap_or_default();
        text.lines().map(str::to_string).collect()
    }

    /// Its command line: `-d` gets a lease and keeps it, `-r` gives it back.
    pub fn command(&self, flag: &str) -> Command {
        let directory = self.segment.directory();
        let mut command = self.segment.client_command(require("dhclient"));
        command
            .arg(flag)
            .arg("-lf")
            .arg(directory.join("leases"))
            .arg("-pf")
            .arg(directory.join("pid"))
            .arg("-sf")
            .arg(&self.hook);
        if let Some(config) = &self.config {
            command.arg("-cf").arg(config);
        }
        command.arg(self.segment.client_interface());
        command
    }

    /// Gets a lease and keeps it.
    #[track_caller]
    pub fn start(&self) -> Running {
        quiet(&mut self.command("-d"))
    }

    /// Gives the lease back.
    #[track_caller]
    pub fn release(&self) {
        let mut command = self.command("-r");
        let released = command.stdin(Stdio::null()).output();
        let released = released.expect("dhclient starts");
        assert!(
            released.status.success(),
            "{}",
            String::from_utf8_lossy(&released.stderr)
        );
    }
}

/// Has what follows in a command line for `unshare` run where the directories in which dhcpcd keeps its state are its
/// own.
pub fn own_state(unshare: &mut Command) -> &mut Command {
    let own = "mount -t tmpfs own /run && mkdir -p /run/dhcpcd && mount -t tmpfs own /var/lib/dhcpcd && exec \"$@\"";
    unshare.args(["--mount", "sh", "-c", own, "sh"])
}

/// dhcpcd; ALRM has it release its lease.
#[track_caller]
pub fn dhcpcd(segment: &Segment) -> Running {
    let mut command = segment.client_command(require("unshare"));
    own_state(&mut command)
        .arg(require("dhcpcd"))
        .args([
            "-4",
            "-B",
            "-A",
            "-K",
            "-p",
            "-c",
            "/bin/true",
            "-f",
            "/dev/null",
            "-t",
            "10",
        ])
        .arg(segment.client_interface());
    quiet(&mut command)
}
