//! Every record that is printed with `--json` has exactly the fields that the manual shows.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Input, Peer, Program, Running, Step, nettool, records, scratch};

/// The fields of a record, or of an object in it.
type Fields = BTreeSet<String>;

/// What the pages show, and what they name besides.
struct Manual {
    /// The samples of each type.
    samples: BTreeMap<String, Vec<Fields>>,
    /// Words in bold: fields that only some records of a type have are told in a sentence.
    named: BTreeSet<String>,
}

impl Manual {
    /// All pages.
    fn read() -> Self {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/man");
        let pages = fs::read_dir(folder).expect("the pages");
        let pages = pages.map(|page| fs::read_to_string(page.expect("a page").path()));
        let text: String = pages.map(|page| page.expect("a page") + "\n").collect();
        let mut manual = Self {
            samples: BTreeMap::new(),
            named: BTreeSet::new(),
        };
        for part in text.split("\\fB").skip(1) {
            let word = part.split("\\fR").next().unwrap_or_default();
            manual.named.insert(word.replace("\\-", "-"));
        }
        for sample in text.split("\n{\"v\":1,").skip(1) {
            let sample = sample.split("\n{").next().unwrap_or_default();
            let sample = sample.split("\n.").next().unwrap_or_default();
            let sample = format!("{{\"v\":1,{}", sample.replace("\\-", "-"));
            let record = serde_json::from_str(&sample).unwrap_or_else(|e| panic!("{sample}: {e}"));
            let samples = manual.samples.entry(type_of(&record)).or_default();
            samples.push(fields(&record));
        }
        manual
    }

    /// What is wrong with the fields of a record: some that no sample has and no sentence names, or
    /// some that every sample has and it has not.
    fn problem(&self, record: &Value) -> Option<String> {
        let name = type_of(record);
        let Some(samples) = self.samples.get(&name) else {
            return Some(format!("{name} is in no page"));
        };
        let has = fields(record);
        let fits = |shown: &Fields| {
            let last = |field: &String| field.rsplit('.').next().unwrap_or_default().to_owned();
            let mut more = has.difference(shown);
            shown.is_subset(&has) && more.all(|field| self.named.contains(&last(field)))
        };
        let shown = samples.first()?;
        (!samples.iter().any(fits)).then(|| {
            format!(
                "{name}: not shown {:?}, not printed {:?}",
                has.difference(shown).collect::<Vec<_>>(),
                shown.difference(&has).collect::<Vec<_>>()
            )
        })
    }
}

/// The type of a record.
fn type_of(record: &Value) -> String {
    record["type"].as_str().expect("a type").to_owned()
}

/// The fields of a record and of the objects in it, these with the field that holds them. What the
/// fields of `lost` are called is data.
fn fields(record: &Value) -> Fields {
    let mut all = Fields::new();
    for (name, value) in record.as_object().expect("an object") {
        all.insert(name.clone());
        let inner = match value {
            Value::Array(list) => list.first().filter(|first| first.is_object()),
            Value::Object(_) if !["lost", "icmp"].contains(&name.as_str()) => Some(value),
            _ => None,
        };
        let inner = inner.map(fields).into_iter().flatten();
        all.extend(inner.map(|field| format!("{name}.{field}")));
    }
    all
}

/// `nettool --json` with these words.
fn json(words: &str) -> Program {
    nettool(["--json"]).args(words.split_whitespace())
}

/// What a command that ends by itself prints.
fn printed(words: &str) -> Vec<Value> {
    let exit = json(words).run();
    [records(exit.stdout), records(exit.stderr)].concat()
}

/// The records on stderr of a server that is interrupted.
fn interrupted(server: Running) -> Vec<Value> {
    server.signal(Signal::INT);
    records(server.wait().stderr)
}

/// A server on a free port, and the port.
fn serve(words: &str) -> (Running, String) {
    let server = json(&format!("listen {words}")).stdin(Input::Open).start();
    let line = records(server.line_with("\"listening\"")).remove(0);
    (server, line["port"].to_string())
}

/// What `connect` and `listen` print.
fn of_sessions() -> Vec<Value> {
    let folder = scratch();
    let folder = folder.path().to_str().expect("a plain path");
    let mut all = Vec::new();
    let (server, port) = serve(&format!("-k --save {folder} 127.0.0.1 0"));
    let client = json(&format!("connect 127.0.0.1 {port} --send-buffer 8K"));
    let client = client.stdin("bytes").run();
    client.success();
    all.extend(records(client.stderr));
    server.says("\"saved\"");
    server.signal(Signal::USR1);
    server.says("\"progress\"");
    all.extend(interrupted(server));
    let (server, port) = serve("-k -c true 0 --allow ::1");
    let client = json(&format!("connect 127.0.0.1 {port}")).run();
    all.extend(records(client.stderr));
    server.says("\"refused\"");
    all.extend(interrupted(server));
    let (server, port) = serve("-k -c true 0");
    all.extend(printed(&format!("connect 127.0.0.1 {port}")));
    server.says("\"child\"");
    all.extend(interrupted(server));
    let (server, _) = serve("127.0.0.1 0");
    server.signal(Signal::USR1);
    server.says("\"progress\"");
    all.extend(interrupted(server));
    all.extend(printed(
        "connect 127.0.0.1 1 --retry 1 --retry-delay 1ms -p 0",
    ));
    all
}

/// What `probe` prints.
fn of_probes() -> Vec<Value> {
    let lines = [
        "probe 127.0.0.1 1",
        "probe 127.0.0.1 1 --shard 1/1",
        "probe --ping 127.0.0.1",
        "probe --wait 50ms 127.0.0.1:1",
        "probe --wait 50ms unix:/nowhere",
        "probe --count 1 127.0.0.1:1",
    ];
    lines.into_iter().flat_map(printed).collect()
}

/// What `ifaces` and `buffers` print.
fn of_reports() -> Vec<Value> {
    let lines = [
        "ifaces lo --details",
        "ifaces nosuch0",
        "ifaces --for 127.0.0.1",
        "buffers",
        "buffers fill",
        "buffers fill --proto udp",
        "buffers list",
        "buffers advise --bandwidth 1M --rtt 1ms",
        "buffers --no-such-option",
    ];
    let mut all: Vec<Value> = lines.into_iter().flat_map(printed).collect();
    let peer = Peer::serve(vec![Step::ReadToEnd]);
    let client = nettool(["connect", &peer.target()]).stdin(Input::Open);
    let client = client.start();
    for (words, awaited) in [
        ("ifaces --watch --every 10ms lo", "\"rate\""),
        ("buffers watch --every 10ms", "\"connection\""),
    ] {
        let watch = json(words).start();
        watch.prints(awaited);
        watch.signal(Signal::INT);
        all.extend(records(watch.wait().stdout));
    }
    drop(client);
    all
}

#[test]
fn the_manual_shows_every_field_of_every_record() {
    let manual = Manual::read();
    let printed = [of_reports(), of_sessions(), of_probes()].concat();
    let problems: BTreeSet<_> = printed.iter().filter_map(|r| manual.problem(r)).collect();
    assert!(problems.is_empty(), "{problems:#?}");
    let seen: BTreeSet<_> = printed.iter().map(type_of).collect();
    let shown: BTreeSet<_> = manual.samples.into_keys().collect();
    assert_eq!(
        shown, seen,
        "types that are shown, and those that are printed"
    );
}
