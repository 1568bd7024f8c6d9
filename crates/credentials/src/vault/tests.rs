//! The vault over an in-memory keyring that can fail at any moment.

#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use zeroize::Zeroizing;

use super::{
    Secret, SecretKind, Vault, VaultError,
    backend::{Backend, Memory},
    entry::PART,
};

/// A keyring that does so many things and then no more, as if the program were killed or the keyring locked.
#[derive(Clone, Default)]
struct FailingKeyring {
    memory: Arc<Memory>,
    left: Arc<AtomicUsize>,
}

impl FailingKeyring {
    fn allow(&self, operations: usize) {
        self.left.store(operations, Ordering::Relaxed);
    }

    fn step(&self) -> Result<(), VaultError> {
        let less = |left: usize| left.checked_sub(1);
        match self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less) {
            Ok(_) => Ok(()),
            Err(_) => Err(VaultError::Locked),
        }
    }
}

impl Backend for FailingKeyring {
    fn set(&self, name: &str, content: &[u8]) -> Result<(), VaultError> {
        assert!(content.len() <= PART, "{} bytes in one entry", content.len());
        self.step()?;
        self.memory.set(name, content)
    }

    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
        self.step()?;
        self.memory.get(name)
    }

    fn delete(&self, name: &str) -> Result<(), VaultError> {
        self.step()?;
        self.memory.delete(name)
    }
}

const KIND: SecretKind = SecretKind::PrivateKey;
const SIZES: [usize; 6] = [0, 10, PART - 33, PART - 32, 3 * PART, 7_000];

fn bytes(size: usize, seed: u8) -> Vec<u8> {
    (0..size).map(|n| seed.wrapping_add(u8::try_from(n % 251).unwrap())).collect()
}

fn vault() -> (FailingKeyring, Vault) {
    let keyring = FailingKeyring::default();
    keyring.allow(usize::MAX);
    (keyring.clone(), Vault::over(keyring))
}

fn stored(vault: &Vault) -> Option<Vec<u8>> {
    vault.get("bench", KIND).unwrap().map(|secret| secret.expose().to_vec())
}

#[test]
fn secrets_of_every_size_come_back_and_leave_nothing() {
    for size in SIZES {
        let (keyring, vault) = vault();
        assert_eq!(stored(&vault), None);
        vault.put("bench", KIND, &Secret::new(bytes(size, 1))).unwrap();
        vault.put("field", KIND, &Secret::new(bytes(3, 2))).unwrap();
        assert_eq!(stored(&vault), Some(bytes(size, 1)));
        assert!(vault.get("bench", SecretKind::Password).unwrap().is_none());
        vault.remove_all("bench").unwrap();
        assert_eq!(stored(&vault), None);
        assert_eq!(keyring.memory.entries().len(), 1, "only the other connection's");
    }
}

#[test]
fn an_interrupted_replacement_leaves_the_old_or_the_new_secret_whole() {
    for old in SIZES {
        for new in SIZES {
            for operations in 0.. {
                let (keyring, vault) = vault();
                vault.put("bench", KIND, &Secret::new(bytes(old, 1))).unwrap();
                // A second one, so that either generation is replaced.
                if operations % 2 == 1 {
                    vault.put("bench", KIND, &Secret::new(bytes(old, 1))).unwrap();
                }
                keyring.allow(operations / 2);
                let replaced = vault.put("bench", KIND, &Secret::new(bytes(new, 9)));
                keyring.allow(usize::MAX);

                let found = stored(&vault).unwrap();
                assert!(found == bytes(old, 1) || found == bytes(new, 9), "{old} → {new} after {operations}");
                if replaced.is_ok() {
                    assert_eq!(found, bytes(new, 9));
                }
                check_no_leftovers(&keyring, &vault);
                if replaced.is_ok() && operations % 2 == 1 {
                    break;
                }
            }
        }
    }
}

/// Whatever was left over is gone after the next replacement or removal.
fn check_no_leftovers(keyring: &FailingKeyring, vault: &Vault) {
    vault.put("bench", KIND, &Secret::new(bytes(PART + 1, 5))).unwrap();
    assert_eq!(stored(vault), Some(bytes(PART + 1, 5)));
    assert_eq!(keyring.memory.entries().len(), 3, "a manifest and two parts");
    vault.remove_all("bench").unwrap();
    assert_eq!(keyring.memory.entries().len(), 0);
}

#[test]
fn an_interrupted_removal_can_be_done_again() {
    for operations in 0..20 {
        let (keyring, vault) = vault();
        vault.put("bench", KIND, &Secret::new(bytes(7_000, 1))).unwrap();
        keyring.allow(operations);
        let _ = vault.remove_all("bench");
        keyring.allow(usize::MAX);
        vault.remove_all("bench").unwrap();
        assert_eq!(keyring.memory.entries().len(), 0);
    }
}

#[test]
fn damage_is_reported_and_can_be_repaired() {
    for size in [10, 7_000] {
        let (keyring, vault) = vault();
        vault.put("bench", KIND, &Secret::new(bytes(size, 1))).unwrap();
        let names: Vec<String> = keyring.memory.entries().keys().cloned().collect();
        for name in names {
            let whole = keyring.memory.get(&name).unwrap().unwrap();
            let mut flipped = whole.clone();
            *flipped.last_mut().unwrap() ^= 1;
            for damage in [flipped, Zeroizing::new(Vec::new()), Zeroizing::new(bytes(PART, 0))] {
                keyring.memory.set(&name, &damage).unwrap();
                let error = vault.get("bench", KIND).unwrap_err();
                assert!(matches!(error, VaultError::Damaged { .. }), "{name}: {error:?}");
                assert!(error.hint().is_some());
            }
            keyring.memory.set(&name, &whole).unwrap();
        }
        let manifest = "bench/private-key";
        keyring.memory.set(manifest, b"?").unwrap();
        check_no_leftovers(&keyring, &vault);
    }
}

#[test]
fn without_a_keyring_a_secret_can_be_held_for_this_run() {
    let (keyring, vault) = vault();
    keyring.allow(0);
    assert!(vault.put("bench", KIND, &Secret::new(bytes(3, 1))).is_err());
    vault.hold_in_memory("bench", KIND, Secret::new(bytes(3, 1)));
    assert_eq!(stored(&vault), Some(bytes(3, 1)));
    assert!(vault.get("field", KIND).is_err());
    assert!(vault.remove_all("bench").is_err());
    keyring.allow(usize::MAX);
    assert_eq!(stored(&vault), None);
    assert_eq!(keyring.memory.entries().len(), 0);
}

#[test]
fn a_secret_does_not_print() {
    let secret = Secret::from("open sesame".to_owned());
    assert_eq!(format!("{secret:?}"), "Secret(…)");
}
