//! Users' own commands, buttons and saved views.

use wilco_dialect::CommandKind;

use super::{
    ConnectionId, Store, StoreError,
    table::{buttons, catalogue, views},
};
use wilco_definitions::SavedView;

/// A user's own command.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// Its id, made once.
    pub id: String,
    /// The connection that it is for; all where there is none.
    pub connection: Option<ConnectionId>,
    /// The definition.
    pub kind: CommandKind,
}

/// A command with its arguments filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredButton {
    /// Its id, made once.
    pub id: String,
    /// The connection that it is for; all where there is none.
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
    /// See [`StoreError`]; so for all the others.
    pub async fn definitions(&self) -> Result<Vec<Definition>, StoreError> {
        self.readers.read(catalogue::all).await
    }

    /// Adds definitions or replaces those of the same ids, and buttons as [`Store::save_button`] does: all or none. Where
    /// a definition's name is taken it is handed back, and nothing is stored.
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

    /// Removes a definition; `false` where there is none of that id.
    pub async fn remove_definition(&self, id: &str) -> Result<bool, StoreError> {
        let id = id.to_owned();
        self.write(move |transaction| catalogue::remove(transaction, &id)).await
    }

    /// A connection's saved views, in the order in which they were saved.
    pub async fn views(&self, connection: &str) -> Result<Vec<SavedView>, StoreError> {
        let id = connection.to_owned();
        self.readers.read(move |connection| views::all(connection, &id)).await
    }

    /// Adds a view, or changes the one of the same id; `false` where another one of its connection is called so.
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

    /// Removes a view; `false` where there is none of that id.
    pub async fn remove_view(&self, id: &str) -> Result<bool, StoreError> {
        let id = id.to_owned();
        self.write(move |transaction| views::remove(transaction, &id)).await
    }

    /// Every button, in the order that the person has given them.
    pub async fn buttons(&self) -> Result<Vec<StoredButton>, StoreError> {
        self.readers.read(buttons::all).await
    }

    /// Adds a button at the end, or changes the one of the same id where it is.
    pub async fn save_button(&self, button: StoredButton) -> Result<(), StoreError> {
        self.write(move |transaction| buttons::put(transaction, &button)).await
    }

    /// Gives the buttons their places, in this order.
    pub async fn order_buttons(&self, ids: Vec<String>) -> Result<(), StoreError> {
        self.write(move |transaction| buttons::order(transaction, &ids)).await
    }

    /// Removes a button; `false` where there is none of that id.
    pub async fn remove_button(&self, id: &str) -> Result<bool, StoreError> {
        let id = id.to_owned();
        self.write(move |transaction| buttons::remove(transaction, &id)).await
    }
}
