//! The certificate files of a connection: any mix of files, identified by their content.
//!
//! Everything stays in memory and is wiped with it, so that a passphrase may be entered later and the files may be
//! deleted meanwhile. After each change the whole kit is evaluated again (see [`choice`]), so files may be added in any
//! order, replaced and removed.

mod choice;
mod view;

use std::path::{Path, PathBuf};

use wilco_ledger::Timestamp;
use zeroize::Zeroizing;

use super::{
    CertificateError, Credentials, Key, archive,
    content::{self, Found, FoundItem},
    error::named,
    facts::shown,
    file,
    locked::{Budget, Locked, Refusal},
};
use crate::{FileRole, KitView};
use choice::Choice;

/// A collection of certificate files.
#[derive(Default)]
pub struct Kit {
    items: Vec<Item>,
    next: u32,
    /// Counts what was added, one after the other.
    round: u32,
}

/// A source to add.
pub struct Source {
    /// The name in messages, usually the file name.
    pub name: String,
    /// The role of the file.
    pub role: FileRole,
    /// The content.
    pub content: Zeroizing<Vec<u8>>,
}

/// One thing of a kit.
struct Item {
    id: u32,
    /// Where it came from. The same place again is the same file, perhaps changed.
    origin: PathBuf,
    role: FileRole,
    round: u32,
    name: String,
    form: &'static str,
    thing: FoundItem,
}

impl Kit {
    /// An empty kit.
    #[must_use]
    pub fn new() -> Kit {
        Kit::default()
    }

    /// Reads a file of at most ten megabytes, and adds its content. An unreadable file is added with a problem. Blocks.
    pub fn read_file(&mut self, path: &Path, role: FileRole) {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        let name = shown(&name);
        let found = match file::read(path) {
            Ok(content) => given_as(role, &name, &content),
            Err(error) => vec![content::broken(&name, "", error)],
        };
        self.take_in(path.to_owned(), role, found);
    }

    /// Adds the content of a source, and replaces the content that was added under the same name.
    pub fn add(&mut self, source: Source) {
        let found = given_as(source.role, &source.name, &source.content);
        self.take_in(PathBuf::from(source.name), source.role, found);
    }

    /// Tries a passphrase on every locked item, and returns whether it opened any. Blocks for up to a few seconds.
    pub fn unlock(&mut self, passphrase: &Zeroizing<String>) -> bool {
        let mut budget = Budget::new();
        let mut has_opened = false;
        for item in std::mem::take(&mut self.items) {
            match item.thing {
                FoundItem::Locked { what, .. } => {
                    let things = opened(&item.name, what, passphrase, true, &mut budget);
                    has_opened |= !matches!(&things[..], [FoundItem::Locked { .. } | FoundItem::Broken(_)]);
                    for (thing, at) in things.into_iter().zip(0..) {
                        // A locked file keeps its number; its contents get new numbers.
                        let id = if at == 0 { item.id } else { self.number() };
                        let (origin, name) = (item.origin.clone(), item.name.clone());
                        self.items.push(Item { id, origin, name, thing, ..item });
                    }
                }
                thing => self.items.push(Item { thing, ..item }),
            }
        }
        has_opened
    }

    /// Removes the item with that number, which may be a set of CA certificates.
    pub fn leave_out(&mut self, id: u32, now: Timestamp) {
        let gone = view::shown_together(&self.items, id, now);
        self.items.retain(|item| !gone.contains(&item.id));
    }

    /// The items to show. `id` is the kit's ID outside this crate.
    #[must_use]
    pub fn view(&self, id: &str, now: Timestamp) -> KitView {
        view::of(&self.items, id, now)
    }

    /// The credentials of a connection.
    ///
    /// # Errors
    /// The worst of the problems that stand in the way.
    pub fn credentials(&self, now: Timestamp) -> Result<Credentials, CertificateError> {
        let choice = Choice::of(&self.items, now);
        if let Some(problem) = choice.problems.into_iter().find(|problem| problem.blocking) {
            return Err(problem.error);
        }
        let der = |item: &Item| item.certificate().map(|certificate| certificate.der.clone());
        Ok(Credentials {
            authorities: choice.authorities.into_iter().filter_map(der).collect(),
            chain: choice.chain.into_iter().filter_map(der).collect(),
            key: choice.key.and_then(Item::key).map(|(key, _)| key.clone()),
            server: choice.server.and_then(der),
        })
    }

    fn take_in(&mut self, origin: PathBuf, role: FileRole, found: Vec<Found>) {
        self.items.retain(|item| item.origin != origin);
        self.round += 1;
        let mut budget = Budget::new();
        for Found { name, form, thing } in found {
            let things = match thing {
                // Many a PKCS#12 file has the empty passphrase.
                FoundItem::Locked { what: what @ Locked::Pkcs12(_), .. } => opened(&name, what, "", false, &mut budget),
                thing => vec![thing],
            };
            for thing in things {
                let (id, origin, name) = (self.number(), origin.clone(), name.clone());
                self.items.push(Item { id, origin, role, round: self.round, name, form, thing });
            }
        }
    }

    fn number(&mut self) -> u32 {
        self.next += 1;
        self.next
    }
}

impl Item {
    fn certificate(&self) -> Option<&content::Certificate> {
        match &self.thing {
            FoundItem::Certificate(certificate) => Some(certificate),
            _ => None,
        }
    }

    fn key(&self) -> Option<(&Key, &super::key::Public)> {
        match &self.thing {
            FoundItem::Key { key, public } => Some((key, public)),
            _ => None,
        }
    }

    /// The name in a message.
    fn path(&self) -> PathBuf {
        PathBuf::from(&self.name)
    }
}

impl std::fmt::Debug for Kit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kit").field("items", &self.items.len()).finish_non_exhaustive()
    }
}

/// The content of a decrypted item, or why it could not be decrypted.
fn opened(name: &str, what: Locked, passphrase: &str, given: bool, budget: &mut Budget) -> Vec<FoundItem> {
    let path = PathBuf::from(name);
    let error = match what.open(passphrase, budget) {
        Ok(opened) if opened.certificates.len() + opened.keys.len() > content::MOST_THINGS => {
            CertificateError::TooMany { path, limit: content::MOST_THINGS }
        }
        Ok(opened) => {
            let certificates =
                opened.certificates.into_iter().map(|der| content::certificate_from(name, "", der).thing);
            let keys = opened.keys.into_iter().map(|key| content::key_thing(name, key));
            let things: Vec<FoundItem> = certificates.chain(keys).collect();
            return if things.is_empty() { vec![FoundItem::Aside("Empty PKCS#12 file")] } else { things };
        }
        Err(Refusal::WrongPassphrase) => return vec![FoundItem::Locked { what, tried: given }],
        Err(Refusal::TooCostly) => CertificateError::TooCostly { path },
        Err(Refusal::Unknown) => CertificateError::UnknownLock { path },
        Err(Refusal::Damaged) => {
            CertificateError::Damaged { path, what: "its encrypted contents cannot be read".into() }
        }
    };
    vec![FoundItem::Broken(error)]
}

/// Reads a file, which has to hold what it was given as.
fn given_as(role: FileRole, name: &str, content: &[u8]) -> Vec<Found> {
    let mut found = content::read(name, content);
    let is_archive = archive::is(content);
    let fits = |found: &Found| match (&found.thing, role) {
        (_, FileRole::Any) => true,
        (FoundItem::Broken(_), FileRole::Archive) => is_archive,
        (thing, FileRole::Archive) => is_archive && !matches!(thing, FoundItem::Aside(_)),
        (_, FileRole::Pkcs12) => found.is_pkcs12(),
        // It contains a key and authorities that are not wanted here.
        (FoundItem::Locked { what: Locked::Pkcs12(_), .. }, _) => false,
        (FoundItem::Broken(_), _) => true,
        (FoundItem::Key { .. } | FoundItem::Locked { .. }, FileRole::Key) => true,
        (FoundItem::Certificate(_), role) => role != FileRole::Key,
        _ => false,
    };
    if !found.iter().any(fits) {
        let path = Path::new(name);
        let error = match holds(&found) {
            Some(what) => CertificateError::mistaken(path, role, what),
            None if content.is_empty() => CertificateError::mistaken(path, role, "nothing: it is empty"),
            None => CertificateError::Unrecognised { path: path.to_owned(), role: named(role) },
        };
        return vec![content::broken(name, "", error)];
    }
    if matches!(role, FileRole::Authorities | FileRole::Server) {
        for beside in found.iter_mut().filter(|found| !fits(found) && !matches!(found.thing, FoundItem::Aside(_))) {
            beside.thing = FoundItem::Aside("Not used: the file was given for its certificate");
        }
    }
    found
}

/// The content of a file that was given for another role.
fn holds(found: &[Found]) -> Option<&'static str> {
    let any = |is: fn(&FoundItem) -> bool| found.iter().any(|found| is(&found.thing));
    if any(|thing| matches!(thing, FoundItem::Certificate(_))) {
        Some("a certificate")
    } else if any(|thing| matches!(thing, FoundItem::Key { .. })) {
        Some("a private key")
    } else if any(|thing| matches!(thing, FoundItem::Locked { what: Locked::Pkcs12(_), .. })) {
        Some("a PKCS#12 file, which is given as such (--pkcs12)")
    } else if any(|thing| matches!(thing, FoundItem::Locked { .. })) {
        Some("an encrypted private key")
    } else if any(|thing| matches!(thing, FoundItem::Aside(content::PUBLIC_KEY))) {
        Some("a public key")
    } else if any(|thing| matches!(thing, FoundItem::Aside(content::REQUEST))) {
        Some("a certificate signing request (CSR), not yet signed by a CA")
    } else if found.iter().any(|found| found.form == "PEM") {
        Some("neither a certificate nor a private key")
    } else {
        None
    }
}
