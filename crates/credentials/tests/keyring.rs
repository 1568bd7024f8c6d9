//! The vault against a real Secret Service: unlocked, locked, and absent.
//!
//! Each test starts a session bus of its own, with or without gnome-keyring, and runs itself again inside. The keyring
//! of the user who runs the tests is never touched.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]
#![expect(clippy::disallowed_methods, reason = "it measures how soon a locked keyring is reported")]

use std::{
    ffi::OsStr,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use wilco_credentials::vault::{Secret, SecretKind, Vault, VaultError};

const INSIDE: &str = "WILCO_TEST_INSIDE_SESSION";

const UNLOCKED: &str = "printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null";
/// A keyring that was made and unlocked once, by a daemon that has ended since.
const LOCKED: &str = "gnome-keyring-daemon --start --components=secrets >/dev/null";
const NO_DAEMON: &str = ":";

/// Runs a test again, inside a session of its own that a script has prepared. Its home outlives the session.
fn session(home: &Path, script: &str, test: &str) {
    session_on(&[], home, script, test);
}

/// The same on a bus that is set up differently.
fn session_on(bus: &[&OsStr], home: &Path, script: &str, test: &str) {
    for tool in ["dbus-run-session", "gnome-keyring-daemon"] {
        let found = std::env::split_paths(&std::env::var_os("PATH").unwrap()).any(|dir| dir.join(tool).is_file());
        assert!(found, "this test needs {tool}: on Debian, apt install dbus gnome-keyring");
    }
    let exe = std::env::current_exe().unwrap();
    // A keyring that waits for a person who is not there must not hold up the tests.
    let output = Command::new("timeout")
        .args(["120", "dbus-run-session"])
        .args(bus)
        .args(["--", "bash", "-c", &format!("{script} && exec \"$0\" --exact {test} --nocapture")])
        .arg(exe)
        .env(INSIDE, "1")
        .env("HOME", home)
        .env("XDG_DATA_HOME", home.join("data"))
        .env("XDG_RUNTIME_DIR", home)
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "inside the session:\n{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

fn inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

fn large() -> Vec<u8> {
    (0..9_000_u32).map(|n| u8::try_from(n % 256).unwrap()).collect()
}

fn get(vault: &Vault, owner: &str, kind: SecretKind) -> Option<Vec<u8>> {
    vault.get(owner, kind).unwrap().map(|secret| secret.expose().to_vec())
}

#[test]
fn secrets_live_in_an_unlocked_keyring() {
    if !inside() {
        let home = tempfile::tempdir().unwrap();
        session(home.path(), UNLOCKED, "secrets_live_in_an_unlocked_keyring");
        return;
    }
    let vault = Vault::open("wilco-test");
    assert_eq!(get(&vault, "bench", SecretKind::Password), None);
    vault.put("bench", SecretKind::Password, &Secret::from("pässword\0".to_owned())).unwrap();
    vault.put("bench", SecretKind::PrivateKey, &Secret::new(large())).unwrap();
    // Another handle, as after a restart; and another data directory's.
    let again = Vault::open("wilco-test");
    assert_eq!(get(&again, "bench", SecretKind::Password), Some("pässword\0".into()));
    assert_eq!(get(&again, "bench", SecretKind::PrivateKey), Some(large()));
    assert_eq!(get(&Vault::open("wilco-other"), "bench", SecretKind::Password), None);
    // Replaced, by a smaller one.
    vault.put("bench", SecretKind::PrivateKey, &Secret::new(vec![7])).unwrap();
    assert_eq!(get(&again, "bench", SecretKind::PrivateKey), Some(vec![7]));
    vault.remove_all("bench").unwrap();
    for kind in SecretKind::ALL {
        assert_eq!(get(&again, "bench", kind), None);
    }
}

/// As the engine calls it: from a runtime's blocking thread.
#[test]
fn a_blocking_thread_of_a_runtime_may_call_it() {
    if !inside() {
        let home = tempfile::tempdir().unwrap();
        session(home.path(), UNLOCKED, "a_blocking_thread_of_a_runtime_may_call_it");
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    let put_and_get = || {
        let vault = Vault::open("wilco-test");
        vault.put("bench", SecretKind::Password, &Secret::from("pw".to_owned())).unwrap();
        get(&vault, "bench", SecretKind::Password)
    };
    let found = runtime.block_on(async { tokio::task::spawn_blocking(put_and_get).await.unwrap() });
    assert_eq!(found, Some(b"pw".to_vec()));
}

#[test]
fn a_locked_keyring_is_told_from_none() {
    if !inside() {
        let home = tempfile::tempdir().unwrap();
        let name = "a_locked_keyring_is_told_from_none";
        session(home.path(), &format!("{UNLOCKED} && export WILCO_TEST_FILL=1"), name);
        session(home.path(), LOCKED, name);
        return;
    }
    let vault = Vault::open("wilco-test");
    let secret = Secret::from("pw".to_owned());
    if std::env::var_os("WILCO_TEST_FILL").is_some() {
        vault.put("bench", SecretKind::Password, &secret).unwrap();
        return;
    }
    let started = Instant::now();
    for error in [
        vault.get("bench", SecretKind::Password).unwrap_err(),
        vault.put("bench", SecretKind::Password, &secret).unwrap_err(),
        vault.put("field", SecretKind::Password, &secret).unwrap_err(),
    ] {
        assert!(matches!(error, VaultError::Locked), "{error:?}");
        assert!(error.hint().unwrap().contains("Unlock"), "{error:?}");
    }
    assert!(started.elapsed() < Duration::from_secs(60));
    vault.hold_in_memory("bench", SecretKind::Password, secret);
    assert_eq!(get(&vault, "bench", SecretKind::Password), Some(b"pw".to_vec()));
}

fn check_no_keyring() {
    let vault = Vault::open("wilco-test");
    let secret = Secret::from("pw".to_owned());
    for error in [
        vault.put("bench", SecretKind::Password, &secret).unwrap_err(),
        vault.get("bench", SecretKind::Password).unwrap_err(),
        vault.remove_all("bench").unwrap_err(),
    ] {
        assert!(matches!(error, VaultError::NoKeyring(_)), "{error:?}");
        assert!(error.hint().unwrap().contains("gnome-keyring"), "{error:?}");
    }
}

#[test]
fn no_session_bus_means_no_keyring() {
    if inside() {
        return check_no_keyring();
    }
    let home = tempfile::tempdir().unwrap();
    let leave = format!("{NO_DAEMON} && unset DBUS_SESSION_BUS_ADDRESS");
    session(home.path(), &leave, "no_session_bus_means_no_keyring");
}

#[test]
fn a_session_bus_without_a_secret_service_means_no_keyring() {
    if inside() {
        return check_no_keyring();
    }
    let home = tempfile::tempdir().unwrap();
    // Starts no service by itself, and allows everything.
    let config = home.path().join("bus.conf");
    let bare = r#"<busconfig>
        <type>session</type>
        <listen>unix:tmpdir=/tmp</listen>
        <auth>EXTERNAL</auth>
        <policy context="default"><allow send_destination="*"/><allow eavesdrop="true"/><allow own="*"/></policy>
    </busconfig>"#;
    std::fs::write(&config, bare).unwrap();
    let bus = ["--config-file".as_ref(), config.as_os_str()];
    session_on(&bus, home.path(), NO_DAEMON, "a_session_bus_without_a_secret_service_means_no_keyring");
}
