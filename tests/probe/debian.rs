//! Servers as a distribution has them: each is found, named by its answer, waited for and measured.

use std::fs;
use std::path::Path;

use super::{answered, ports, probe, records, text};
use crate::support::{Exit, Input, Namespace, Program, Running, need, scratch, skip};
use std::time::Duration;

/// All of them in `space`, with their files in `directory`.
fn serve(space: &Namespace, directory: &Path) -> Vec<Running> {
    let place = directory.display().to_string();
    let write = |name: &str, text: String| fs::write(directory.join(name), text).unwrap();
    write("index.html", "hello\n".to_owned());
    write(
        "snmpd.conf",
        "agentaddress udp:127.0.0.1:161\nrocommunity public\n".to_owned(),
    );
    write(
        "chrony.conf",
        format!("local\nallow\nbindaddress 127.0.0.1\ncmdport 0\npidfile {place}/chrony.pid\n"),
    );
    let key = format!("-q -t ed25519 -N  -f {place}/host");
    Program::new("ssh-keygen")
        .args(key.split(' '))
        .run()
        .success();
    let request = format!(
        "req -x509 -newkey ed25519 -nodes -subj /CN=localhost -keyout {place}/key -out {place}/cert"
    );
    let request = Program::new("openssl").args(request.split(' '));
    request.run().status(0);
    space.run("mount -t tmpfs tmpfs /run");
    space.run("mkdir -p /run/sshd");
    let sshd = Program::new("sh").args(["-c", "command -v sshd"]).run();
    let sshd = text(&sshd).trim().to_owned();
    let commands = [
        format!(
            "dnsmasq --keep-in-foreground --conf-file=/dev/null --user=root --group=root --pid-file= \
             --no-resolv --no-hosts --listen-address=127.0.0.1 --bind-interfaces \
             --log-facility={place}/dnsmasq.log --enable-tftp --tftp-root={place}"
        ),
        format!("snmpd -f -C -c {place}/snmpd.conf -Lf {place}/snmpd.log -p {place}/snmpd.pid"),
        format!("chronyd -d -x -u root -f {place}/chrony.conf"),
        format!("{sshd} -D -e -f /dev/null -p 22 -h {place}/host -o PidFile=none"),
        format!(
            "openssl s_server -accept 127.0.0.1:443 -key {place}/key -cert {place}/cert -quiet"
        ),
        format!("python3 -m http.server --bind 127.0.0.1 --directory {place} 80"),
    ];
    let start = |words: &String| {
        let mut words = words.split(' ').filter(|word| !word.is_empty());
        let program = Program::new(words.next().unwrap()).args(words);
        space.inside(program).stdin(Input::Open).start()
    };
    commands.iter().map(start).collect()
}

#[test]
fn every_server_is_waited_for_found_and_named() {
    let programs = [
        "dnsmasq",
        "snmpd",
        "chronyd",
        "sshd",
        "ssh-keygen",
        "openssl",
        "python3",
    ];
    if !need(&programs) {
        return;
    }
    if !rustix::process::geteuid().is_root() {
        return skip("only root can run sshd and chronyd");
    }
    let Some(space) = Namespace::new() else {
        return;
    };
    let directory = scratch();
    let _servers = serve(&space, directory.path());
    let run = |words: &str| space.inside(probe(words)).run();
    let all = "t:22,53,80,443,u:53,69,123,161";
    let wait = space.inside(probe(&format!("--wait 3m 127.0.0.1:{all}")));
    let wait = wait.limit(Duration::from_secs(200)).run();
    wait.success().silent();
    let replies = |exit: &Exit| {
        let ports = records(exit, "port").into_iter();
        let heard = ports.filter(|port| port["reason"] == "protocol-reply");
        heard.count() == 4
    };
    let exit = answered(|| run("--json -u 127.0.0.1 1-1000"), replies);
    let found = ports(exit.success().silent());
    let open = found.iter().filter(|(_, report)| report["state"] == "open");
    let named = open.map(|(port, report)| {
        assert_eq!(report["reason"], "protocol-reply", "{report}");
        (*port, report["service"].as_str().unwrap())
    });
    assert_eq!(
        named.collect::<Vec<_>>(),
        [(53, "dns"), (69, "tftp"), (123, "ntp"), (161, "snmp")]
    );
    let banners = |exit: &Exit| {
        let ports = records(exit, "port").into_iter();
        ports.filter(|port| port["banner"].is_string()).count() == 3
    };
    let exit = answered(|| run("--json --banner 127.0.0.1 22,53,80,443"), banners);
    let found = ports(exit.success().silent());
    let said = |port: u64| found[&port]["banner"].as_str().unwrap_or_default();
    assert!(said(22).starts_with("SSH-2.0-OpenSSH_"), "{}", said(22));
    assert!(
        said(80).starts_with("HTTP/1.0 200 OK\\r\\n"),
        "{}",
        said(80)
    );
    assert_eq!(said(443), "tls");
    assert_eq!((&found[&53]["state"], said(53)), (&"open".into(), ""));
    let words = format!("--count 3 --every 50ms --json 127.0.0.1:{all}");
    let all_answered = |exit: &Exit| {
        let latency = records(exit, "latency");
        latency.iter().all(|record| record["answered"] == 3)
    };
    let exit = answered(|| run(&words), all_answered);
    for latency in records(exit.success().silent(), "latency") {
        assert_eq!(latency["answered"], 3, "{latency}");
    }
}
