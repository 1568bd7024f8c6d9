//! Wilco without a window: the same engine, asked from a terminal or a script.
//!
//! What is done is the engine's; here is only how it is asked for and how it is said.

mod away;
mod base;
mod commands;
mod connections;
mod devices;
mod forget;
mod history;
mod input;
mod interrupt;
mod link;
mod log;
mod options;
mod output;
mod problem;
mod send;
mod watch;

use std::process::ExitCode;

use clap::Parser;

use options::{Options, Task};
use problem::Problem;

fn main() -> ExitCode {
    let options = Options::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Problem::from(error).tell(),
    };
    runtime.block_on(run(options)).unwrap_or_else(Problem::tell)
}

async fn run(options: Options) -> Result<ExitCode, Problem> {
    let data_dir = options.data_dir.as_deref();
    match options.task {
        Task::Connections(task) => connections::run(task, data_dir).await,
        Task::Commands(task) => commands::run(task, data_dir).await,
        Task::Send(order) => send::run(*order, data_dir).await,
        Task::History(query) => history::run(query, data_dir).await,
        Task::Devices(query) => devices::run(query, data_dir).await,
        Task::Forget(device) => forget::run(device, data_dir).await,
        Task::Log(query) => log::run(query, data_dir).await,
        Task::Watch(query) => watch::run(query, data_dir).await,
    }
}
