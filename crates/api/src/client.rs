//! Asking an engine in this process or in another, by the same typed methods.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::mpsc::{self, Receiver, Sender, UnboundedSender};

use super::{Call, Failure, FailureCode};

/// What comes back of a call: JSON, ready for a wire.
pub type Json = Box<RawValue>;

/// Items that may wait for the caller.
const UNREAD: usize = 64;

/// Answers calls: an engine, or a way to one in another process.
pub trait Dispatch: Send + Sync {
    /// Makes a call. What it tells on the way has been sent to `items` when it has answered; what it streams is sent
    /// there afterwards, until the receiver is dropped.
    fn dispatch(&self, call: Call, items: Sender<Json>) -> BoxFuture<'_, Result<Json, Failure>>;

    /// Closes what is kept open between two calls: another process may end.
    fn let_go(&self) {}
}

/// Asks things of an engine; its methods are the rows of the call table (`api/calls.rs`). Cheap to clone.
#[derive(Clone)]
pub struct Client {
    engine: Arc<dyn Dispatch>,
}

impl Client {
    /// Asks this engine.
    pub fn new(engine: impl Dispatch + 'static) -> Client {
        Client { engine: Arc::new(engine) }
    }

    /// Closes what is kept open between two calls: another process may end.
    pub fn let_go(&self) {
        self.engine.let_go();
    }

    pub(super) async fn ask<T: DeserializeOwned>(&self, call: Call) -> Result<T, Failure> {
        let (items, _) = mpsc::channel(1);
        read(&self.engine.dispatch(call, items).await?)
    }

    pub(super) async fn ask_told<T, I>(&self, call: Call, tell: UnboundedSender<I>) -> Result<T, Failure>
    where
        T: DeserializeOwned,
        I: DeserializeOwned,
    {
        let (items, mut told) = mpsc::channel::<Json>(UNREAD);
        let tell_on = async move {
            while let Some(item) = told.recv().await {
                // Nobody has to listen.
                let _ = tell.send(read(&item)?);
            }
            Ok::<(), Failure>(())
        };
        let (answer, told) = tokio::join!(self.engine.dispatch(call, items), tell_on);
        told?;
        read(&answer?)
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

/// What one side said and the other cannot read.
pub fn garbled(error: &serde_json::Error) -> Failure {
    Failure {
        code: FailureCode::Internal,
        // The library quotes what it cannot read, and that may be a password.
        message: format!(
            "This program cannot read the reply of the running Wilco (JSON, line {}, column {}).",
            error.line(),
            error.column()
        ),
        hint: Some("Check that both are the same version.".into()),
    }
}
