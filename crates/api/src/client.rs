//! The typed client of an engine, in this process or in another.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::mpsc::{self, Receiver, Sender, UnboundedSender};

use super::{Call, Failure, FailureCode};

/// The reply to a call: JSON, ready to send.
pub type Json = Box<RawValue>;

/// Items that may wait for the caller.
const UNREAD: usize = 64;

/// Answers calls: an engine, or a connection to one in another process.
pub trait Dispatch: Send + Sync {
    /// Makes a call. When it returns, all reported items have been sent to `items`; streamed items follow until the
    /// receiver is dropped.
    fn dispatch(&self, call: Call, items: Sender<Json>) -> BoxFuture<'_, Result<Json, Failure>>;

    /// Closes the connection that is kept open between calls, so that the other process can exit.
    fn let_go(&self) {}
}

/// Calls an engine; its methods are the rows of the call table (`api/calls.rs`). Cheap to clone.
#[derive(Clone)]
pub struct Client {
    engine: Arc<dyn Dispatch>,
}

impl Client {
    /// A client of this engine.
    pub fn new(engine: impl Dispatch + 'static) -> Client {
        Client { engine: Arc::new(engine) }
    }

    /// Closes the connection that is kept open between calls, so that the other process can exit.
    pub fn let_go(&self) {
        self.engine.let_go();
    }

    pub(super) async fn call<T: DeserializeOwned>(&self, call: Call) -> Result<T, Failure> {
        let (items, _) = mpsc::channel(1);
        read(&self.engine.dispatch(call, items).await?)
    }

    pub(super) async fn call_with_progress<T, I>(&self, call: Call, progress: UnboundedSender<I>) -> Result<T, Failure>
    where
        T: DeserializeOwned,
        I: DeserializeOwned,
    {
        let (items, mut received) = mpsc::channel::<Json>(UNREAD);
        let forward = async move {
            while let Some(item) = received.recv().await {
                // The caller may have dropped the receiver.
                let _ = progress.send(read(&item)?);
            }
            Ok::<(), Failure>(())
        };
        let (reply, forwarded) = tokio::join!(self.engine.dispatch(call, items), forward);
        forwarded?;
        read(&reply?)
    }

    pub(super) async fn stream<I: DeserializeOwned + Send + 'static>(
        &self,
        call: Call,
    ) -> Result<Receiver<I>, Failure> {
        let (items, mut sent) = mpsc::channel::<Json>(UNREAD);
        self.engine.dispatch(call, items).await?;
        let (to, received) = mpsc::channel(UNREAD);
        tokio::spawn(async move {
            while let Some(item) = tokio::select! { item = sent.recv() => item, () = to.closed() => None } {
                let Ok(item) = read(&item) else { break };
                if to.send(item).await.is_err() {
                    break;
                }
            }
        });
        Ok(received)
    }
}

/// A value as JSON.
pub fn to_json(value: &impl Serialize) -> Result<Json, Failure> {
    to_raw_value(value).map_err(|error| garbled(&error))
}

fn read<T: DeserializeOwned>(json: &RawValue) -> Result<T, Failure> {
    serde_json::from_str(json.get()).map_err(|error| garbled(&error))
}

/// The error for a message that the other side cannot read.
pub fn garbled(error: &serde_json::Error) -> Failure {
    Failure {
        code: FailureCode::Internal,
        // The library quotes what it cannot read, and that may be a password.
        message: format!(
            "This program cannot read the reply from the running Wilco (JSON, line {}, column {}).",
            error.line(),
            error.column()
        ),
        hint: Some("Check that both are the same version.".into()),
    }
}
