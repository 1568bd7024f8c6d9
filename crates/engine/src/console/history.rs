//! Reading the history.

use wilco_ledger::{State, Timestamp, grouped};

use super::{Handle, device_id};
use crate::{
    api::{Failure, HistoryCause, HistoryCauses, HistoryPage, HistoryQuery, invalid},
    controller::NEEDS_ATTENTION_FOR,
    store::{ConnectionId, Cursor, HistoryFilter, Store, StoredCause},
    views,
};

/// The longest text that is searched for, characters.
const LONGEST_SEARCH: usize = 200;

impl Handle {
    /// A page of the history, newest first.
    ///
    /// # Errors
    /// [`FailureCode::Invalid`](crate::api::FailureCode) for a cursor that does not exist, and for a search text that is too
    /// long.
    pub async fn history(&self, query: HistoryQuery) -> Result<HistoryPage, Failure> {
        page(&self.store, query, self.clock.now()).await
    }

    /// The causes of the newest failed commands that match, the most frequent first.
    ///
    /// # Errors
    /// As [`Handle::history`].
    pub async fn history_causes(&self, query: HistoryQuery) -> Result<HistoryCauses, Failure> {
        causes(&self.store, query, self.clock.now()).await
    }
}

/// A page of the history in that store.
pub(crate) async fn page(store: &Store, query: HistoryQuery, now: Timestamp) -> Result<HistoryPage, Failure> {
    let page = store.history(filter(query, now)?).await?;
    Ok(HistoryPage {
        commands: page.rows.iter().map(|(id, command)| views::command(id.as_str(), command, None)).collect(),
        next: page.next.map(|cursor| cursor.to_string()),
        total: page.total,
        matching: page.matching,
    })
}

/// Why the newest commands in that store failed.
pub(crate) async fn causes(store: &Store, query: HistoryQuery, now: Timestamp) -> Result<HistoryCauses, Failure> {
    let found = store.causes(filter(query, now)?).await?;
    let cause = |StoredCause { state, message, count, latest }| HistoryCause {
        search: words(&message),
        state: state.into(),
        message,
        count,
        latest_at: latest.0,
    };
    Ok(HistoryCauses {
        causes: found.causes.into_iter().map(cause).collect(),
        commands: found.commands,
        more: found.more,
    })
}

fn filter(query: HistoryQuery, now: Timestamp) -> Result<HistoryFilter, Failure> {
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
    let needed_since = Timestamp(now.0.saturating_sub_unsigned(NEEDS_ATTENTION_FOR.0));
    Ok(HistoryFilter {
        connection: query.connection.as_deref().map(ConnectionId::from),
        device: query.device.as_deref().map(device_id).transpose()?,
        states: query.states.into_iter().map(State::from).collect(),
        since: query.since.map(Timestamp),
        automatic: query.automatic,
        search: query.search,
        needs_attention_since: query.needs_attention.then_some(needed_since),
        before: query.cursor.map(cursor).transpose()?,
        limit: query.limit.clamp(1, 1_000),
    })
}

/// The words of a message that commands of one cause have in common, as a search.
fn words(message: &str) -> String {
    let words = message.split(|c: char| !c.is_alphanumeric());
    let mut search = String::new();
    for word in words.filter(|word| !word.is_empty() && !word.contains(|c: char| c.is_ascii_digit())) {
        if search.chars().count() + 1 + word.chars().count() > LONGEST_SEARCH {
            break;
        }
        if !search.is_empty() {
            search.push(' ');
        }
        search.push_str(word);
    }
    search
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn a_cause_is_searched_for_by_the_words_without_a_number() {
        let check = |message: &str, expected: &str| assert_eq!(words(message), expected);
        check("Supply voltage too low: 3.1 V (v2)", "Supply voltage too low V");
        check("0x1f", "");
        check("", "");
        check(&"word ".repeat(99), "word ".repeat(40).trim_end());
    }
}
