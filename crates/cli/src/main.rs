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

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
    let arguments: Vec<_> =
        std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
    for line in without_passwords(error.render().to_string(), &arguments).lines() {
        problem::note(line);
    }
    ExitCode::from(problem::TROUBLE)
}

/// A text in which the arguments are quoted, without the passwords of addresses among them.
fn without_passwords(text: String, arguments: &[String]) -> String {
    let values = arguments.iter().filter_map(|argument| argument.split_once('=')).map(|(_, value)| value);
    let quoted = arguments.iter().map(String::as_str).chain(values).filter(|text| text.contains("://"));
    quoted.fold(text, |text, address| text.replace(address, &output::entered(address)))
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

#[cfg(test)]
mod tests {
    use super::without_passwords;

    #[test]
    fn misuse_quotes_no_password() {
        let check = |argument: &str, text: &str, expected: &str| {
            let arguments = ["send".to_owned(), argument.to_owned()];
            assert_eq!(without_passwords(text.to_owned(), &arguments), expected);
        };
        let address = "mqtt://ops:se cret@host";
        check(address, "unexpected argument 'mqtt://ops:se cret@host' found", "unexpected argument 'mqtt://…' found");
        check(&format!("--ur={address}"), "'--ur=mqtt://ops:se cret@host'", "'--ur=mqtt://…'");
        check("led", "unexpected argument 'led' found", "unexpected argument 'led' found");
        check("mqtt://host", "unexpected argument 'mqtt://host' found", "unexpected argument 'mqtt://host' found");
    }
}
