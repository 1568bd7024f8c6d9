//! User-defined commands, buttons and saved views.

use wilco_dialect::CommandKind;

use super::{
    ConnectionId, Store, StoreError,
    table::{buttons, catalogue, views},
};
use wilco_definitions::SavedView;

/// A user-defined command.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// Its id, made once.
    pub id: String,
    /// The ID of its connection; `None` for all connections.
    pub connection: Option<ConnectionId>,
    /// The definition.
    pub kind: CommandKind,
}

/// A button: a command with its arguments filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredButton {
    /// Its id, made once.
    pub id: String,
    /// The ID of its connection; `None` for all connections.
    pub connection: Option<ConnectionId>,
    /// The label.
    pub label: String,
    /// Its sign.
    pub icon: String,
    /// The command's name.
    pub command: String,
    /// Its arguments as JSON text.
    pub args: String,
    /// No answer is expected.
    pub no_answer: bool,
}

impl Store {
    /// Every definition, by name.
    ///
    /// # Errors
    /// See [`StoreError`]; the same applies to the methods below.
    pub async fn definitions(&self) -> Result<Vec<Definition>, StoreError> {
        self.readers.read(catalogue::all).await
    }

    /// Adds or replaces definitions by their IDs, and buttons as [`Store::save_button`] does: all or none. If a
    /// definition's name is already in use, it is returned and nothing is stored.
    pub async fn save_catalogue(
        &self,
        definitions: Vec<Definition>,
        buttons: Vec<StoredButton>,
    ) -> Result<Option<String>, StoreError> {
        self.write(move |transaction| {
            for definition in &definitions {
                if catalogue::name_taken(transaction, definition)? {
                    return Ok(Some(definition.kind.name.clone()));
                }
            }
            definitions.iter().try_for_each(|definition| catalogue::put(transaction, definition))?;
            buttons.iter().try_for_each(|button| buttons::put(transaction, button))?;
            Ok(None)
        })
        .await
    }

    /// Removes a definition; `false` if it does not exist.
    pub async fn remove_definition(&self, id: &str) -> Result<bool, StoreError> {
        let id = id.to_owned();
        self.write(move |transaction| catalogue::remove(transaction, &id)).await
    }

    /// A connection's saved views, in the order in which they were saved.
    pub async fn views(&self, connection: &str) -> Result<Vec<SavedView>, StoreError> {
        let id = connection.to_owned();
        self.readers.read(move |connection| views::all(connection, &id)).await
    }

    /// Adds or changes a view by its ID; `false` if another view of its connection has the same name.
    pub async fn save_view(&self, view: SavedView) -> Result<bool, StoreError> {
        self.write(move |transaction| {
            if views::name_taken(transaction, &view)? {
                return Ok(false);
            }
            views::put(transaction, &view)?;
            Ok(true)
        })
        .await
    }

    /// Removes a view; `false` if it does not exist.
    pub async fn remove_view(&self, id: &str) -> Result<bool, StoreError> {
        let id = id.to_owned();
        self.write(move |transaction| views::remove(transaction, &id)).await
    }

    /// All buttons, in the user's order.
    pub async fn buttons(&self) -> Result<Vec<StoredButton>, StoreError> {
        self.readers.read(buttons::all).await
    }

    /// Adds a button at the end, or changes the one with the same ID in place.
    pub async fn save_button(&self, button: StoredButton) -> Result<(), StoreError> {
        self.write(move |transaction| buttons::put(transaction, &button)).await
    }

    /// Sets the order of the buttons.
    pub async fn order_buttons(&self, ids: Vec<String>) -> Result<(), StoreError> {
        self.write(move |transaction| buttons::order(transaction, &ids)).await
    }

    /// Removes a button; `false` if it does not exist.
    pub async fn remove_button(&self, id: &str) -> Result<bool, StoreError> {
        let id = id.to_owned();
        self.write(move |transaction| buttons::remove(transaction, &id)).await
    }
}
