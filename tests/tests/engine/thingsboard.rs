//! Programs of ThingsBoard on a broker without ThingsBoard.

use anyhow::{Result, ensure};
use wilco_engine::api::ConnectionMode;
use wilco_tests::{Broker, soon};

use crate::desk::{Desk, PATIENCE, plain};

const ASKED: &str = "v1/devices/me/rpc/request/1";
const QUESTION: &[u8] = br#"{"method":"getSessionLimits","params":{}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_is_told_its_limits_where_that_is_switched_on() -> Result<()> {
    let broker = Broker::plain()?;
    let answers = broker.listen("v1/devices/me/rpc/response/+")?;
    let desk = Desk::new().await?;
    let with = |setting: &str| {
        let dialect = format!("thingsboard{setting}").parse();
        plain("house", &broker).with(|entry| entry.settings.dialects = dialect.into_iter().collect())
    };
    // Off, and on a read-only connection: the device that reports next shows that the question has been read.
    let read_only = with(":session_limits=on").with(|entry| entry.settings.mode = ConnectionMode::ReadOnly);
    for silent in [with(""), read_only] {
        let connection = desk.connect(silent).await?;
        broker.publish(ASKED, QUESTION, false)?;
        broker.publish("v1/gateway/connect", br#"{"device":"Device A"}"#, false)?;
        desk.until("device", |seen| {
            seen.connections.iter().find(|known| known.id == connection && known.devices > 0).map(drop)
        })
        .await?;
        ensure!(answers.log().is_empty(), "{}", answers.log());
        desk.console().remove_connection(&connection).await?;
    }
    desk.connect(with(":session_limits=on")).await?;
    broker.publish(ASKED, QUESTION, false)?;
    soon("answer", PATIENCE, || (!answers.log().is_empty()).then_some(()))?;
    let log = answers.log();
    ensure!(log.starts_with("v1/devices/me/rpc/response/1 {") && log.contains(r#""rateLimits":{}"#), "{log}");
    Ok(())
}
