//! The jobs of `samples/ci/` pass with a dnsmasq and a Kea that are configured well, and say what is wrong with one
//! that is not.

mod support;

use std::process::{Command, Output};
use std::time::Duration;

use support::{require, tool, wait_for};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Runs the job with a server, in a namespace of its own, where its interfaces go with it.
fn job(name: &str, server: &[impl AsRef<std::ffi::OsStr>]) -> (Output, std::path::PathBuf) {
    let out = tool::scratch(name);
    let output = Command::new(require("unshare"))
        .args([
            "--net",
            "samples/ci/job.sh",
            "10.77.0.1/24",
            "samples/ci/office.star",
        ])
        .args(server)
        .current_dir(ROOT)
        .env("DHCPCRAFT", tool::TOOL)
        .env("OUT", &out)
        // Kea keeps its locks and its PID there.
        .env("KEA_LOCKFILE_DIR", "none")
        .env("KEA_PIDFILE_DIR", &out)
        .output()
        .expect("the job starts");
    eprintln!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    left_nothing(&out);
    (output, out)
}

/// Nothing that the job started outlives it: all of it has the job's directory in its environment.
fn left_nothing(out: &std::path::Path) {
    let mark = format!("OUT={}", tool::text(out)).into_bytes();
    let started = || {
        let all = std::fs::read_dir("/proc").expect("processes");
        let paths = all.filter_map(|it| Some(it.ok()?.path()));
        let ours = paths.filter(|it| {
            let environment = std::fs::read(it.join("environ")).unwrap_or_default();
            environment.split(|it| *it == 0).any(|it| it == mark)
        });
        let lines = ours.filter_map(|it| std::fs::read_to_string(it.join("cmdline")).ok());
        lines.map(|it| it.replace('\0', " ")).collect::<Vec<_>>()
    };
    let gone = wait_for(|| started().is_empty(), Duration::from_secs(10));
    assert!(gone, "{:?} still run", started());
}

fn dnsmasq(name: &str, configuration: &str) -> [String; 5] {
    let leases = tool::scratch(&format!("{name}-leases")).join("leases");
    [
        "dnsmasq".into(),
        "--keep-in-foreground".into(),
        "--user=root".into(),
        format!("--dhcp-leasefile={}", tool::text(&leases)),
        format!("--conf-file={configuration}"),
    ]
}

#[test]
fn a_rogue_beside_the_server_fails_and_is_named() {
    let good = dnsmasq("ci-rogue", "samples/ci/dnsmasq.conf");
    // Both on the server's wire, and both ended with the job.
    let both = r#"
        "$DHCPCRAFT" serve -i srv0 --address 10.77.0.66/24 --src-mac 02:00:5e:66:66:66 \
            --pool 10.77.0.60-10.77.0.69 -w "$OUT/ci-rogue.pcapng" &
        "$@" &
        trap 'kill $(jobs -p); wait' TERM
        wait"#;
    let command = [
        &["bash", "-c", both, "ci-rogue"].map(String::from)[..],
        &good,
    ]
    .concat();
    let (output, out) = job("ci-rogue", &command);
    assert_eq!(output.status.code(), Some(1));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (said, told) = (text(&output.stdout), text(&output.stderr));
    let look = said
        .split("== ")
        .find(|it| it.starts_with("servers -i cli0 --allow 10.77.0.1\n"))
        .expect("the look");
    assert!(look.contains("10.77.0.66 (!)"), "{look}");
    assert!(look.contains("\n1  10.77.0.1  "), "{look}");
    let rogue = "(!) 10.77.0.66 (02:00:5e:66:66:66) is not allowed to answer here";
    assert!(told.contains(rogue), "{told}");
    let log = std::fs::read_to_string(out.join("server.log")).expect("a log");
    assert!(log.contains("serving 10.77.0.60-10.77.0.69"), "{log}");
}

#[test]
fn dnsmasq_passes() {
    let (output, out) = job(
        "ci-dnsmasq",
        &dnsmasq("ci-dnsmasq", "samples/ci/dnsmasq.conf"),
    );
    assert_eq!(output.status.code(), Some(0));
    alone(&output);
    for report in ["tests.xml", "conform.xml"] {
        let text = std::fs::read_to_string(out.join(report)).expect("a report");
        assert!(
            text.contains("<testcase") && !text.contains("<failure"),
            "{report}"
        );
    }
}

/// The look for servers found the one that is allowed, and nobody else.
fn alone(output: &Output) {
    let said = String::from_utf8_lossy(&output.stdout);
    let look = said.split("== ").find(|it| it.starts_with("servers "));
    let look = look.expect("the look");
    assert!(
        look.contains("\n1  10.77.0.1  ") && !look.contains("\n2 "),
        "{look}"
    );
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.lines().any(|it| it == "1 server"), "{told}");
}

#[test]
fn kea_passes() {
    let (output, _) = job("ci-kea", &["kea-dhcp4", "-c", "samples/ci/kea.json"]);
    assert_eq!(output.status.code(), Some(0));
    alone(&output);
}

#[test]
fn a_server_without_a_router_fails_and_it_says_why() {
    let good = std::fs::read_to_string(format!("{ROOT}/samples/ci/dnsmasq.conf")).expect("a file");
    // The option without a value is not sent.
    let bad = good.replace("option:router,10.77.0.1", "option:router");
    assert_ne!(good, bad);
    let file = tool::scratch("ci-no-router-configuration").join("dnsmasq.conf");
    std::fs::write(&file, bad).expect("a file");
    let (output, out) = job("ci-no-router", &dnsmasq("ci-no-router", tool::text(&file)));
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("router"), "{said}");
    let report = std::fs::read_to_string(out.join("tests.xml")).expect("a report");
    assert!(report.contains("<failure"), "{report}");
}

#[test]
fn the_workflow_runs_the_job_that_is_tested_here() {
    let workflow =
        std::fs::read_to_string(format!("{ROOT}/samples/ci/github.yml")).expect("a file");
    let words: Vec<_> = workflow.split_whitespace().collect();
    let ran = words.join(" ");
    let [program, foreground, ..] = dnsmasq("ci-workflow", "");
    let job = "samples/ci/job.sh 10.77.0.1/24 samples/ci/office.star";
    let wanted = format!("{job} {program} {foreground} --conf-file=samples/ci/dnsmasq.conf");
    assert!(ran.contains(&wanted), "{ran}");
    let package = format!("install --yes --no-install-recommends {program}-base");
    assert!(ran.contains(&package), "{ran}");
}
