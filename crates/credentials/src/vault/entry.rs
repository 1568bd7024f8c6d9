//! A secret as keyring entries: one entry if it fits, otherwise numbered parts with a manifest.
//!
//! The first byte of the first entry says what follows: the secret itself, or the manifest of the parts. Parts belong
//! to one of two generations. A replacement writes the other generation, switches the first entry in one step, and then
//! deletes the old parts. If it is interrupted before the switch, the old secret remains; after it, the new one. The
//! next change overwrites or deletes any leftover parts.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{Secret, SecretKind, VaultError, backend::Backend};

/// Bytes of a part. Windows allows 2,560 in an entry; the difference is for what a keyring may add.
pub(super) const PART: usize = 2_400;

/// First byte of a first entry that holds the secret: its SHA-256 and its bytes follow.
const WHOLE: u8 = 1;
/// First byte of a first entry that holds a manifest: JSON follows.
const MANIFEST: u8 = 2;
const DIGEST: usize = 32;

/// The owner and the kind of a secret.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) owner: &'a str,
    pub(super) kind: SecretKind,
}

#[derive(Serialize, Deserialize)]
struct Manifest {
    generation: u8,
    parts: usize,
    bytes: usize,
    sha256: [u8; DIGEST],
}

/// The content of a first entry.
enum First {
    Whole(Secret),
    Parts(Manifest),
}

pub(super) fn put(backend: &dyn Backend, place: Place<'_>, secret: &Secret) -> Result<(), VaultError> {
    let bytes = secret.expose();
    // A damaged first entry says nothing of its parts; the sweeps find them.
    let current = match first(backend, place) {
        Ok(Some(First::Parts(manifest))) => Some(manifest.generation),
        Ok(_) | Err(VaultError::Damaged { .. }) => None,
        Err(error) => return Err(error),
    };
    let sha256: [u8; DIGEST] = Sha256::digest(bytes).into();
    if 1 + DIGEST + bytes.len() <= PART {
        let mut content = Zeroizing::new(Vec::with_capacity(1 + DIGEST + bytes.len()));
        content.push(WHOLE);
        content.extend_from_slice(&sha256);
        content.extend_from_slice(bytes);
        backend.set(&place.first(), &content)?;
        return [0, 1].into_iter().try_for_each(|generation| sweep(backend, place, generation, 0));
    }
    let generation = u8::from(current == Some(0));
    let parts = bytes.chunks(PART);
    let manifest = Manifest { generation, parts: parts.len(), bytes: bytes.len(), sha256 };
    for (number, part) in parts.enumerate() {
        backend.set(&place.part(generation, number), part)?;
    }
    sweep(backend, place, generation, manifest.parts)?;
    let mut content = vec![MANIFEST];
    serde_json::to_writer(&mut content, &manifest).map_err(|error| VaultError::Other(error.to_string()))?;
    backend.set(&place.first(), &content)?;
    sweep(backend, place, 1 - generation, 0)
}

pub(super) fn get(backend: &dyn Backend, place: Place<'_>) -> Result<Option<Secret>, VaultError> {
    let manifest = match first(backend, place)? {
        None => return Ok(None),
        Some(First::Whole(secret)) => return Ok(Some(secret)),
        Some(First::Parts(manifest)) => manifest,
    };
    // Not by what the manifest promises: it may be damaged too.
    let mut bytes = Zeroizing::new(Vec::with_capacity(manifest.bytes.min(1 << 20)));
    for number in 0..manifest.parts {
        match backend.get(&place.part(manifest.generation, number))? {
            Some(part) => {
                // A vector that grows leaves copies behind.
                if bytes.capacity() - bytes.len() < part.len() {
                    return Err(place.damaged("it is longer than expected"));
                }
                bytes.extend_from_slice(&part);
            }
            None => return Err(place.damaged("a part is missing")),
        }
    }
    if bytes.len() != manifest.bytes || Sha256::digest(&*bytes)[..] != manifest.sha256 {
        return Err(place.damaged("its checksum does not match"));
    }
    Ok(Some(Secret::from(bytes)))
}

pub(super) fn remove(backend: &dyn Backend, place: Place<'_>) -> Result<(), VaultError> {
    backend.delete(&place.first())?;
    [0, 1].into_iter().try_for_each(|generation| sweep(backend, place, generation, 0))
}

/// Takes the parts of a generation away from a number on. From the last to the first, so that an interruption leaves
/// no gap behind which the next sweep would not look.
fn sweep(backend: &dyn Backend, place: Place<'_>, generation: u8, from: usize) -> Result<(), VaultError> {
    let mut end = from;
    while backend.get(&place.part(generation, end))?.is_some() {
        end += 1;
    }
    (from..end).rev().try_for_each(|number| backend.delete(&place.part(generation, number)))
}

fn first(backend: &dyn Backend, place: Place<'_>) -> Result<Option<First>, VaultError> {
    let Some(content) = backend.get(&place.first())? else { return Ok(None) };
    match content.split_first() {
        Some((&WHOLE, rest)) => match rest.split_at_checked(DIGEST) {
            Some((sha256, bytes)) if Sha256::digest(bytes)[..] == *sha256 => {
                Ok(Some(First::Whole(Secret::new(bytes.to_vec()))))
            }
            _ => Err(place.damaged("its checksum does not match")),
        },
        Some((&MANIFEST, rest)) => match serde_json::from_slice::<Manifest>(rest) {
            Ok(manifest) if manifest.generation <= 1 => Ok(Some(First::Parts(manifest))),
            _ => Err(place.damaged("its manifest cannot be read")),
        },
        _ => Err(place.damaged("it was written by another program or a newer version of Wilco")),
    }
}

impl Place<'_> {
    fn first(self) -> String {
        format!("{}/{}", self.owner, self.kind.word())
    }

    fn part(self, generation: u8, number: usize) -> String {
        format!("{}/{}/{generation}/{number}", self.owner, self.kind.word())
    }

    fn damaged(self, what: &str) -> VaultError {
        VaultError::Damaged { kind: self.kind.word(), what: what.to_owned() }
    }
}
