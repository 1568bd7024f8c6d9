//! Searches the memory of a process from outside.

use std::fs::File;
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result};

use super::canary::Canaries;

/// What is found in the memory that a process of ours has written to.
pub(super) fn found_in_memory(process: u32, canaries: &Canaries) -> Result<Vec<String>> {
    let memory = File::open(format!("/proc/{process}/mem")).context("no process may be looked into here")?;
    let mut found = Vec::new();
    for line in std::fs::read_to_string(format!("/proc/{process}/maps"))?.lines() {
        let Some((range, rest)) = line.split_once(' ') else { continue };
        let (start, end) = range.split_once('-').context("no range")?;
        let (start, end) = (u64::from_str_radix(start, 16)?, u64::from_str_radix(end, 16)?);
        let is_own = rest.trim_end().ends_with(" 0") || rest.contains("[heap]") || rest.contains("[stack]");
        if !rest.starts_with("rw") || !is_own {
            continue;
        }
        let mut part = vec![0; usize::try_from(end - start)?];
        // A part that was given back meanwhile cannot be read.
        if memory.read_exact_at(&mut part, start).is_ok() && part.iter().any(|byte| *byte != 0) {
            found.extend(canaries.found_in(&part).into_iter().map(str::to_owned));
        }
    }
    Ok(found)
}
