//! Dispatches the calls of the [table](crate::api::Call) to the engine.

use futures_util::future::BoxFuture;
use serde::Serialize;
use tokio::sync::mpsc::{self, Receiver, Sender, UnboundedReceiver};

use super::Handle;
use crate::api::{Call, Dispatch, Failure, Json, calls, to_json};

impl Dispatch for Handle {
    fn dispatch(&self, call: Call, items: Sender<Json>) -> BoxFuture<'_, Result<Json, Failure>> {
        Box::pin(answer(self, call, items))
    }
}

macro_rules! lent {
    ($value:ident) => {
        $value
    };
    ($value:ident, $lent:tt) => {
        &$value
    };
}

/// One call: with a reply, with progress, and with a stream.
macro_rules! made {
    ($handle:ident.$name:ident($($value:expr),*), $items:ident) => {
        to_json(&$handle.$name($($value),*).await?)
    };
    ($handle:ident.$name:ident($($value:expr),*), $items:ident, reports $progress:ty) => {{
        let (sender, progress) = mpsc::unbounded_channel();
        let (reply, ()) = tokio::join!($handle.$name($($value,)* sender), forward(progress, $items));
        to_json(&reply?)
    }};
    ($handle:ident.$name:ident($($value:expr),*), $items:ident, streams $item:ty) => {{
        tokio::spawn(send_on($handle.$name($($value),*).await?, $items));
        to_json(&())
    }};
}

macro_rules! dispatch {
    ($(
        $(#[doc = $doc:literal])+
        $callers:ident $name:ident($($parameter:ident: $(&$lent:tt)? $($owned:path)?),*)
        $(-> $answer:ty)? $(, reports $progress:ty)? $(, streams $item:ty)?;
    )*) => {
        async fn answer(handle: &Handle, call: Call, items: Sender<Json>) -> Result<Json, Failure> {
            match call {
                $(
                    Call::$name { $($parameter),* } => {
                        made!(handle.$name($(lent!($parameter $(, $lent)?)),*), items $(, reports $progress)? $(, streams $item)?)
                    }
                ),*
            }
        }
    };
}
calls!(dispatch);

async fn forward(mut progress: UnboundedReceiver<impl Serialize>, items: Sender<Json>) {
    while let Some(item) = progress.recv().await {
        let Ok(item) = to_json(&item) else { continue };
        // The caller may have gone; the call is finished anyway.
        let _ = items.send(item).await;
    }
}

async fn send_on(mut streamed: Receiver<impl Serialize>, items: Sender<Json>) {
    while let Some(item) = tokio::select! { item = streamed.recv() => item, () = items.closed() => None } {
        let Ok(item) = to_json(&item) else { break };
        if items.send(item).await.is_err() {
            break;
        }
    }
}
