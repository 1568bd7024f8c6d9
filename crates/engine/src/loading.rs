//! Which connections are still being loaded at a start: they are listed, and their devices and unfinished commands are being
//! read.
//!
//! The controller tells it; callers wait here for the connection that they are about. Nothing else waits for it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::{sync::watch, time::timeout};

use crate::{
    api::{Failure, FailureCode},
    store::ConnectionId,
    unanswered::stopping,
};

/// A call waits at most this long for a connection.
const LONGEST: Duration = Duration::from_secs(60);

/// The connections that are not loaded.
type Unloaded = BTreeMap<ConnectionId, Connection>;

struct Connection {
    name: Arc<str>,
    /// Why it could not be read the last time; nothing while it is read.
    failure: Option<Failure>,
}

/// The controller's side. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Loading(watch::Sender<Unloaded>);

/// The callers' side. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Loaded(watch::Receiver<Unloaded>);

impl Loading {
    pub(crate) fn new() -> (Loading, Loaded) {
        let (sender, receiver) = watch::channel(Unloaded::new());
        (Loading(sender), Loaded(receiver))
    }

    /// A connection is being read.
    pub(crate) fn begin(&self, connection: &ConnectionId, name: &str) {
        let name = name.into();
        self.0.send_modify(|unloaded| _ = unloaded.insert(connection.clone(), Connection { name, failure: None }));
    }

    /// A connection is there.
    pub(crate) fn end(&self, connection: &ConnectionId) {
        self.0.send_modify(|unloaded| _ = unloaded.remove(connection));
    }

    /// A connection could not be read. It is tried again later.
    pub(crate) fn fail(&self, connection: &ConnectionId, failure: Failure) {
        self.0.send_modify(|unloaded| {
            if let Some(connection) = unloaded.get_mut(connection) {
                connection.failure = Some(failure);
            }
        });
    }
}

impl Loaded {
    /// Waits until a connection is loaded.
    ///
    /// # Errors
    /// Why it could not be read; [`FailureCode::Internal`] after 60 seconds, and if the engine is stopping.
    pub(crate) async fn one(&self, connection: &ConnectionId) -> Result<(), Failure> {
        self.read(connection).await?.map_or(Ok(()), Err)
    }

    /// Waits until a connection is not being read any more. Answers with why it could not be read, if it could not.
    ///
    /// # Errors
    /// [`FailureCode::Internal`] after 60 seconds, and if the engine is stopping.
    pub(crate) async fn read(&self, connection: &ConnectionId) -> Result<Option<Failure>, Failure> {
        let is_read = |unloaded: &Unloaded| unloaded.get(connection).is_none_or(|known| known.failure.is_some());
        let failure = |unloaded: &Unloaded| unloaded.get(connection).and_then(|known| known.failure.clone());
        self.until(is_read, failure).await
    }

    /// Waits until no connection is being read any more. Answers with why one could not be read, where one could not.
    ///
    /// # Errors
    /// [`FailureCode::Internal`] after 60 seconds, and if the engine is stopping.
    pub(crate) async fn all(&self) -> Result<Option<Failure>, Failure> {
        let failure = |unloaded: &Unloaded| unloaded.values().find_map(|known| known.failure.clone());
        self.until(are_read, failure).await
    }

    /// The same, however long that takes. Ends with the engine, too.
    pub(crate) async fn all_at_last(&self) {
        let _ = self.0.clone().wait_for(are_read).await;
    }

    /// The name of a connection that is not loaded.
    pub(crate) fn name(&self, connection: &ConnectionId) -> Option<Arc<str>> {
        self.0.borrow().get(connection).map(|known| Arc::clone(&known.name))
    }

    async fn until<T>(
        &self,
        is_so: impl Fn(&Unloaded) -> bool,
        then: impl FnOnce(&Unloaded) -> T,
    ) -> Result<T, Failure> {
        let mut unloaded = self.0.clone();
        let waited = timeout(LONGEST, unloaded.wait_for(|unloaded| is_so(unloaded))).await;
        match waited {
            Ok(Ok(unloaded)) => Ok(then(&unloaded)),
            Ok(Err(_)) => Err(stopping()),
            Err(_) => Err(Failure {
                code: FailureCode::Internal,
                message: "Wilco is still reading the stored devices and commands.".into(),
                hint: Some("Try again in a minute, and check the disk.".into()),
            }),
        }
    }
}

/// No connection is being read.
fn are_read(unloaded: &Unloaded) -> bool {
    unloaded.values().all(|known| known.failure.is_some())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use std::time::Duration;

    use tokio::time::timeout;

    use super::{Failure, FailureCode, Loading};
    use crate::store::ConnectionId;

    fn unreadable() -> Failure {
        Failure { code: FailureCode::Store, message: "The disk is broken.".into(), hint: None }
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_waits_for_its_own_connection_and_at_most_a_minute() {
        let (loading, loaded) = Loading::new();
        let (plant, lab) = (ConnectionId::from("plant"), ConnectionId::from("lab"));
        loading.begin(&plant, "Plant");
        loading.begin(&lab, "Lab");
        loading.end(&lab);
        loaded.one(&lab).await.unwrap();
        assert_eq!((loaded.name(&plant).as_deref(), loaded.name(&lab)), (Some("Plant"), None));
        assert!(timeout(Duration::from_secs(59), loaded.one(&plant)).await.is_err());
        assert!(timeout(Duration::from_secs(59), loaded.all()).await.is_err());
        assert_eq!(loaded.one(&plant).await.unwrap_err().code, FailureCode::Internal);
        assert!(timeout(Duration::from_secs(3_600), loaded.all_at_last()).await.is_err());

        loading.fail(&plant, unreadable());
        assert_eq!(loaded.one(&plant).await.unwrap_err(), unreadable());
        // Those that can be read are there.
        assert_eq!(loaded.all().await.unwrap(), Some(unreadable()));
        loading.begin(&plant, "Plant");
        assert!(timeout(Duration::from_secs(59), loaded.one(&plant)).await.is_err());
        loading.end(&plant);
        loaded.one(&plant).await.unwrap();
        assert_eq!(loaded.all().await.unwrap(), None);

        loading.begin(&plant, "Plant");
        drop(loading);
        assert_eq!(loaded.one(&plant).await.unwrap_err().message, "Wilco is shutting down.");
        loaded.one(&lab).await.unwrap();
    }
}
