//! Reading the history.

use wilco_ledger::{State, Timestamp, grouped};

use super::{Handle, device_id};
use crate::{
    api::{Failure, HistoryPage, HistoryQuery, invalid},
    controller::NEEDS_ATTENTION_FOR,
    store::{ConnectionId, Cursor, HistoryFilter},
    views,
};

/// The longest text that is searched for, characters.
const LONGEST_SEARCH: usize = 200;

impl Handle {
    /// A page of the history, newest first.
    ///
    /// # Errors
    /// [`FailureCode::Invalid`](crate::api::FailureCode) for a state or cursor that does not exist, and for a search text
    /// that is too long.
    pub async fn history(&self, query: HistoryQuery) -> Result<HistoryPage, Failure> {
        let page = self.store.history(self.history_filter(query)?).await?;
        Ok(HistoryPage {
            commands: page.rows.iter().map(|(id, command)| views::command(id.as_str(), command, None)).collect(),
            next: page.next.map(|cursor| cursor.to_string()),
            total: page.total,
            matching: page.matching,
        })
    }

    fn history_filter(&self, query: HistoryQuery) -> Result<HistoryFilter, Failure> {
        let state = |name: &String| {
            let names = State::ALL.map(State::as_str).join(", ");
            State::parse(name)
                .ok_or_else(|| invalid(format!("There is no state named '{name}'."), &format!("Available: {names}.")))
        };
        let cursor = |cursor: String| {
            Cursor::parse(&cursor).ok_or_else(|| {
                invalid(format!("'{cursor}' is not a position in the history."), "Start again from the first page.")
            })
        };
        let length = query.search.chars().count();
        if length > LONGEST_SEARCH {
            return Err(invalid(
                format!("The search text has {} characters; the maximum is {LONGEST_SEARCH}.", grouped(length)),
                "Search for fewer words.",
            ));
        }
        let needed_since = Timestamp(self.clock.now().0.saturating_sub_unsigned(NEEDS_ATTENTION_FOR.0));
        Ok(HistoryFilter {
            connection: query.connection.as_deref().map(ConnectionId::from),
            device: query.device.as_deref().map(device_id).transpose()?,
            states: query.states.iter().map(state).collect::<Result<_, _>>()?,
            since: query.since.map(Timestamp),
            search: query.search,
            needs_attention_since: query.needs_attention.then_some(needed_since),
            before: query.cursor.map(cursor).transpose()?,
            limit: query.limit.clamp(1, 1_000),
        })
    }
}
