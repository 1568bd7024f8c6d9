//! Wilco without a window.

fn main() {}
