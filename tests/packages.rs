//! What packages are made of: the licences of all that goes in, and files in their places.

use std::env;
use std::fs;

use serde_json::Value;

use crate::support::Program;

/// Licences that ask for no more than to be named.
const FREE: [&str; 8] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "MIT",
    "Unicode-3.0",
    "Zlib",
];

/// What cargo knows of this package and all that it depends on.
fn metadata() -> Value {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let exit = Program::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args([
            "--manifest-path",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        ])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .run();
    exit.status(0);
    serde_json::from_slice(&exit.stdout).expect("JSON")
}

/// Whether a licence expression leaves a free choice.
fn is_free(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ").replace(['(', ')'], " ");
    let free = |name: &str| FREE.contains(&name.trim()) || name.trim() == "Unlicense";
    // In `(A OR B) AND C` without its parentheses every part must be free, which is strict enough.
    if expression.contains(" AND ") {
        let names = expression
            .split(" AND ")
            .flat_map(|part| part.split(" OR "));
        return names.into_iter().all(free);
    }
    expression.split(" OR ").any(free)
}

#[test]
fn everything_that_goes_in_is_free() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    assert!(packages.len() > 10, "the packages are missing");
    let others: Vec<String> = packages
        .iter()
        .filter(|package| !package["license"].as_str().is_some_and(is_free))
        .map(|package| format!("{}: {}", package["name"], package["license"]))
        .collect();
    assert!(others.is_empty(), "not known to be free: {others:?}");
}

#[test]
fn every_packager_finds_its_files() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    let ours = packages.iter().find(|package| package["name"] == "nettool");
    let wanted = &ours.expect("this package")["metadata"];
    let deb = wanted["deb"]["assets"].as_array().expect("assets");
    let rpm = wanted["generate-rpm"]["assets"].as_array().expect("assets");
    let deb = deb.iter().map(|asset| (&asset[0], &asset[1]));
    let rpm = rpm.iter().map(|asset| (&asset["source"], &asset["dest"]));
    let script = fs::read_to_string(path("packaging/deb")).expect("a script");
    for (source, place) in deb.clone() {
        let place = place.as_str().expect("a path").trim_end_matches('/');
        assert!(
            script.contains(&format!("$root/{place}")),
            "{place} is not in packaging/deb"
        );
        assert!(source.is_string(), "{source}");
    }
    for (source, _) in deb.chain(rpm) {
        let source = source.as_str().expect("a path");
        let made = source.starts_with("target/");
        let folder = source.split_once('*').map_or(source, |(folder, _)| folder);
        let folder = if folder.is_empty() || folder.ends_with('-') {
            "."
        } else {
            folder
        };
        assert!(
            made || fs::exists(path(folder)).is_ok_and(|is| is),
            "there is no {source}"
        );
    }
}

/// A file of this package.
fn path(name: &str) -> String {
    format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))
}
