//! Processor time and memory of processes, from `proc(5)`.

use std::fs;

use anyhow::{Context, Result};

/// Ticks of processor time a second: what Linux shows to programs is counted so on every machine.
const TICKS: f64 = 100.0;

/// A process and all that it has started, itself first.
pub(crate) fn family(root: u32) -> Result<Vec<u32>> {
    let parents: Vec<(u32, u32)> = fs::read_dir("/proc")?
        .flatten()
        .filter_map(|entry| {
            let id = entry.file_name().to_str()?.parse().ok()?;
            Some((id, parent(&fs::read_to_string(entry.path().join("status")).ok()?)?))
        })
        .collect();
    let mut family = vec![root];
    let mut next = 0;
    while let Some(&one) = family.get(next) {
        family.extend(parents.iter().filter(|(_, parent)| *parent == one).map(|(id, _)| *id));
        next += 1;
    }
    Ok(family)
}

/// The one of that family whose name begins so; the kernel keeps 15 characters of it.
pub(crate) fn named(root: u32, name: &str) -> Result<u32> {
    family(root)?.into_iter().find(|id| is_named(*id, name)).with_context(|| format!("there is no process {name}"))
}

/// Whether a process has this name.
pub(crate) fn is_named(id: u32, name: &str) -> bool {
    fs::read_to_string(format!("/proc/{id}/comm"))
        .is_ok_and(|comm| !comm.trim().is_empty() && name.starts_with(comm.trim()))
}

/// The processor time that a process has taken, seconds.
pub(crate) fn processor_time(id: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).with_context(|| format!("process {id} has ended"))?;
    ticks(&stat).map(|ticks| ticks / TICKS).context("no processor time")
}

/// `utime` and `stime`: fields 14 and 15, counted behind the name, which may hold anything.
fn ticks(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some(fields.next()?.parse::<f64>().ok()? + fields.next()?.parse::<f64>().ok()?)
}

fn parent(status: &str) -> Option<u32> {
    status.lines().find_map(|line| line.strip_prefix("PPid:")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::{family, processor_time, ticks};

    #[test]
    fn processor_time_is_read_after_any_process_name() {
        let stat = "42 (a) b) (c) S 1 42 42 0 -1 4194560 99 0 0 0 150 25 0 0 20 0 1 0 5 0 0";
        assert_eq!(ticks(stat), Some(175.0));
        assert_eq!(ticks("42 (cut"), None);
    }

    #[test]
    fn this_process_is_its_own_family_and_takes_time() -> anyhow::Result<()> {
        let own = std::process::id();
        assert_eq!(family(own)?.first(), Some(&own));
        assert!(processor_time(own)? >= 0.0);
        Ok(())
    }
}
