//! The dialects that a profile enables.

use std::collections::BTreeMap;

use wilco_dialect::{
    CONSOLE, Devices, Dialect, DialectFile, DialectSet, Discovery, Filter, RefusedSetting, Subscriptions, Topics,
    shipped,
};
use wilco_failure::{Failure, excerpt, invalid, sentence};

use crate::{EnabledDialect, Profile};

/// The most dialects of one connection.
const MOST: usize = 32;

/// The enabled dialects of a connection.
#[derive(Debug)]
pub struct EnabledDialects {
    /// Wilco's own topics on this connection, even if no device uses them.
    pub own: Dialect,
    /// Whether Wilco's own dialect is enabled.
    pub speaks_own: bool,
    /// All enabled dialects behind one interface.
    pub set: DialectSet,
    /// The dialects that find devices.
    pub readers: Vec<Discovery>,
    /// Whether dialects other than Wilco's own are enabled.
    pub has_described: bool,
    /// Dialects that use the same messages here, as sentences. Only pairs with a user's dialect file or with
    /// non-default settings.
    pub overlaps: Vec<String>,
    /// The titles of the profile's dialect files by name, enabled or not.
    pub titles: BTreeMap<String, String>,
}

impl EnabledDialects {
    /// Resolves the dialects of a profile.
    ///
    /// # Errors
    /// [`FailureCode::Invalid`](wilco_failure::FailureCode) for an unknown dialect, an invalid file, both 'wilco' and
    /// 'text', and invalid topics.
    pub fn of(profile: &Profile) -> Result<EnabledDialects, Failure> {
        let settings = &profile.settings;
        let topics = Topics::new(&settings.prefix)
            .map_err(|error| invalid(sentence(&error.to_string()), "Leave it empty for topics such as device1/req."))?;
        if settings.dialects.is_empty() {
            return Err(invalid("No dialect is enabled.".into(), "Enable at least one, for example wilco."));
        }
        if settings.dialects.len() > MOST {
            return Err(invalid(format!("At most {MOST} dialects are possible."), "Enable fewer."));
        }
        let own_files = settings.dialect_files.iter().map(|text| file(text)).collect::<Result<Vec<_>, _>>()?;
        let mut files: Vec<DialectFile> = Vec::new();
        for EnabledDialect { name, .. } in &settings.dialects {
            let found = own_files.iter().chain(shipped()).find(|file| file.name() == name);
            let found = found.ok_or_else(|| {
                let known: Vec<_> = own_files.iter().chain(shipped()).map(DialectFile::name).collect();
                invalid(format!("There is no dialect named '{name}'."), &format!("There are: {}.", known.join(", ")))
            })?;
            if files.iter().all(|file| file.name() != name) {
                files.push(found.clone());
            }
        }
        let native = files.iter().find_map(|file| Dialect::named(file.name(), topics.clone()));
        let natives = files.iter().filter(|file| Dialect::named(file.name(), topics.clone()).is_some()).count();
        if natives > 1 {
            return Err(invalid(
                "'wilco' and 'text' use the same topics, so only one of them can be enabled.".into(),
                "Enable 'text' for firmware that uses plain text: it also reads Wilco's JSON.",
            ));
        }
        let has_described = files.len() > natives;
        let console = console(profile);
        let mut set = DialectSet::new(files.iter().cloned(), &topics);
        let names: Vec<String> = set.names().map(str::to_owned).collect();
        for name in names {
            // Answers to one console must not reach another one.
            set.set(&name, CONSOLE, &console);
        }
        for dialect in &settings.dialects {
            dialect.check()?;
            for (name, value) in &dialect.settings {
                let refused =
                    files.iter().find(|file| file.name() == dialect.name).and_then(|file| file.refuses(name, value));
                if let Some(RefusedSetting::Word { words }) = refused {
                    return Err(invalid(
                        format!(
                            "The setting '{name}' of the dialect '{}' cannot be '{}'.",
                            dialect.name,
                            excerpt(value)
                        ),
                        &format!("Enter one of: {words}."),
                    ));
                }
                if name == CONSOLE || !set.set(&dialect.name, name, value) {
                    return Err(invalid(
                        format!("The dialect '{}' has no setting '{}'.", dialect.name, excerpt(name)),
                        "`wilco dialects show NAME` lists the settings of a dialect under [vars].",
                    ));
                }
            }
        }
        let readers = set.readers(&console);
        let speaks_own = native.is_some();
        let is_changed = |name: &str| {
            let is_set = |dialect: &EnabledDialect| dialect.name == name && !dialect.settings.is_empty();
            own_files.iter().any(|file| file.name() == name) || settings.dialects.iter().any(is_set)
        };
        let overlaps = set.overlaps_of(is_changed);
        let own = native.unwrap_or(Dialect::Wilco(topics));
        let titles = own_files.iter().map(|file| (file.name().to_owned(), file.title().to_owned())).collect();
        Ok(EnabledDialects { own, speaks_own, set, readers, has_described, overlaps, titles })
    }

    /// The first topic filters to subscribe to; those for discovery come first.
    #[must_use]
    pub fn filters(&self, wishes: &Subscriptions<'_>) -> Vec<Filter> {
        if !self.has_described {
            return self.own.filters(wishes);
        }
        let found_by = self.readers.iter().flat_map(Discovery::filters);
        let wished = |filter: String| Filter { filter, qos: 1, required: false, others_only: false };
        let all = self.set.filters(&Devices::default(), wishes);
        let mut filters: Vec<Filter> = Vec::new();
        let (required, others): (Vec<Filter>, Vec<Filter>) = all.into_iter().partition(|filter| filter.required);
        for filter in required.into_iter().chain(found_by.map(wished)).chain(others) {
            if filters.iter().all(|known| known.filter != filter.filter) {
                filters.push(filter);
            }
        }
        filters
    }
}

/// A dialect file of somebody's own.
fn file(text: &str) -> Result<DialectFile, Failure> {
    DialectFile::parse(text).map_err(|problems| {
        let first = problems.first().map(ToString::to_string).unwrap_or_default();
        invalid(
            format!("The dialect file cannot be used: {first}"),
            "Correct it. `wilco dialects check FILE` lists all problems.",
        )
    })
}

/// The name of this console in the topics of devices that answer by console name.
fn console(profile: &Profile) -> String {
    profile.client_id.chars().map(|c| if matches!(c, '+' | '#' | '/' | '$' | '%' | '?') { '-' } else { c }).collect()
}
