//! The jobs of `samples/ci/` pass with a dnsmasq and a Kea that are configured well, and say what is wrong with one
//! that is not.

mod support;

use std::process::{Command, Output};

use support::{require, tool};

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
    (output, out)
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
fn dnsmasq_passes() {
    let (output, out) = job(
        "ci-dnsmasq",
        &dnsmasq("ci-dnsmasq", "samples/ci/dnsmasq.conf"),
    );
    assert_eq!(output.status.code(), Some(0));
    for report in ["tests.xml", "conform.xml"] {
        let text = std::fs::read_to_string(out.join(report)).expect("a report");
        assert!(
            text.contains("<testcase") && !text.contains("<failure"),
            "{report}"
        );
    }
}

#[test]
fn kea_passes() {
    let (output, _) = job("ci-kea", &["kea-dhcp4", "-c", "samples/ci/kea.json"]);
    assert_eq!(output.status.code(), Some(0));
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
