//! A kit as it is shown to users.

use wilco_ledger::Timestamp;

use super::{
    Item,
    choice::{Choice, Problem},
};
use wilco_failure::sentence;

use crate::{
    CertificateView, KitItem, KitItemKind, KitProblem, KitView,
    tls::{CertificateFacts, content::FoundItem},
};

pub(super) fn of(items: &[Item], id: &str, now: Timestamp) -> KitView {
    let choice = Choice::of(items, now);
    let certificate = |item: &Item| item.certificate().map(|certificate| view(&certificate.facts));
    let lines = lines(items, &choice);
    let line = |id: u32| lines.iter().find(|line| line.ids.contains(&id)).map(|line| line.shown.id);
    let problem = |problem: &Problem| KitProblem {
        blocking: problem.blocking,
        item: problem.item.and_then(line),
        message: sentence(&problem.error.to_string()),
        hint: problem.error.hint(),
    };
    let problems: Vec<KitProblem> = choice.problems.iter().map(problem).collect();
    KitView {
        id: id.to_owned(),
        items: lines.into_iter().map(|line| line.shown).collect(),
        certificate: choice.chain.first().copied().and_then(certificate),
        has_key: choice.fits,
        authorities: choice.authorities.iter().copied().filter_map(certificate).collect(),
        server: choice.server.and_then(certificate),
        locked: items.iter().any(|item| matches!(item.thing, FoundItem::Locked { .. })),
        usable: !problems.iter().any(|problem| problem.blocking),
        problems,
    }
}

/// The numbers of what is shown in the line of that number.
pub(super) fn shown_together(items: &[Item], id: u32, now: Timestamp) -> Vec<u32> {
    let lines = lines(items, &Choice::of(items, now));
    // It was a separate line before, and may be part of another one now.
    lines.into_iter().find(|line| line.shown.id == id).map_or_else(|| vec![id], |line| line.ids)
}

/// One line of the view, and the item behind it.
struct Line {
    ids: Vec<u32>,
    shown: KitItem,
}

fn lines(items: &[Item], choice: &Choice<'_>) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for item in items {
        let (kind, what, note) = words(item, choice);
        // A bundle of authorities is one line, not a hundred.
        if let Some(line) = lines
            .last_mut()
            .filter(|line| kind == KitItemKind::Authority && line.shown.kind == kind && line.shown.name == item.name)
        {
            line.ids.push(item.id);
            line.shown.what = format!("{} CA certificates", line.ids.len());
            continue;
        }
        let shown = KitItem { id: item.id, name: item.name.clone(), kind, what: what.to_owned(), note };
        lines.push(Line { ids: vec![item.id], shown });
    }
    lines
}

fn words(item: &Item, choice: &Choice<'_>) -> (KitItemKind, &'static str, String) {
    let is = |other: &&Item| other.id == item.id;
    let with_form = |kind: &str| format!("{}, {kind}", item.form);
    match &item.thing {
        FoundItem::Certificate(certificate) => {
            if choice.server.as_ref().is_some_and(is) {
                (KitItemKind::Server, "Server certificate", "The only trusted certificate".into())
            } else if choice.chain.first().is_some_and(is) {
                (KitItemKind::Certificate, "Device certificate", with_form(&certificate.facts.key))
            } else if choice.chain.iter().any(is) && !choice.authorities.iter().any(is) {
                (KitItemKind::Certificate, "Intermediate certificate", "Between the certificate and its root".into())
            } else if choice.authorities.iter().any(is) {
                (KitItemKind::Authority, "CA certificate", "Verifies the server".into())
            } else {
                (KitItemKind::SetAside, "Certificate", "Not used".into())
            }
        }
        FoundItem::Key { public, .. } => {
            let note = match (choice.key, choice.fits) {
                (Some(key), true) if key.id == item.id => "Matches the certificate".into(),
                (Some(_), true) => return (KitItemKind::SetAside, "Private key", "Not used".into()),
                _ if choice.chain.is_empty() => with_form(&public.kind),
                _ => "Does not match the certificate".into(),
            };
            (KitItemKind::Key, "Private key", note)
        }
        FoundItem::Locked { what, tried } => {
            let note = if *tried { "Wrong passphrase" } else { "Encrypted with a passphrase" };
            (KitItemKind::Locked, what.what(), note.into())
        }
        FoundItem::Aside(note) => (KitItemKind::SetAside, "Ignored", (*note).to_owned()),
        FoundItem::Broken(error) => (KitItemKind::Unusable, "Cannot be used", error.short().to_owned()),
    }
}

fn view(facts: &CertificateFacts) -> CertificateView {
    CertificateView {
        subject: facts.subject.clone(),
        issuer: facts.issuer.clone(),
        not_before: facts.not_before.0,
        not_after: facts.not_after.0,
        serial: facts.serial.clone(),
        sha256: facts.sha256.clone(),
        key: facts.key.clone(),
    }
}
