//! The machine on which the benchmark ran: without it the figures mean nothing.

use std::process::Command;

use anyhow::{Context, Result};

/// Its name, and the version or kind.
pub(crate) type Fact = (&'static str, String);

/// The machine and the versions of all that takes part.
pub(crate) fn describe() -> Result<Vec<Fact>> {
    let processor = line_of("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".into());
    let cores = std::thread::available_parallelism()?;
    let memory = line_of("/proc/meminfo", "MemTotal").and_then(|line| line.split(' ').next()?.parse::<f64>().ok());
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock"))?;
    let modules = concat!(env!("CARGO_MANIFEST_DIR"), "/mqttjs/node_modules/mqtt/package.json");
    // Not every bench compares with it.
    let mqttjs: serde_json::Value =
        std::fs::read_to_string(modules).ok().map(|text| serde_json::from_str(&text)).transpose()?.unwrap_or_default();
    Ok(vec![
        ("date", jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string()),
        ("commit", said("git", &["rev-parse", "--short", "HEAD"]).unwrap_or_else(|| "unknown".into())),
        ("processor", format!("{processor}, {cores} cores for this machine")),
        ("memory", format!("{:.1} GB", memory.unwrap_or_default() * 1.024 / 1e6)),
        ("system", format!("{}, Linux {}", system(), said("uname", &["-r"]).unwrap_or_default())),
        ("load at the end (1, 5, 15 min)", load.split(' ').take(3).collect::<Vec<_>>().join(", ")),
        ("rustc", said("rustc", &["--version"]).unwrap_or_default()),
        ("rumqttc-v5-next", locked(&lock, "rumqttc-v5-next").context("Cargo.lock has no rumqttc-v5-next")?),
        (
            "MQTT.js",
            match mqttjs["version"].as_str() {
                Some(version) => format!("{version} on Node {}", said("node", &["--version"]).unwrap_or_default()),
                None => "not installed".to_owned(),
            },
        ),
        ("mosquitto", mosquitto().unwrap_or_else(|| "unknown".into())),
        ("WebKitGTK", said("pkg-config", &["--modversion", "webkit2gtk-4.1"]).unwrap_or_else(|| "unknown".into())),
    ])
}

/// The most memory that this process has had, MB.
pub(crate) fn most_memory() -> Option<f64> {
    let line = line_of("/proc/self/status", "VmHWM")?;
    Some(line.split(' ').next()?.parse::<f64>().ok()? * 1.024 / 1_000.0)
}

fn system() -> String {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    name.unwrap_or("unknown").trim_matches('"').to_owned()
}

/// `name : value`, as the kernel writes it.
fn line_of(path: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn locked(lock: &str, name: &str) -> Option<String> {
    let rest = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?.1;
    Some(rest.split_once('"')?.0.to_owned())
}

/// It says its version among how it is used, and ends with an error.
fn mosquitto() -> Option<String> {
    let output =
        ["/usr/sbin/mosquitto", "mosquitto"].iter().find_map(|name| Command::new(name).arg("-h").output().ok())?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(said.lines().next()?.trim_start_matches("mosquitto version ").to_owned())
}

fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
