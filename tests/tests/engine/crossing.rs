//! Several brokers at once.

use anyhow::Result;
use serde_json::json;
use wilco_engine::api::CommandState;
use wilco_tests::{Broker, Device};

use crate::desk::{Desk, answer, ask, led, plain};

#[tokio::test(flavor = "multi_thread")]
async fn two_fleets_with_the_same_device_ids_never_answer_for_each_other() -> Result<()> {
    let (left, right) = (Broker::plain()?, Broker::plain()?);
    let desk = Desk::new().await?;
    let here = desk.connect(plain("left", &left)).await?;
    let there = desk.connect(plain("right", &right)).await?;

    let id = desk.send(led(&here, "twin")).await?;
    desk.reaches("twin", &id, CommandState::AtBroker).await?;
    // The right id, from the right device, at the wrong broker.
    right.publish("twin/resp", &answer(&id, "failed"), false)?;
    desk.unmatched(&there, "twin", "unknown_id").await?;
    let stands = desk.evidence(&here, "twin", &id).await?.command;
    assert_eq!(stands.state, CommandState::AtBroker);
    left.publish("twin/resp", &answer(&id, "succeeded"), false)?;
    assert_eq!(desk.ended("twin", &id).await?.state, CommandState::Succeeded);

    let _devices = (Device::start(&left, "twin", None)?, Device::start(&right, "twin", None)?);
    desk.sees_online(&here, 1).await?;
    desk.sees_online(&there, 1).await?;
    for on in [true, false, true] {
        let of = |connection: &str, on: bool| ask(connection, "twin", "led", json!({"on": on}));
        let (one, other) = tokio::try_join!(desk.carry_out(of(&here, on)), desk.carry_out(of(&there, !on)))?;
        assert_eq!((one.connection.as_str(), one.result), (here.as_str(), Some(json!({"on": on}).into())));
        assert_eq!((other.connection.as_str(), other.result), (there.as_str(), Some(json!({"on": !on}).into())));
    }
    // The end of one is none of the other's business.
    desk.console().remove_connection(&there).await?;
    assert_eq!(desk.carry_out(led(&here, "twin")).await?.state, CommandState::Succeeded);
    Ok(())
}
