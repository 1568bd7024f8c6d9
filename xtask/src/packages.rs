//! The system packages that the build, the window and the tests need.
//!
//! It installs only what is missing, and only with the distribution's own tool. On other systems it lists the packages
//! and changes nothing. No library does this, because each distribution has its own tool and package names.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::process;

/// The purpose of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To compile and start the app.
    Build,
    /// To open the app's window without a display, and drive it.
    Window,
    /// To test with a real broker.
    Test,
    /// To install a package as on a desktop, and to inspect the other formats.
    Package,
}

/// A distribution's package tool and its package names.
struct Distribution {
    tool: &'static str,
    /// Runs before an installation, if the tool's package lists may be old or missing.
    refresh: Option<&'static [&'static str]>,
    install: &'static [&'static str],
    /// Prints those of the given packages that are installed, one per line.
    installed: &'static [&'static str],
    packages: &'static [(Purpose, &'static [&'static str])],
}

const DISTRIBUTIONS: [Distribution; 3] = [
    Distribution {
        tool: "apt-get",
        refresh: Some(&["update"]),
        // A machine that has just started may still be installing upgrades.
        install: &["install", "--yes", "--no-install-recommends", "--option=DPkg::Lock::Timeout=300"],
        installed: &["dpkg-query", "--show", "--showformat=${db:Status-Status} ${Package}\\n"],
        packages: &[
            (
                Purpose::Build,
                &["build-essential", "pkg-config", "libwebkit2gtk-4.1-dev", "librsvg2-dev", "libxdo-dev", "libssl-dev"],
            ),
            (Purpose::Window, &["xvfb", "webkit2gtk-driver", "gnome-keyring", "dbus", "fonts-dejavu-core"]),
            (Purpose::Test, &["mosquitto", "mosquitto-clients", "openssl", "python3-venv"]),
            (Purpose::Package, &["libglib2.0-bin", "desktop-file-utils", "x11-utils", "rpm"]),
        ],
    },
    Distribution {
        tool: "dnf",
        refresh: None,
        install: &["install", "--assumeyes"],
        installed: &["rpm", "--query", "--queryformat", "installed %{NAME}\\n"],
        packages: &[
            (
                Purpose::Build,
                &[
                    "gcc",
                    "gcc-c++",
                    "make",
                    "pkgconf-pkg-config",
                    "webkit2gtk4.1-devel",
                    "librsvg2-devel",
                    "libxdo-devel",
                    "openssl-devel",
                ],
            ),
            (Purpose::Window, &["xorg-x11-server-Xvfb", "/usr/bin/WebKitWebDriver", "gnome-keyring", "dbus-daemon"]),
            (Purpose::Test, &["mosquitto", "openssl", "python3"]),
            (Purpose::Package, &[]),
        ],
    },
    Distribution {
        tool: "pacman",
        refresh: None,
        install: &["-S", "--needed", "--noconfirm"],
        installed: &["pacman", "-Q"],
        packages: &[
            (Purpose::Build, &["gcc", "make", "pkgconf", "webkit2gtk-4.1", "librsvg", "xdotool", "openssl"]),
            // webkit2gtk-4.1 includes WebKitWebDriver.
            (Purpose::Window, &["xorg-server-xvfb", "gnome-keyring", "dbus", "ttf-dejavu"]),
            (Purpose::Test, &["mosquitto", "python"]),
            (Purpose::Package, &[]),
        ],
    },
];

/// Installs what is missing for `purposes`.
pub(crate) fn install(purposes: &[Purpose]) -> Result<()> {
    if !cfg!(target_os = "linux") {
        println!(
            "\n==> System packages\n    Packages are installed automatically only on Linux. Install these: https://tauri.app/start/prerequisites"
        );
        return Ok(());
    }
    let Some(distribution) = DISTRIBUTIONS.iter().find(|distribution| process::on_path(distribution.tool)) else {
        println!(
            "\n==> System packages\n    Without apt-get, dnf or pacman, no packages can be installed. Install the equivalents of these Debian packages:\n    {}",
            DISTRIBUTIONS[0].wanted(purposes).join(" ")
        );
        return Ok(());
    };
    let missing = distribution.missing(purposes);
    if missing.is_empty() {
        println!("\n==> System packages\n    all installed");
        return Ok(());
    }
    println!("\n==> System packages\n    missing: {}", missing.join(" "));
    let mut install = distribution.install.to_vec();
    install.extend(&missing);
    if let Some(refresh) = distribution.refresh {
        process::run("Refreshing the package lists", &mut distribution.as_root(refresh, &install)?)?;
    }
    process::run("Installing system packages", &mut distribution.as_root(&install, &install)?)
}

impl Distribution {
    fn wanted(&self, purposes: &[Purpose]) -> Vec<&'static str> {
        self.packages
            .iter()
            .filter(|(purpose, _)| purposes.contains(purpose))
            .flat_map(|(_, names)| *names)
            .copied()
            .collect()
    }

    fn missing(&self, purposes: &[Purpose]) -> Vec<&'static str> {
        let mut wanted = self.wanted(purposes);
        let mut query = process::program(self.installed[0]);
        // These tools exit with an error if any package is missing, but print the others.
        let output = query.args(&self.installed[1..]).args(&wanted).stderr(Stdio::null()).output();
        let printed = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
        wanted.retain(|name| {
            // dnf also accepts a file instead of the package that contains it.
            if name.starts_with('/') {
                return !Path::new(name).exists();
            }
            !printed.lines().any(|line| {
                let mut words = line.split_whitespace();
                match self.tool {
                    "pacman" => words.next() == Some(name),
                    _ => words.next() == Some("installed") && words.next() == Some(name),
                }
            })
        });
        wanted
    }

    fn as_root(&self, arguments: &[&str], everything: &[&str]) -> Result<Command> {
        let root = process::quietly(process::program("id").arg("--user")).is_some_and(|id| id.trim() == "0");
        let mut command = match (root, process::on_path("sudo")) {
            (true, _) => process::program(self.tool),
            (false, true) => {
                let mut sudo = process::program("sudo");
                // It may prompt for a password.
                sudo.stdin(Stdio::inherit()).args(["--preserve-env=DEBIAN_FRONTEND", self.tool]);
                sudo
            }
            (false, false) => bail!(
                "system packages are missing, and sudo is not installed. Run this as root, then try again:\n\n    {} {}",
                self.tool,
                everything.join(" ")
            ),
        };
        command.env("DEBIAN_FRONTEND", "noninteractive").args(arguments);
        Ok(command)
    }
}
