//! The rate of commands to many devices: slow and silent devices block no others, and no broker receives more than it
//! accepts.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use wilco_engine::api::{NewRollout, Preset, RolloutCommand, RolloutState, RolloutTarget, RolloutView};
use wilco_tests::{Broker, Child, Fleet, soon_async};

use crate::desk::{Desk, plain};

/// Longest wait for the end of a rollout. The machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(120);

/// Requests a second: 250 at a time, each for the two seconds after which a device counts as silent. A window that does not
/// adapt would get no further, on any machine.
const NOT_ENOUGH: f64 = 125.0;

/// As the clock of the broker's machine has it, one line for each request.
fn watch(broker: &Broker) -> Result<Child> {
    // With QoS 0 the broker queues nothing for this listener.
    broker.listen_with("+/req", &["-q", "0", "-F", "%U"])
}

/// When the requests came that a listener has seen, seconds, in order.
fn times(listener: &Child) -> Result<Vec<f64>> {
    let log = listener.log();
    let times = log.lines().filter(|line| !line.is_empty()).map(|line| line.parse().context("no time"));
    times.collect()
}

fn led(connection: &str, devices: Vec<String>, timeout_ms: u64) -> NewRollout {
    NewRollout {
        connection: connection.to_owned(),
        target: RolloutTarget::Devices { devices },
        command: RolloutCommand {
            name: "led".into(),
            args: json!({"on": true}).into(),
            timeout_ms: Some(timeout_ms),
            // Less than it takes to send to all of them.
            ttl_ms: Some(1_000),
            retries: Some(0),
            ..RolloutCommand::default()
        },
        ..NewRollout::default()
    }
}

async fn to_its_end(desk: &Desk, rollout: NewRollout) -> Result<RolloutView> {
    let id = desk.console().start_rollout(rollout).await?.id;
    soon_async("the end of the rollout", PATIENCE, async || {
        let rollouts = desk.console().rollouts().await?;
        Ok(rollouts.into_iter().find(|known| known.id == id && known.state == RolloutState::Finished))
    })
    .await
}

/// Requests a second, between the first and the last.
fn rate(times: &[f64]) -> Result<f64> {
    let (first, last) = times.first().zip(times.last()).context("no requests")?;
    Ok(f64::from(u32::try_from(times.len())?) / (last - first))
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_devices_that_never_answer_hold_up_no_others_and_nothing_expires_unsent() -> Result<()> {
    const DEVICES: usize = 3_000;
    let broker = Broker::plain()?;
    let requests = watch(&broker)?;
    let desk = Desk::new().await?;
    let connection = desk.connect(plain("silent", &broker)).await?;
    let devices = (0..DEVICES).map(|number| format!("silent-{number:04}")).collect();
    let ended = to_its_end(&desk, led(&connection, devices, 5_000)).await?;
    assert_eq!((ended.counts.timed_out, ended.counts.expired), (3_000, 0), "{:?}", ended.counts);
    let times = times(&requests)?;
    assert_eq!(times.len(), DEVICES);
    let rate = rate(&times)?;
    // How many there are on a quiet machine is tested with a simulated broker, in the ledger.
    ensure!(rate > NOT_ENOUGH, "{rate:.0} requests a second");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_that_take_five_seconds_hold_up_no_others_and_no_answer_is_lost() -> Result<()> {
    const DEVICES: usize = 1_500;
    let broker = Broker::plain()?;
    let desk = Desk::new().await?;
    let connection = desk.connect(plain("slow", &broker)).await?;
    let _fleet = Fleet::start(&broker, "slow", DEVICES, &["--delay-ms", "5000"])?;
    desk.sees_online(&connection, u32::try_from(DEVICES)?).await?;
    let requests = watch(&broker)?;
    let devices = (1..=DEVICES).map(|number| format!("slow-{number:04}")).collect();
    let ended = to_its_end(&desk, led(&connection, devices, 60_000)).await?;
    assert_eq!(ended.counts.succeeded, 1_500, "{:?}", ended.counts);
    let rate = rate(&times(&requests)?)?;
    ensure!(rate > NOT_ENOUGH, "{rate:.0} requests a second");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn aws_never_gets_more_than_a_hundred_requests_in_a_second() -> Result<()> {
    const DEVICES: usize = 500;
    let broker = Broker::plain()?;
    let requests = watch(&broker)?;
    let desk = Desk::new().await?;
    let aws = plain("aws", &broker).with(|entry| entry.settings.preset = Preset::Aws);
    let connection = desk.connect(aws).await?;
    let devices = (0..DEVICES).map(|number| format!("silent-{number:04}")).collect();
    let ended = to_its_end(&desk, led(&connection, devices, 3_000)).await?;
    assert_eq!((ended.counts.timed_out, ended.counts.expired), (500, 0), "{:?}", ended.counts);
    let times = times(&requests)?;
    assert_eq!(times.len(), DEVICES);
    let most = times.iter().map(|from| times.iter().filter(|at| (*from..from + 1.0).contains(*at)).count()).max();
    ensure!(most.is_some_and(|most| most <= 100), "{most:?} requests in one second");
    let rate = rate(&times)?;
    ensure!(rate > 70.0, "{rate:.0} requests a second");
    Ok(())
}
