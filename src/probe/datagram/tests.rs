//! Whole surveys of simulated hosts.
