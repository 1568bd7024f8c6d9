//! Chooses which certificates and keys of a kit are used, and reports the problems.

use std::{cmp::Reverse, collections::HashSet, path::PathBuf};

use wilco_ledger::Timestamp;

use super::Item;
use crate::{
    FileRole,
    tls::{
        CertificateError,
        content::{Certificate, FoundItem},
        facts::{check_time, date},
    },
};

/// Intermediate authorities behind a client certificate. Two is usual.
const LONGEST_CHAIN: usize = 10;
/// How long before it expires a certificate gets a warning, milliseconds.
const SOON: i64 = 30 * DAY;
const DAY: i64 = 24 * 60 * 60 * 1_000;

/// Which things are used.
pub(super) struct Choice<'a> {
    /// The client certificate and what follows from it up to its root.
    pub(super) chain: Vec<&'a Item>,
    /// A private key, of that certificate or, with a problem, of another.
    pub(super) key: Option<&'a Item>,
    /// The key is the certificate's.
    pub(super) fits: bool,
    /// The issuers that may have signed the server's certificate.
    pub(super) authorities: Vec<&'a Item>,
    /// The one certificate that the server must show.
    pub(super) server: Option<&'a Item>,
    /// Problems that prevent its use first.
    pub(super) problems: Vec<Problem>,
}

/// Something that is wrong, missing or to be known.
pub(super) struct Problem {
    pub(super) blocking: bool,
    pub(super) item: Option<u32>,
    pub(super) error: CertificateError,
}

impl<'a> Choice<'a> {
    pub(super) fn of(items: &'a [Item], now: Timestamp) -> Choice<'a> {
        let server = certificates(items).find(newest(items, FileRole::Server)).map(|(item, _)| item);
        let pairs = pairs(items);
        let pair = pairs.iter().copied().max_by_key(|(item, key)| rank(item, key, now));
        let certificate = pair.map(|(certificate, _)| certificate).or_else(|| lonely(items));
        let chain = certificate.map_or_else(Vec::new, |certificate| chain(items, certificate));
        let key = pair.map(|(_, key)| key).or_else(|| keys(items).next_back());
        let authorities = authorities(items, &chain);
        let mut choice = Choice { chain, key, fits: pair.is_some(), authorities, server, problems: Vec::new() };
        choice.find_problems(items, &pairs, now);
        choice
    }

    fn find_problems(&mut self, items: &[Item], pairs: &[Pair<'_>], now: Timestamp) {
        self.problems.extend(items.iter().filter_map(of_its_own));
        let is_incomplete = !self.problems.is_empty();
        self.check_pair(is_incomplete);
        self.check_times(now);
        let is_nothing = self.chain.is_empty() && self.key.is_none() && self.authorities.is_empty();
        if !items.is_empty() && is_nothing && self.server.is_none() && !is_incomplete {
            self.block(None, CertificateError::NothingUseful);
        }
        self.mention_the_rest(items, pairs);
        self.problems.sort_by_key(|problem| Reverse(problem.blocking));
    }

    /// Checks that a certificate and its key are both present. An unreadable item may be the missing one.
    fn check_pair(&mut self, is_incomplete: bool) {
        let (certificate, key) = (self.chain.first().copied(), self.key);
        match (certificate, key) {
            (Some(certificate), Some(key)) if !self.fits => {
                let error = CertificateError::KeyMismatch { key: key.path(), certificate: certificate.path() };
                self.block(Some(key), error);
            }
            (Some(certificate), None) if !is_incomplete => {
                let error = CertificateError::CertificateWithoutKey { certificate: certificate.path() };
                self.block(Some(certificate), error);
            }
            (None, Some(key)) if !is_incomplete => {
                self.block(Some(key), CertificateError::KeyWithoutCertificate { key: key.path() });
            }
            _ => {}
        }
    }

    fn check_times(&mut self, now: Timestamp) {
        if let Some((item, certificate)) = self.chain.first().and_then(|item| Some((*item, item.certificate()?))) {
            let facts = &certificate.facts;
            if facts.version < 3 {
                let error = CertificateError::Version1 { path: item.path(), version: facts.version };
                self.block(Some(item), error);
            }
            match check_time(&item.path(), facts, now) {
                Err(error) => self.block(Some(item), error),
                Ok(()) if facts.not_after.0.saturating_sub(now.0) < SOON => {
                    self.mention(Some(item), ends_soon(item, facts, now))
                }
                Ok(()) => {}
            }
        }
        // A bundle may hold old ones beside the one that is needed.
        let mut refused = None;
        for item in &self.authorities {
            let Some(certificate) = item.certificate() else { continue };
            match check_time(&item.path(), &certificate.facts, now) {
                Ok(()) => return,
                Err(error) => refused = Some((*item, error)),
            }
        }
        if let Some((item, error)) = refused {
            self.block(Some(item), error);
        }
    }

    /// Items that could be used but are not.
    fn mention_the_rest(&mut self, items: &[Item], pairs: &[Pair<'_>]) {
        let (Some(used), Some(key), true) = (self.chain.first().copied(), self.key, self.fits) else { return };
        let Some(certificate) = used.certificate() else { return };
        // A later file replaces an earlier one without a remark.
        let round = used.round.max(key.round);
        let is_rival = |(item, key): &&Pair<'_>| {
            let other = item.certificate();
            let is_other = other.is_some_and(|other| !is_same(used, other) && !other.is_authority());
            is_other && item.round.max(key.round) == round
        };
        if let Some((rival, _)) = pairs.iter().find(is_rival) {
            let subject = certificate.facts.subject.clone();
            self.mention(Some(rival), CertificateError::SeveralPairs { path: used.path(), subject });
        }
        let paired: HashSet<u32> = pairs.iter().flat_map(|(item, key)| [item.id, key.id]).collect();
        for key in keys(items).filter(|key| !paired.contains(&key.id)) {
            self.mention(Some(key), CertificateError::SpareKey { path: key.path() });
        }
        for (item, certificate) in leaves(items) {
            if !paired.contains(&item.id) && !self.chain.iter().any(|link| is_same(link, certificate)) {
                let error = CertificateError::SpareCertificate { path: item.path(), used: used.path() };
                self.mention(Some(item), error);
            }
        }
    }

    fn block(&mut self, item: Option<&Item>, error: CertificateError) {
        self.problems.push(Problem { blocking: true, item: item.map(|item| item.id), error });
    }

    fn mention(&mut self, item: Option<&Item>, error: CertificateError) {
        self.problems.push(Problem { blocking: false, item: item.map(|item| item.id), error });
    }
}

/// The problem of an item regardless of the others.
fn of_its_own(item: &Item) -> Option<Problem> {
    let error = match &item.thing {
        FoundItem::Broken(error) => error.clone(),
        FoundItem::Locked { tried: true, .. } => CertificateError::WrongPassphrase { path: item.path() },
        FoundItem::Locked { tried: false, .. } => CertificateError::Encrypted { path: item.path() },
        _ => return None,
    };
    Some(Problem { blocking: true, item: Some(item.id), error })
}

fn ends_soon(item: &Item, facts: &crate::tls::CertificateFacts, now: Timestamp) -> CertificateError {
    CertificateError::EndsSoon {
        path: item.path(),
        subject: facts.subject.clone(),
        date: date(facts.not_after),
        days: facts.not_after.0.saturating_sub(now.0) / DAY,
    }
}

fn certificates(items: &[Item]) -> impl Iterator<Item = (&Item, &Certificate)> {
    items.iter().filter_map(|item| Some((item, item.certificate()?)))
}

/// The certificates that may be the client's, or in its chain.
fn candidates(items: &[Item]) -> impl Iterator<Item = (&Item, &Certificate)> {
    certificates(items).filter(|(item, _)| !matches!(item.role, FileRole::Authorities | FileRole::Server))
}

/// Of these, those that are not there to sign others.
fn leaves(items: &[Item]) -> impl Iterator<Item = (&Item, &Certificate)> {
    candidates(items).filter(|(_, certificate)| !certificate.is_authority())
}

fn keys(items: &[Item]) -> impl DoubleEndedIterator<Item = &Item> {
    items.iter().filter(|item| item.key().is_some())
}

/// A certificate and its key.
type Pair<'a> = (&'a Item, &'a Item);

fn pairs(items: &[Item]) -> Vec<Pair<'_>> {
    let mut pairs = Vec::new();
    for (item, certificate) in candidates(items) {
        let fits = |key: &&Item| key.key().is_some_and(|(_, public)| *public == certificate.public);
        pairs.extend(keys(items).filter(fits).map(|key| (item, key)));
    }
    pairs
}

/// Order of preference: items given for exactly this role come first, an authority last, even if its key is there;
/// later items replace earlier ones; valid ones and those that expire later are better.
fn rank(item: &Item, key: &Item, now: Timestamp) -> impl Ord + use<> {
    let facts = item.certificate().map(|certificate| &certificate.facts);
    let is_valid = facts.is_some_and(|facts| check_time(&PathBuf::new(), facts, now).is_ok());
    (
        usize::from(item.role == FileRole::Certificate) + usize::from(key.role == FileRole::Key),
        !item.certificate().is_some_and(Certificate::is_authority),
        item.round.max(key.round),
        is_valid,
        facts.map(|facts| facts.not_after.0),
        Reverse(item.id),
    )
}

/// A certificate without its key: the newest that signs no others, or one that was given as the client's.
fn lonely(items: &[Item]) -> Option<&Item> {
    let given = candidates(items).find(newest(items, FileRole::Certificate));
    let leaf = || {
        let latest = leaves(items).map(|(item, _)| item.round).max();
        leaves(items).find(|(item, _)| Some(item.round) == latest)
    };
    given.or_else(leaf).map(|(item, _)| item)
}

/// Tells the first certificate of the latest file that was given as `role`.
fn newest(items: &[Item], role: FileRole) -> impl FnMut(&(&Item, &Certificate)) -> bool + use<> {
    let latest = certificates(items).filter(|(item, _)| item.role == role).map(|(item, _)| item.round).max();
    move |(item, _)| item.role == role && Some(item.round) == latest
}

/// A certificate, who has signed it, who has signed that, and so on: an intermediate completes it wherever it was given,
/// also as one of the authorities that servers may be signed by. A root ends it, and is only sent along if it was given
/// together with the certificate: servers have it, or do not trust it.
fn chain<'a>(items: &'a [Item], first: &'a Item) -> Vec<&'a Item> {
    let mut chain = vec![first];
    while let Some(last) = chain.last().and_then(|item| item.certificate()) {
        let mut given = certificates(items).filter(|(item, _)| item.role != FileRole::Server);
        let next = given.find(|(item, certificate)| {
            let may_follow = !certificate.is_self_issued() || item.role == FileRole::Certificate;
            may_follow && !chain.iter().any(|link| is_same(link, certificate)) && last.is_signed_by(certificate)
        });
        match next {
            Some((item, _)) if chain.len() < LONGEST_CHAIN && !last.is_self_issued() => chain.push(item),
            _ => break,
        }
    }
    chain
}

/// Certificates given as authorities, and those that sign others but not our certificate. Each once.
fn authorities<'a>(items: &'a [Item], chain: &[&Item]) -> Vec<&'a Item> {
    let mut authorities: Vec<&Item> = Vec::new();
    for (item, certificate) in certificates(items) {
        let is_one = match item.role {
            FileRole::Authorities => true,
            FileRole::Any | FileRole::Pkcs12 | FileRole::Archive => {
                certificate.is_authority() && !chain.iter().any(|link| is_same(link, certificate))
            }
            FileRole::Certificate | FileRole::Key | FileRole::Server => false,
        };
        if is_one && !authorities.iter().any(|other| is_same(other, certificate)) {
            authorities.push(item);
        }
    }
    authorities
}

fn is_same(item: &Item, certificate: &Certificate) -> bool {
    item.certificate().is_some_and(|other| other.der == certificate.der)
}
