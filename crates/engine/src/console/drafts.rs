//! Drafts of dialects, and the dialect files of a connection.

use std::{collections::BTreeMap, io::ErrorKind, path::PathBuf};

use wilco_dialect::{
    DialectFile, DialectForm, DialectSet, FileProblem, IdKind, LARGEST_FILE, Observed, OutcomeField, ReadKind, Setting,
    Topics, learn, preview, propose, shipped,
};

use super::{Handle, blocking, not_found};
use crate::{
    api::{
        ConnectionView, DialectDraft, DialectFields, DialectProblem, DialectSetting, DraftSource, EnabledDialect,
        Failure, FailureCode, FileToWrite, IdForm, MessageReading, OutcomeWord, OwnDialect, ReadingKind, SampleMessage,
        invalid,
    },
    input_file, output_file,
    store::Profile,
};
use wilco_atomic_file::Readers;

/// The most messages that a draft is tried on; the latest count.
const MOST_SAMPLES: usize = 2_000;
/// The most dialect files of one connection.
const MOST_FILES: usize = 32;

impl Handle {
    /// Tries a draft of a dialect on messages. Stores nothing.
    ///
    /// # Errors
    /// [`FailureCode::Invalid`] where messages do not suggest a dialect. What is wrong with a file is in the draft.
    pub async fn draft_dialect(
        &self,
        source: DraftSource,
        messages: Vec<SampleMessage>,
    ) -> Result<DialectDraft, Failure> {
        blocking(move || draft(source, messages)).await
    }

    /// The dialect files of a connection, enabled or not.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`].
    pub async fn own_dialects(&self, connection: &str) -> Result<Vec<OwnDialect>, Failure> {
        let profile = self.profile(connection).await?;
        let own = |text: &String| {
            let file = DialectFile::parse(text).ok()?;
            let enabled = profile.settings.dialects.iter().any(|known| known.name == file.name());
            let (name, title, about) = (file.name().into(), file.title().into(), file.about().into());
            Some(OwnDialect { name, title, about, text: text.clone(), enabled, settings: settings(&file) })
        };
        Ok(profile.settings.dialect_files.iter().filter_map(own).collect())
    }

    /// Stores a dialect file with a connection, replacing the one with its name or the one that it `replaces`, and
    /// enables it if requested. If it is enabled, the session restarts.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`]; `Invalid` for a file that cannot be used; `Store`.
    pub async fn save_dialect(
        &self,
        connection: &str,
        text: &str,
        replaces: Option<String>,
        enable: bool,
    ) -> Result<ConnectionView, Failure> {
        let file = DialectFile::parse(text).map_err(|problems| unusable(&problems))?;
        let mut profile = self.changeable(connection).await?;
        let name = file.name().to_owned();
        let is_old = |known: &str| known == name || replaces.as_deref() == Some(known);
        let old: Vec<String> = profile.settings.dialect_files.iter().filter_map(|text| name_of(text)).collect();
        profile.settings.dialect_files.retain(|text| !name_of(text).is_some_and(|known| is_old(&known)));
        if profile.settings.dialect_files.len() >= MOST_FILES {
            return Err(invalid(
                format!("A connection can have at most {MOST_FILES} dialect files."),
                "Remove one that you do not need.",
            ));
        }
        profile.settings.dialect_files.push(text.to_owned());
        let takes_over = |known: &EnabledDialect| is_old(&known.name) && old.contains(&known.name);
        let before = profile.settings.dialects.iter().find(|known| takes_over(known)).cloned();
        profile.settings.dialects.retain(|known| !takes_over(known));
        if (enable || before.is_some()) && profile.settings.dialects.iter().all(|known| known.name != name) {
            profile.settings.dialects.push(EnabledDialect { settings: kept(before, &file), name });
        }
        self.put_dialects(profile).await
    }

    /// Removes a dialect file from a connection. If it is enabled, it is disabled, and the session restarts.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`]; `Invalid` if it is the only dialect that is enabled; `Store`.
    pub async fn remove_dialect(&self, connection: &str, name: &str) -> Result<ConnectionView, Failure> {
        let mut profile = self.changeable(connection).await?;
        let before = profile.settings.dialect_files.len();
        profile.settings.dialect_files.retain(|text| name_of(text).as_deref() != Some(name));
        if profile.settings.dialect_files.len() == before {
            return Err(not_found("dialect file", name));
        }
        if profile.settings.dialects.iter().all(|known| known.name == name) {
            return Err(invalid(
                format!("'{name}' is the only dialect that is enabled on this connection."),
                "Enable another one first.",
            ));
        }
        profile.settings.dialects.retain(|known| known.name != name);
        self.put_dialects(profile).await
    }

    /// Writes a dialect file of a connection, or one that comes with Wilco, to a file. Returns the file's path.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`] and `File`.
    pub async fn export_dialect(&self, connection: &str, name: &str, to: FileToWrite) -> Result<PathBuf, Failure> {
        let profile = self.profile(connection).await?;
        let text = text_of(&profile, name).ok_or_else(|| not_found("dialect file", name))?;
        blocking(move || output_file::write(&to, Readers::Umask, text.as_bytes())).await
    }

    /// Reads a dialect file, for a preview before it is saved.
    ///
    /// # Errors
    /// [`FailureCode::File`].
    pub async fn read_dialect(&self, path: PathBuf) -> Result<String, Failure> {
        blocking(move || {
            let cannot = |why: String| Failure {
                code: FailureCode::File,
                message: format!("Could not read {}: {why}.", path.display()),
                hint: Some("Choose a dialect file (TOML, at most 128 KiB).".into()),
            };
            input_file::text(&path, LARGEST_FILE as u64).map_err(|error| match error.kind() {
                ErrorKind::FileTooLarge => cannot("it is larger than 128 KiB".to_owned()),
                _ => cannot(error.to_string()),
            })
        })
        .await
    }
}

fn draft(source: DraftSource, messages: Vec<SampleMessage>) -> Result<DialectDraft, Failure> {
    let skipped = messages.len().saturating_sub(MOST_SAMPLES);
    let messages: Vec<Observed> = messages.into_iter().map(observed).collect();
    let nothing = |why: String| invalid(why, "Choose the messages yourself, or write the file.");
    let (text, mut remarks) = match source {
        DraftSource::New => (DialectForm::starter().text(""), Vec::new()),
        DraftSource::Text { text } => (text, Vec::new()),
        DraftSource::Fields { fields, before } => (form_of(*fields).text(&before), Vec::new()),
        DraftSource::Messages { name, request, answer } => {
            let answer = answer.map(|answer| answer as usize);
            let proposal = propose(&name, &messages, request as usize, answer).map_err(nothing)?;
            (proposal.file, proposal.remarks)
        }
        DraftSource::Everything { name } => {
            let proposal = learn(&name, &messages).map_err(nothing)?;
            (proposal.file, proposal.remarks)
        }
    };
    let none = DialectDraft {
        text: String::new(),
        fields: None,
        name: None,
        problems: Vec::new(),
        remarks: Vec::new(),
        readings: Vec::new(),
    };
    match DialectFile::parse(&text) {
        Err(problems) => {
            let problems = problems.into_iter().map(dialect_problem).collect();
            Ok(DialectDraft { text, problems, remarks, ..none })
        }
        Ok(file) => {
            for other in shipped().iter().filter(|other| other.name() != file.name()) {
                remarks.extend(DialectSet::new([file.clone(), other.clone()], &Topics::default()).overlaps());
            }
            if shipped().iter().any(|other| other.name() == file.name()) {
                remarks.push("A dialect that comes with Wilco has the same name. Choose another name.".to_owned());
            }
            let mut readings: Vec<MessageReading> =
                preview(&file, &messages[skipped..]).into_iter().map(message_reading).collect();
            let unread = MessageReading { kind: ReadingKind::Other, device: None, said: String::new() };
            readings.splice(..0, std::iter::repeat_n(unread, skipped));
            let fields = DialectForm::of(&text).ok().flatten().map(fields_of);
            Ok(DialectDraft { fields, name: Some(file.name().to_owned()), remarks, readings, text, ..none })
        }
    }
}

/// What a connection can change of a dialect.
pub(super) fn settings(file: &DialectFile) -> Vec<DialectSetting> {
    let setting = |one: Setting<'_>| DialectSetting {
        name: one.name.to_owned(),
        title: one.title.to_owned(),
        default: one.default.to_owned(),
        choices: one.choices.into_iter().map(ToOwned::to_owned).collect(),
    };
    file.settings().map(setting).collect()
}

/// The settings of a dialect whose file is replaced, as far as the new file has them.
fn kept(before: Option<EnabledDialect>, file: &DialectFile) -> BTreeMap<String, String> {
    let mut settings = before.map(|dialect| dialect.settings).unwrap_or_default();
    settings.retain(|name, _| file.settings().any(|setting| setting.name == name));
    settings
}

fn unusable(problems: &[FileProblem]) -> Failure {
    let first = problems.first().map(ToString::to_string).unwrap_or_default();
    invalid(format!("The dialect file cannot be used: {first}"), "Correct it, then save it again.")
}

fn name_of(text: &str) -> Option<String> {
    DialectFile::parse(text).ok().map(|file| file.name().to_owned())
}

fn text_of(profile: &Profile, name: &str) -> Option<String> {
    let own = profile.settings.dialect_files.iter().find(|text| name_of(text).as_deref() == Some(name));
    own.cloned().or_else(|| wilco_dialect::shipped_text(name).map(str::to_owned))
}

fn observed(message: SampleMessage) -> Observed {
    let SampleMessage { at, topic, payload, retained } = message;
    Observed { at, topic, payload, retained }
}

fn dialect_problem(problem: FileProblem) -> DialectProblem {
    DialectProblem { line: u32::try_from(problem.line).unwrap_or(u32::MAX), what: problem.what }
}

fn message_reading(read: wilco_dialect::ReadMessage) -> MessageReading {
    let kind = match read.kind {
        ReadKind::Request => ReadingKind::Request,
        ReadKind::Answer => ReadingKind::Answer,
        ReadKind::State => ReadingKind::State,
        ReadKind::Presence => ReadingKind::Presence,
        ReadKind::Telemetry => ReadingKind::Telemetry,
        ReadKind::Unreadable => ReadingKind::Unreadable,
        ReadKind::Other => ReadingKind::Other,
    };
    MessageReading { kind, device: read.device, said: read.said }
}

/// The fields that are the same in both.
macro_rules! form {
    ($from:ident => $to:ident { $($field:ident),* }, $id:expr, $outcomes:expr) => {
        $to { $($field: $from.$field,)* request_id: $id, outcomes: $outcomes }
    };
}

fn form_of(fields: DialectFields) -> DialectForm {
    let id = match fields.request_id {
        IdForm::Text => IdKind::Text,
        IdForm::Int31 => IdKind::Int31,
        IdForm::None => IdKind::None,
    };
    let outcome =
        |word: OutcomeWord| OutcomeField { at: word.at, is: word.is, means: word.means.into(), message: word.message };
    let outcomes = fields.outcomes.into_iter().map(outcome).collect();
    form!(fields => DialectForm {
        name, title, about, request_topic, request_payload, is_json, answer_topic, answer_id, state_topic,
        state_key, expect_key, expect_value, silent, presence_topic, presence_at, online, offline, telemetry
    }, id, outcomes)
}

fn fields_of(form: DialectForm) -> DialectFields {
    let id = match form.request_id {
        IdKind::Text => IdForm::Text,
        IdKind::Int31 => IdForm::Int31,
        IdKind::None => IdForm::None,
    };
    let outcome = |field: OutcomeField| OutcomeWord {
        at: field.at,
        is: field.is,
        means: field.means.into(),
        message: field.message,
    };
    let outcomes = form.outcomes.into_iter().map(outcome).collect();
    form!(form => DialectFields {
        name, title, about, request_topic, request_payload, is_json, answer_topic, answer_id, state_topic,
        state_key, expect_key, expect_value, silent, presence_topic, presence_at, online, offline, telemetry
    }, id, outcomes)
}

#[cfg(test)]
mod tests;
