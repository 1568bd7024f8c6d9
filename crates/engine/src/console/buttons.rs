//! Buttons: commands with their arguments filled in.

use serde_json::json;
use uuid::Uuid;
use wilco_dialect::{ICONS, json as arguments};

use super::{Handle, not_found};
use crate::{
    api::{AuditKind, CommandButton, Failure, JsonText, invalid, legible},
    audit::plain,
    store::{ConnectionId, StoredButton},
};

/// The longest label, letters.
const LONGEST_LABEL: usize = 40;

impl Handle {
    /// All buttons, in the user's order.
    ///
    /// # Errors
    /// [`FailureCode::Store`](crate::api::FailureCode).
    pub async fn buttons(&self) -> Result<Vec<CommandButton>, Failure> {
        Ok(self.store.buttons().await?.into_iter().map(view).collect())
    }

    /// Adds a button, or changes the one with the given ID. Its arguments are validated when it is pressed, because the
    /// command's definition may change.
    ///
    /// # Errors
    /// [`FailureCode::Invalid`](crate::api::FailureCode) for a button without a label or a command; `Store`.
    pub async fn save_button(&self, button: CommandButton) -> Result<CommandButton, Failure> {
        let mut stored = checked(button)?;
        if stored.id.is_empty() {
            stored.id = Uuid::new_v4().simple().to_string();
        }
        let saved = view(stored.clone());
        let what = format!("Saved button {}", saved.label);
        let entry = self.entry_on_any(saved.connection.as_deref(), AuditKind::Button, what);
        let details = json!({ "id": saved.id, "command": saved.command, "args": plain(saved.args.as_str()) });
        self.store.audited(entry.with(&details)).save_button(stored).await?;
        Ok(saved)
    }

    /// Sets the order of the buttons.
    ///
    /// # Errors
    /// [`FailureCode::Store`](crate::api::FailureCode).
    pub async fn order_buttons(&self, ids: Vec<String>) -> Result<(), Failure> {
        let entry = self.audit.entry(AuditKind::Button, "Changed the order of the buttons");
        Ok(self.store.audited(entry.with(&json!({ "ids": ids }))).order_buttons(ids).await?)
    }

    /// Removes a button.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode); `Store`.
    pub async fn remove_button(&self, id: &str) -> Result<(), Failure> {
        let label = self.store.buttons().await?.into_iter().find(|button| button.id == id).map(|button| button.label);
        let entry = self.audit.entry(AuditKind::Button, format!("Removed button {}", label.unwrap_or_default()));
        let store = self.store.audited(entry.with(&json!({ "id": id })));
        if store.remove_button(id).await? { Ok(()) } else { Err(not_found("button", id)) }
    }
}

/// A button as it is kept.
pub(super) fn checked(button: CommandButton) -> Result<StoredButton, Failure> {
    if button.label.trim().is_empty() {
        return Err(invalid("The button has no label.".into(), "Enter a label, for example Open the valve."));
    }
    let label = legible(&button.label, "label")?.to_owned();
    if label.chars().count() > LONGEST_LABEL {
        return Err(invalid(
            format!("The label of a button can have at most {LONGEST_LABEL} characters."),
            "Enter a shorter label.",
        ));
    }
    if button.command.trim().is_empty() {
        return Err(invalid("The button sends no command.".into(), "Choose a command first."));
    }
    if button.command.trim() != button.command {
        return Err(invalid(
            format!("The command's name, {:?}, begins or ends with a space.", button.command),
            "Remove the space.",
        ));
    }
    if !ICONS.contains(&button.icon.as_str()) {
        let icons = ICONS.join(", ");
        return Err(invalid(format!("There is no icon named '{}'.", button.icon), &format!("Available: {icons}.")));
    }
    let args = arguments::object(button.args.as_str()).map_err(|why| invalid(why, "Write {\"key\": value}."))?;
    Ok(StoredButton {
        id: button.id,
        connection: button.connection.map(ConnectionId::from),
        label,
        icon: button.icon,
        command: button.command,
        args,
        no_answer: button.no_answer,
    })
}

/// A button as it is shown.
pub(super) fn view(button: StoredButton) -> CommandButton {
    CommandButton {
        id: button.id,
        connection: button.connection.map(|id| id.as_str().to_owned()),
        label: button.label,
        icon: button.icon,
        command: button.command,
        args: JsonText::of(&button.args),
        no_answer: button.no_answer,
    }
}
