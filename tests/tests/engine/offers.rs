//! Dialects that are not enabled are offered while their devices are heard.

use anyhow::{Result, ensure};
use serde_json::json;
use wilco_tests::Broker;

use crate::desk::{Desk, PATIENCE, plain};

#[tokio::test(flavor = "multi_thread")]
async fn devices_without_announcements_are_offered_once_they_publish() -> Result<()> {
    let broker = Broker::plain()?;
    // A Shelly retains nothing, so it is found only after everything that is retained has been read.
    let tasmota = json!({"mac": "49A3BC", "t": "boiler", "dn": "Boiler", "fn": ["Boiler"], "rl": [1], "ver": 1,
        "ft": "%prefix%/%topic%/", "tp": ["cmnd", "stat", "tele"], "state": ["OFF", "ON"]});
    broker.publish("tasmota/discovery/49A3BC/config", tasmota.to_string().as_bytes(), true)?;
    let heard = broker.listen("#")?;
    let desk = Desk::new().await?;
    let connection = desk.connect(plain("house", &broker)).await?;
    let offered = async || {
        let offers = desk.view(&connection).await?.offers;
        anyhow::Ok(offers.into_iter().map(|offer| (offer.title, offer.devices)).collect::<Vec<_>>())
    };
    wilco_tests::soon_async("offer of Tasmota", PATIENCE, async || {
        let all = offered().await?;
        Ok((all == [("Tasmota".to_owned(), 1)]).then_some(()))
    })
    .await?;
    for plug in ["shellyplus1-aa", "shellyplus1-bb", "shellyplus1-cc"] {
        let status = json!({"src": plug, "dst": format!("{plug}/events"), "method": "NotifyStatus",
            "params": {"ts": 1.0, "switch:0": {"id": 0, "output": true}}});
        broker.publish(&format!("{plug}/events/rpc"), status.to_string().as_bytes(), false)?;
    }
    wilco_tests::soon_async("offer of three Shelly devices", PATIENCE, async || {
        Ok(offered().await?.into_iter().find(|(title, devices)| title == "Shelly" && *devices == 3))
    })
    .await?;
    // They are offered, and asked nothing.
    let log = heard.log();
    let mut topics = log.lines().filter_map(|line| line.split_once(' ')).map(|(topic, _)| topic);
    ensure!(topics.all(|topic| !topic.ends_with("/rpc") || topic.ends_with("/events/rpc")), "{log}");
    Ok(())
}
