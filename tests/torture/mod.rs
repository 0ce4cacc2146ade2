//! The torture table (`tests/README.md`): what the other modules do not cover, row by row, and the
//! sweep that lets the n-th of every system call fail.

mod integrity;
mod kernel;
mod load;
mod network;
mod scenarios;
mod stdio;
mod sweep;
mod table;
