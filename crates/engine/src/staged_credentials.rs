//! Certificate files that a user has added, kept in memory until their connection is saved.

use std::{collections::HashMap, path::PathBuf};

use parking_lot::{Mutex, MutexGuard};
use uuid::Uuid;
use wilco_ledger::{Millis, Timestamp};
use zeroize::Zeroizing;

use crate::{
    api::{Failure, FailureCode, FilesToRead, KitView},
    tls::{Credentials, Kit, Source},
};

/// A kit that was not used for this time is discarded.
const FORGOTTEN_AFTER: Millis = Millis::seconds(3_600);

/// Kits at most; the one not used for longest goes first.
const KEPT: usize = 16;

/// The kits of everybody who is just adding a connection.
#[derive(Default)]
pub(crate) struct StagedCredentials(Mutex<HashMap<String, Kept>>);

struct Kept {
    kit: Kit,
    used: Timestamp,
}

impl StagedCredentials {
    /// Reads files into a kit, a new one or one that is there, adds what a broker has `shown`, and tries a passphrase.
    /// Blocks.
    pub(crate) fn read(&self, files: FilesToRead, shown: Option<Source>, now: Timestamp) -> Result<KitView, Failure> {
        let id = files.kit.clone().unwrap_or_else(|| Uuid::new_v4().simple().to_string());
        // Taken out meanwhile: reading may take its time, and others have kits of their own.
        let mut kit = match &files.kit {
            Some(id) => self.take(id)?,
            None => Kit::new(),
        };
        for file in &files.files {
            kit.read_file(&PathBuf::from(&file.path), file.role);
        }
        if let Some(shown) = shown {
            kit.add(shown);
        }
        if let Some(passphrase) = files.passphrase.map(Zeroizing::new) {
            kit.unlock(&passphrase);
        }
        let view = kit.view(&id, now);
        self.put(id, kit, now);
        Ok(view)
    }

    /// Leaves one thing out.
    pub(crate) fn leave_out(&self, id: &str, item: u32, now: Timestamp) -> Result<KitView, Failure> {
        let mut kit = self.take(id)?;
        kit.leave_out(item, now);
        let view = kit.view(id, now);
        self.put(id.to_owned(), kit, now);
        Ok(view)
    }

    /// The result of evaluating a kit.
    pub(crate) fn credentials(&self, id: &str, now: Timestamp) -> Result<Credentials, Failure> {
        let mut staged = self.staged();
        let kept = staged.get_mut(id).ok_or_else(forgotten)?;
        kept.used = now;
        Ok(kept.kit.credentials(now)?)
    }

    pub(crate) fn forget(&self, id: &str) {
        self.staged().remove(id);
    }

    fn take(&self, id: &str) -> Result<Kit, Failure> {
        self.staged().remove(id).map(|kept| kept.kit).ok_or_else(forgotten)
    }

    fn put(&self, id: String, kit: Kit, now: Timestamp) {
        let mut staged = self.staged();
        staged.retain(|_, kept| now.since(kept.used) < FORGOTTEN_AFTER);
        if staged.len() >= KEPT
            && let Some(oldest) = staged.iter().min_by_key(|(_, kept)| kept.used).map(|(id, _)| id.clone())
        {
            staged.remove(&oldest);
        }
        staged.insert(id, Kept { kit, used: now });
    }

    fn staged(&self) -> MutexGuard<'_, HashMap<String, Kept>> {
        self.0.lock()
    }
}

fn forgotten() -> Failure {
    Failure {
        code: FailureCode::NotFound,
        message: "The file contents are no longer in memory.".into(),
        hint: Some("Choose the files again.".into()),
    }
}
