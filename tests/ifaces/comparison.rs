//! What `ip -j -d -s address` says, in the words of the contract.

use serde_json::{Value, json};

use crate::support::Namespace;

/// What `ip` says of all interfaces.
pub(super) fn ip(space: &Namespace) -> Vec<Value> {
    let exit = space.run("ip -j -d -s address");
    serde_json::from_slice(&exit.stdout).expect("JSON")
}

/// The records that `nettool` should print of what `ip` says.
pub(super) fn expected(links: &[Value]) -> Vec<Value> {
    let all = links.iter();
    all.map(|link| expected_link(link, links)).collect()
}

/// The record of one of these links.
fn expected_link(link: &Value, all: &[Value]) -> Value {
    let name = text(link, "ifname");
    let flags = words(&link["flags"]);
    let linked = all
        .iter()
        .find(|other| !link["link"].is_null() && other["ifname"] == link["link"]);
    let linked = linked.map_or(&link["link_index"], |other| &other["ifindex"]);
    let addresses: Vec<Value> = list(&link["addr_info"])
        .iter()
        .map(|address| expected_address(address, &name))
        .collect();
    json!({
        "v": 1, "type": "interface", "index": link["ifindex"], "name": name,
        "kind": kind(link), "state": state(link, &flags), "flags": flags_of(&flags),
        "mtu_bytes": link["mtu"],
        "mac": if link["link_type"] == "none" { Value::Null } else { link["address"].clone() },
        "master": link["master"], "alias": link["ifalias"],
        "alternative_names": list(&link["altnames"]), "link": link["link"], "link_index": linked,
        "link_namespace": link["link_netnsid"], "permanent_mac": link["permaddr"],
        "queue_length_packets": link["txqlen"], "addresses": addresses, "stats": stats(link),
    })
}

/// An address in the words of the contract.
fn expected_address(address: &Value, interface: &str) -> Value {
    let ipv4 = address["family"] == "inet";
    let text_of_address = text(address, "local");
    let seconds = |name: &str| match &address[name] {
        forever if *forever == json!(u32::MAX) => Value::Null,
        finite => finite.clone(),
    };
    let label = (ipv4 && address["label"] != interface).then(|| address["label"].clone());
    let set: Vec<_> = FLAGS
        .into_iter()
        .filter(|flag| address[*flag] == true)
        .collect();
    json!({
        "family": if ipv4 { "ipv4" } else { "ipv6" }, "address": text_of_address,
        "prefix": address["prefixlen"], "broadcast": address["broadcast"],
        "peer": address["address"], "scope": address["scope"],
        "zone": text_of_address.starts_with("fe80:").then_some(interface),
        "label": label, "flags": set,
        "valid_s": seconds("valid_life_time"), "preferred_s": seconds("preferred_life_time"),
    })
}

/// The flags of addresses that can be made here, in our order.
const FLAGS: [&str; 8] = [
    "secondary",
    "temporary",
    "dynamic",
    "nodad",
    "deprecated",
    "tentative",
    "mngtmpaddr",
    "noprefixroute",
];

/// The flags as the kernel has them; `ip` turns a missing RUNNING into a NO-CARRIER.
fn flags_of(words: &[String]) -> Vec<&'static str> {
    let order = [
        "UP",
        "BROADCAST",
        "LOOPBACK",
        "POINTOPOINT",
        "RUNNING",
        "NOARP",
        "PROMISC",
        "ALLMULTI",
        "MULTICAST",
        "LOWER_UP",
    ];
    let shows = |flag: &str| words.iter().any(|word| word == flag);
    let running = shows("UP") && !shows("NO-CARRIER");
    let is_set = |flag: &&str| {
        if *flag == "RUNNING" {
            running
        } else {
            shows(flag)
        }
    };
    order.into_iter().filter(is_set).collect()
}

/// The state, out of two words of `ip`.
fn state(link: &Value, flags: &[String]) -> &'static str {
    let shows = |flag: &str| flags.iter().any(|word| word == flag);
    match text(link, "operstate").as_str() {
        _ if !shows("UP") => "down",
        "LOWERLAYERDOWN" => "lower-layer-down",
        "UP" | "UNKNOWN" if !shows("NO-CARRIER") => "up",
        _ => "no-carrier",
    }
}

/// The kind: `ip` has one word for tun and tap.
fn kind(link: &Value) -> String {
    match (&link["linkinfo"]["info_kind"], &link["link_type"]) {
        (Value::Null, hardware) => hardware.as_str().expect("a type").to_owned(),
        (kind, hardware) if *kind == "tun" && *hardware == "ether" => "tap".to_owned(),
        (kind, _) => kind.as_str().expect("a kind").to_owned(),
    }
}

/// The counters.
fn stats(link: &Value) -> Value {
    let (rx, tx) = (&link["stats64"]["rx"], &link["stats64"]["tx"]);
    json!({
        "rx_bytes": rx["bytes"], "rx_packets": rx["packets"], "rx_errors": rx["errors"],
        "rx_dropped": rx["dropped"], "tx_bytes": tx["bytes"], "tx_packets": tx["packets"],
        "tx_errors": tx["errors"], "tx_dropped": tx["dropped"],
    })
}

/// A text that must be there.
pub(super) fn text(value: &Value, name: &str) -> String {
    value[name].as_str().expect("a text").to_owned()
}

/// A list, or none.
pub(super) fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

/// A list of texts.
pub(super) fn words(value: &Value) -> Vec<String> {
    let words = list(value).into_iter();
    words
        .map(|word| word.as_str().expect("a text").to_owned())
        .collect()
}
