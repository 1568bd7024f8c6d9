//! Live traffic of a connection.

use tokio::sync::mpsc;
use wilco_ledger::DeviceId;

use super::{Handle, device_id};
use crate::{
    api::{Failure, TrafficBatch, TrafficQuery},
    controller::Request,
    store::ConnectionId,
    traffic::{self, TopicFilter},
};

/// Batches that a slow listener may fall behind. What comes meanwhile is left out, and counted.
const UNREAD: usize = 4;

impl Handle {
    /// Streams the messages of a connection from now on. Nothing waits for the receiver: messages that it cannot take
    /// in time are omitted and counted.
    ///
    /// # Errors
    /// [`FailureCode::NotFound`](crate::api::FailureCode); `Invalid` for an invalid topic filter or device.
    pub async fn traffic(&self, query: TrafficQuery) -> Result<mpsc::Receiver<TrafficBatch>, Failure> {
        let filter = TopicFilter::parse(&query.filter)?;
        let device = query.device.as_deref().map(device_id).transpose()?;
        self.watch(&query.connection, device, filter).await
    }

    /// The messages of a connection that pass a filter.
    pub(super) async fn watch(
        &self,
        connection: &str,
        device: Option<DeviceId>,
        filter: TopicFilter,
    ) -> Result<mpsc::Receiver<TrafficBatch>, Failure> {
        let dialect = self.shared(connection).await?.dialect;
        let (tap, view) = traffic::tap(ConnectionId::from(connection), device, filter, dialect);
        self.request(|reply| Request::Tap(tap, reply)).await?;
        let (to, batches) = mpsc::channel(UNREAD);
        tokio::spawn(view.hand_out(to));
        Ok(batches)
    }
}
