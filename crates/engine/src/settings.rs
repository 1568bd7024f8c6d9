//! The current settings, shared by all users of them. Their limits are defined with their type.

use std::sync::Arc;

use parking_lot::RwLock;

pub(crate) use wilco_definitions::days_ago;

use crate::api::Settings;

/// The current settings, shared.
#[derive(Clone)]
pub(crate) struct SharedSettings(Arc<RwLock<Settings>>);

impl SharedSettings {
    pub(crate) fn new(settings: Settings) -> SharedSettings {
        SharedSettings(Arc::new(RwLock::new(settings)))
    }

    pub(crate) fn get(&self) -> Settings {
        self.0.read().clone()
    }

    pub(crate) fn set(&self, settings: Settings) {
        *self.0.write() = settings;
    }
}
