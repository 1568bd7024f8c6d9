//! The version of the C library that the built programs require: that of the build machine, or slightly older. Without
//! this dependency, a package could be installed on systems where its programs do not start.

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result};

use crate::process;

/// A version of the GNU C library.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Glibc(Vec<u32>);

impl fmt::Display for Glibc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&numbers.join("."))
    }
}

/// The oldest version with which all of these programs start; `None` if none of them needs it.
///
/// # Errors
/// If `readelf`, which is installed with the compiler's linker, is missing, or if a file is not a program.
pub(crate) fn oldest_for(programs: &[&Path]) -> Result<Option<Glibc>> {
    let mut oldest = None;
    for program in programs {
        let mut readelf = process::program("readelf");
        let said = process::quietly(readelf.env("LC_ALL", "C").args(["--wide", "--version-info"]).arg(program));
        let said = said.with_context(|| format!("`readelf` did not read {}", program.display()))?;
        oldest = oldest.max(newest_named(&said));
    }
    Ok(oldest)
}

/// The newest version in `readelf`'s list of the symbols that a program imports.
pub(crate) fn newest_named(said: &str) -> Option<Glibc> {
    let names = said.lines().filter_map(|line| line.split_once("Name: GLIBC_")?.1.split_whitespace().next());
    // GLIBC_PRIVATE and similar symbols are not versions.
    names.filter_map(|name| name.split('.').map(|number| number.parse().ok()).collect()).map(Glibc).max()
}

#[cfg(test)]
mod tests {
    use super::newest_named;

    #[test]
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn a_program_that_was_built_here_needs_a_version() {
        let program = std::env::current_exe().expect("this program has a path");
        assert!(super::oldest_for(&[&program]).expect("readelf reads it").is_some());
        let none = super::oldest_for(&[&program, &program.join("nowhere")]).map_err(|error| error.to_string());
        assert!(none.is_err_and(|error| error.starts_with("`readelf` did not read ")));
    }

    #[test]
    fn the_newest_version_is_that_of_the_highest_number() {
        let check = |said: &str, expected: Option<&str>| {
            assert_eq!(newest_named(said).map(|version| version.to_string()).as_deref(), expected, "{said}");
        };
        let said = "\
  038:   c (GLIBC_2.99)    b (GLIBC_2.3.2)
Version needs section '.gnu.version_r' contains 2 entries:
 Addr: 0x00000000000017ac  Offset: 0x000017ac  Link: 8 (.dynstr)
  000000: Version: 1  File: libgcc_s.so.1  Cnt: 3
  0x0060:   Name: GCC_4.2.0  Flags: none  Version: 26
  0x0020: Version: 1  File: libc.so.6  Cnt: 20
  0x0080:   Name: GLIBC_2.2.5  Flags: none  Version: 3
  0x0090:   Name: GLIBC_2.34  Flags: none  Version: 19
  0x00a0:   Name: GLIBC_2.4  Flags: WEAK  Version: 11
  0x00b0:   Name: GLIBC_PRIVATE  Flags: none  Version: 7
";
        check(said, Some("2.34"));
        check("  0x0080:   Name: GLIBC_2.3.4  Flags: none  Version: 3\n  0x0090:   Name: GLIBC_2.3\n", Some("2.3.4"));
        check("There are no version needs.", None);
        check("", None);
    }
}
