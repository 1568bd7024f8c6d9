//! Wilco without a window: the same engine, for terminals and scripts.
//!
//! The engine does the work. This crate only parses the options, makes the calls and prints the results.

mod approvals;
mod audit;
mod away;
mod base;
mod check;
mod commands;
mod connections;
mod desired;
mod devices;
mod dialects;
mod evidence;
mod history;
mod input;
mod interrupt;
mod learn;
mod link;
mod log;
mod operator;
mod options;
mod output;
mod problem;
mod rollouts;
mod send;
mod times;
mod watch;

use std::process::ExitCode;

use clap::Parser;

use options::{Options, Task};
use problem::Problem;

fn main() -> ExitCode {
    let options = match Options::try_parse() {
        Ok(options) => options,
        Err(error) => return misuse(&error),
    };
    wilco_engine::disable_core_files();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Problem::from(error).print(),
    };
    runtime.block_on(run(options)).unwrap_or_else(Problem::print)
}

/// Invalid usage, or a request for help. The error quotes the input, so it is printed as text like all foreign input.
fn misuse(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        error.exit();
    }
    for line in error.render().to_string().lines() {
        problem::note(line);
    }
    ExitCode::from(problem::TROUBLE)
}

async fn run(options: Options) -> Result<ExitCode, Problem> {
    let data_dir = options.data_dir.as_deref();
    match options.task {
        Task::Connections(task) => connections::run(task, data_dir).await,
        Task::Commands(task) => commands::run(task, data_dir).await,
        Task::Dialects(task) => dialects::run(task, data_dir).await,
        Task::Send(order) => send::run(*order, data_dir).await,
        Task::Rollout(task) => rollouts::run(task, data_dir).await,
        Task::Desired(task) => desired::run(*task, data_dir).await,
        Task::History(query) => history::run(query, data_dir).await,
        Task::Devices(options) => devices::run(options, data_dir).await,
        Task::Operator(options) => operator::run(options, data_dir).await,
        Task::Check(options) => check::run(options, data_dir).await,
        Task::Approval(task) => approvals::run(task, data_dir).await,
        Task::Audit(task) => audit::run(task, data_dir).await,
        Task::Evidence(options) => evidence::run(options, data_dir).await,
        Task::Times(options) => times::run(options, data_dir).await,
        Task::Log(query) => log::run(query, data_dir).await,
        Task::Watch(query) => watch::run(query, data_dir).await,
    }
}
