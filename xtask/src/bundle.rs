//! `cargo xtask bundle [--test] [formats]`: packages the app and the command line.
//!
//! `src-tauri/tauri.conf.json`, and a file for each system beside it, list the contents. Tauri's bundler builds the
//! packages from the program that cargo built here.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};

use crate::glibc::{self, Glibc};
use crate::packages::Purpose;
use crate::run::EMBEDDED_PAGE;
use crate::{npm, packages, process, target};

/// Every format that the configuration provides for.
const FORMATS: [&str; 6] = ["deb", "rpm", "appimage", "nsis", "msi", "dmg"];

/// The default formats. AppImage is not one of them, because it needs tools that the bundler downloads.
pub(crate) const USUAL: &[&str] = if cfg!(windows) {
    &["nsis", "msi"]
} else if cfg!(target_os = "macos") {
    &["dmg"]
} else {
    &["deb", "rpm"]
};

/// Runs `bundle` with the given arguments.
pub(crate) fn bundle(words: &[&str]) -> Result<ExitCode> {
    let (formats, test) = asked(words)?;
    let mut purposes = vec![Purpose::Build];
    if test {
        purposes.extend([Purpose::Window, Purpose::Test, Purpose::Package]);
    }
    packages::install(&purposes)?;
    let made = make(&formats)?;
    if test {
        let package = made.iter().find(|path| path.extension().is_some_and(|extension| extension == "deb"));
        try_out(package.context("the bundler created no .deb")?)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Builds the release programs.
pub(crate) fn build() -> Result<()> {
    npm::install()?;
    npm::build()?;
    let mut build = process::cargo();
    // Includes the device, which tests and measures the packages: a different selection would be compiled again.
    build.args(["build", "--release", "--package", "wilco-desktop", "--package", "wilco-cli", "--package"]);
    build.args(["wilco-device", "--features", EMBEDDED_PAGE]);
    process::run("Building the app, the command line and the device as they are released", &mut build)
}

/// Builds the programs and packages them. Returns the packages.
pub(crate) fn make(formats: &[&str]) -> Result<Vec<PathBuf>> {
    build()?;
    let packed = target().join("release/bundle");
    for format in formats {
        let before = packed.join(format);
        if before.exists() {
            std::fs::remove_dir_all(&before).with_context(|| format!("removing {}", before.display()))?;
        }
    }
    let mut bundler = npm::script("bundle");
    bundler.args(["--", "--ci", "--bundles", &formats.join(","), "--config"]).arg(additions()?);
    process::run("Packing", &mut bundler)?;

    println!("\n==> Packages");
    let mut made = Vec::new();
    for format in formats {
        let files = packages_in(&packed.join(format))?;
        ensure!(!files.is_empty(), "the bundler created no {format}; its output is above.");
        made.extend(files);
    }
    for path in &made {
        let bytes = path.metadata().with_context(|| format!("reading {}", path.display()))?.len();
        println!("    {} ({:.1} MB)", path.strip_prefix(crate::top()).unwrap_or(path).display(), bytes as f64 / 1e6);
    }
    Ok(made)
}

/// Installs the package, starts the app from its desktop entry, and removes the package.
fn try_out(package: &Path) -> Result<()> {
    let mut build = process::cargo();
    build.args(["build", "--package", "wilco-tests", "--bin", "installed"]);
    process::run("Building the test of the package", &mut build)?;
    let trial = target().join("debug/installed");
    process::run(
        "Trying the package: install, start, use, remove",
        process::program(trial).arg(package).arg(target().join("release/wilco-device")),
    )
}

fn asked<'a>(words: &[&'a str]) -> Result<(Vec<&'a str>, bool)> {
    let (options, formats): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| word.starts_with('-'));
    if let Some(other) = options.iter().find(|option| **option != "--test") {
        bail!("`{other}` is not an option of bundle. The only option is --test.");
    }
    if let Some(other) = formats.iter().find(|format| !FORMATS.contains(format)) {
        bail!("`{other}` is not a package format. The formats are: {}.", FORMATS.join(", "));
    }
    let formats = if formats.is_empty() { USUAL.to_vec() } else { formats };
    let test = !options.is_empty();
    if test && !formats.contains(&"deb") {
        bail!("--test needs the format deb, because only a .deb can be tested.");
    }
    Ok((formats, test))
}

/// Additions to the bundler's configuration: the dependencies of both programs, and the command line. The configuration
/// itself does not name it, because then every `cargo check` of the app would need it.
fn additions() -> Result<PathBuf> {
    let release = target().join("release");
    std::fs::create_dir_all(release.join("bundle")).context("creating the directory for the packages")?;
    let command_line = command_line(&release)?;
    let needs = if cfg!(target_os = "linux") {
        glibc::oldest_for(&[&release.join("wilco-desktop"), &release.join("wilco")])?
    } else {
        None
    };
    let configuration = release.join("bundle/additions.json");
    std::fs::write(&configuration, written(&command_line, needs.as_ref()))
        .with_context(|| format!("writing {}", configuration.display()))?;
    Ok(configuration)
}

/// Copies the command line to the path where the bundler expects it.
fn command_line(release: &Path) -> Result<PathBuf> {
    let host = host()?;
    let (built, named) = (release.join("wilco"), release.join("bundle").join("wilco"));
    let extension = std::env::consts::EXE_SUFFIX;
    std::fs::copy(format!("{}{extension}", built.display()), format!("{}-{host}{extension}", named.display()))
        .context("copying the command line for the bundler")?;
    Ok(named)
}

/// The additions in the bundler's format.
fn written(command_line: &Path, needs: Option<&Glibc>) -> String {
    // The bundler expects the name without the target triple, and packages the program under that name.
    let named = command_line.to_string_lossy().replace('\\', "/").replace('"', "\\\"");
    let linux = needs.map_or_else(String::new, |version| {
        // An .rpm requires the library by its symbols, as rpm's own tools would.
        let bits = if cfg!(target_pointer_width = "64") { "(64bit)" } else { "" };
        format!(
            ",\"linux\":{{\"deb\":{{\"depends\":[\"libc6 (>= {version})\"]}},\
             \"rpm\":{{\"depends\":[\"libc.so.6(GLIBC_{version}){bits}\"]}}}}"
        )
    });
    format!("{{\"bundle\":{{\"externalBin\":[\"{named}\"]{linux}}}}}\n")
}

/// The compiler's name for this kind of machine.
fn host() -> Result<String> {
    let said = process::quietly(process::program("rustc").arg("-vV")).context("`rustc -vV` failed")?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not print the host")?.to_owned())
}

/// The packages in a directory. The bundler leaves intermediate files beside them.
fn packages_in(directory: &Path) -> Result<Vec<PathBuf>> {
    let is_package = |path: &PathBuf| {
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        path.is_file() && ["deb", "rpm", "appimage", "exe", "msi", "dmg"].contains(&extension.as_str())
    };
    let entries = std::fs::read_dir(directory).with_context(|| format!("reading {}", directory.display()))?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    Ok(paths.into_iter().filter(is_package).collect())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{USUAL, asked, written};
    use crate::glibc::newest_named;

    #[test]
    fn the_bundler_is_told_of_the_command_line_and_of_the_c_library() {
        let check = |said: &str, expected: &str| {
            assert_eq!(written(Path::new(r"C:\my/wilco"), newest_named(said).as_ref()), format!("{expected}\n"));
        };
        check("", r#"{"bundle":{"externalBin":["C:/my/wilco"]}}"#);
        if cfg!(target_pointer_width = "64") {
            check(
                "Name: GLIBC_2.34",
                r#"{"bundle":{"externalBin":["C:/my/wilco"],"linux":{"deb":{"depends":["libc6 (>= 2.34)"]},"rpm":{"depends":["libc.so.6(GLIBC_2.34)(64bit)"]}}}}"#,
            );
        }
    }

    #[test]
    fn formats_and_the_trial_are_told_apart() {
        let check = |words: &[&str], formats: &[&str], test: bool| {
            assert_eq!(asked(words).ok(), Some((formats.to_vec(), test)), "{words:?}");
        };
        check(&[], USUAL, false);
        check(&["--test"], USUAL, true);
        check(&["deb", "--test"], &["deb"], true);
        check(&["deb", "appimage"], &["deb", "appimage"], false);
    }

    #[test]
    fn unknown_names_are_refused_with_the_available_ones() {
        let check = |words: &[&str], expected: &str| {
            assert_eq!(asked(words).err().map(|error| error.to_string()).as_deref(), Some(expected));
        };
        check(&["zip"], "`zip` is not a package format. The formats are: deb, rpm, appimage, nsis, msi, dmg.");
        check(&["rpm", "--test"], "--test needs the format deb, because only a .deb can be tested.");
        check(&["--fast"], "`--fast` is not an option of bundle. The only option is --test.");
    }
}
