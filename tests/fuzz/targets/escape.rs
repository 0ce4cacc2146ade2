#![no_main]
#![allow(dead_code, reason = "the program uses the rest of the module")]

#[path = "../../../src/output/escape.rs"]
mod escape;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| escape::check(bytes));
