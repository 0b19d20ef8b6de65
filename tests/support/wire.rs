//! A wire: one veth pair between two network namespaces that nobody else sees, and nothing in between.

use super::{
    expect_within,
    process::Process,
    require,
    segment::{PATIENCE, in_net, run, set_up},
    tool::{Run, TOOL, finish},
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{self, Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

/// One end of a wire.
pub struct End {
    holder: Process,
    interface: &'static str,
    directory: PathBuf,
}

/// Two namespaces and the wire between them; they go with the value.
pub struct Wire {
    /// The end where a test asks.
    pub near: End,
    /// The end where somebody answers.
    pub far: End,
}

impl Wire {
    /// A wire that takes frames with so many bytes behind the Ethernet header.
    #[track_caller]
    pub fn new(mtu: u32) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("wire-{}-{count}", process::id()));
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).expect("a directory");
        let end = |interface| {
            // It ends with the test, whose end closes the pipe.
            let holder = Process::start_holder(
                Command::new(require("unshare"))
                    .args(["--pid", "--fork", "--net", "--"])
                    .args(["sh", "-c", "echo ready; exec cat >/dev/null"])
                    .stdin(Stdio::piped()),
            );
            set_up(&holder, "lo");
            End {
                holder,
                interface,
                directory: directory.clone(),
            }
        };
        let (near, far) = (end("near0"), end("far0"));
        let size = mtu.to_string();
        run(in_net(&near.holder, require("ip"))
            .args(["link", "add", near.interface, "mtu", &size])
            .args(["type", "veth", "peer", "name", far.interface, "mtu", &size])
            .args(["netns", &far.holder.pid().to_string()]));
        for it in [&near, &far] {
            set_up(&it.holder, it.interface);
        }
        expect_within("the wire to come up", PATIENCE, || {
            let show = ["-brief", "link", "show", near.interface];
            run(in_net(&near.holder, require("ip")).args(show)).contains(" UP ")
        });
        Wire { near, far }
    }

    /// A directory for the test's files.
    pub fn directory(&self) -> &Path {
        &self.near.directory
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        for end in [&mut self.near, &mut self.far] {
            end.holder.close_stdin();
        }
        let _ = fs::remove_dir_all(&self.near.directory);
    }
}

impl End {
    /// The name of its interface.
    pub fn interface(&self) -> &'static str {
        self.interface
    }

    /// A program at this end.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = in_net(&self.holder, program);
        command.env_remove("COLUMNS").env_remove("NO_COLOR");
        command
    }

    /// Configures this end with `ip` and gives what it printed.
    #[track_caller]
    pub fn ip(&self, args: &str) -> String {
        run(self.command(require("ip")).args(args.split(' ')))
    }

    /// Runs the tool at this end to its end.
    #[track_caller]
    pub fn tool(&self, args: &[&str]) -> Run {
        let mut command = self.command(TOOL);
        finish(command.args(args).args(["-i", self.interface]), b"")
    }

    /// Starts the tool at this end and returns when it listens.
    #[track_caller]
    pub fn start(&self, args: &[&str]) -> Running {
        let mut command = self.command(TOOL);
        command.args(args).args(["-i", self.interface]);
        Running::start(&mut command, &self.directory)
    }
}

/// The tool while it runs.
pub struct Running {
    child: Child,
    out: PathBuf,
    err: PathBuf,
}

impl Running {
    /// Starts the tool, with its outputs in files of this directory, and returns when it listens.
    #[track_caller]
    pub fn start(command: &mut Command, directory: &Path) -> Running {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("tool-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let [out, err] = ["out", "err"].map(|it| directory.join(format!("{name}.{it}")));
        let file = |path: &Path| fs::File::create(path).expect("a file");
        let child = command
            .stdin(Stdio::null())
            .stdout(file(&out))
            .stderr(file(&err))
            .spawn()
            .expect("the tool starts");
        let mut running = Running { child, out, err };
        let process = PathBuf::from(format!("/proc/{}", running.child.id()));
        // A packet socket of its own that is bound to an interface listens.
        expect_within("the tool to listen", PATIENCE, || {
            let ended = running.child.try_wait().is_ok_and(|it| it.is_some());
            assert!(!ended, "it ended: {}", running.err());
            let table = fs::read_to_string(process.join("net/packet")).unwrap_or_default();
            let own: Vec<PathBuf> = fs::read_dir(process.join("fd"))
                .into_iter()
                .flatten()
                .filter_map(|it| fs::read_link(it.ok()?.path()).ok())
                .collect();
            table.lines().skip(1).any(|line| {
                let columns: Vec<&str> = line.split_whitespace().collect();
                let socket = columns.last().map(|it| format!("socket:[{it}]"));
                let bound = columns.get(4).is_some_and(|it| *it != "0");
                bound && socket.is_some_and(|it| own.contains(&it.into()))
            })
        });
        running
    }

    /// Its standard output so far.
    pub fn out(&self) -> String {
        fs::read_to_string(&self.out).unwrap_or_default()
    }

    /// Its standard error so far.
    pub fn err(&self) -> String {
        fs::read_to_string(&self.err).unwrap_or_default()
    }

    /// Sends it a signal.
    #[track_caller]
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("sh")
            .args(["-c", "kill -\"$1\" \"$0\"", &pid, name])
            .status();
        assert!(sent.expect("a shell").success(), "the process is there");
    }

    /// Waits for its end.
    #[track_caller]
    pub fn end(mut self) -> Run {
        let mut code = None;
        expect_within("the tool to end", PATIENCE * 2, || {
            code = self.child.try_wait().expect("a child");
            code.is_some()
        });
        Run {
            code: code.and_then(|it| it.code()),
            out: self.out(),
            err: self.err(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
