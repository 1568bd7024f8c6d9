//! Runs the demo fleet alone and prints its broker's address, for use with any MQTT tool.

use std::time::Instant;

use tracing::{error, info};
use tracing_subscriber::EnvFilter;
use wilco_device::{
    demo::{DEMO_DEVICES, DemoFleet},
    dials::Dials,
};

#[tokio::main]
async fn main() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,demo_fleet=info"));
    tracing_subscriber::fmt().with_env_filter(filter).init();
    let wanted = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(DEMO_DEVICES);
    let started = Instant::now();
    let fleet = match DemoFleet::start(wanted, &Dials::default()).await {
        Ok(fleet) => fleet,
        Err(problem) => return error!("{problem}"),
    };
    info!("{} after {:?}", fleet.url(), started.elapsed());
    fleet.complete().await;
    info!("{} devices after {:?}", fleet.devices(), started.elapsed());
    if let Err(problem) = tokio::signal::ctrl_c().await {
        error!("{problem}");
    }
    let stopping = Instant::now();
    fleet.stop().await;
    info!("stopped after {:?}", stopping.elapsed());
}
