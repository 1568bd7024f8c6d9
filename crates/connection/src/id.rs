//! The identifier of a connection.

use std::{convert::Infallible, fmt, str::FromStr, sync::Arc};

/// A connection ID, generated when the connection is added and never changed. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(Arc<str>);

impl ConnectionId {
    /// The ID as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ConnectionId {
    fn from(id: &str) -> ConnectionId {
        ConnectionId(id.into())
    }
}

impl From<String> for ConnectionId {
    fn from(id: String) -> ConnectionId {
        ConnectionId(id.into())
    }
}

impl FromStr for ConnectionId {
    type Err = Infallible;

    fn from_str(id: &str) -> Result<ConnectionId, Infallible> {
        Ok(id.into())
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", &*self.0)
    }
}
