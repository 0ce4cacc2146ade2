//! The table names tests that exist.
