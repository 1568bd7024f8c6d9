//! The cost of Wilco's promise: its engine, which stores every command before it sends it and every answer before it
//! counts, compared with bare MQTT clients that store nothing; and the app's start, memory and size.
//!
//! All clients are measured in one run, in turns, on the same broker and the same echo device, so that a busy machine
//! slows all of them alike. `cargo xtask bench` builds everything and starts it. A benchmark compares; correctness is
//! the tests' subject.

#![expect(clippy::print_stdout, reason = "it prints its progress to the terminal")]

mod app;
mod bare;
mod client;
mod commits;
mod course;
mod echo;
mod figures;
mod growth;
mod history;
mod installation;
mod machine;
mod mqttjs;
mod plot;
mod processes;
mod report;
mod wilco;
mod window;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use client::Files;
use course::Size;
use growth::Sizes;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "\
wilco-bench run <directory of the report> [--quick]
wilco-bench growth <directory of the report> [--quick]
wilco-bench history <directory of the report> [--quick] [--commands <number>]
wilco-bench history-alone <data directory>
wilco-bench window <directory of the report> [--quick]
wilco-bench load <devices> <seconds>
wilco-bench alone <url> <devices> [<authority> <certificate> <key>]
wilco-bench echo <url> [<authority> <certificate> <key>]";

#[tokio::main]
async fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["run", directory] => run(directory.into(), Size::FULL).await,
        ["run", directory, "--quick"] => run(directory.into(), Size::QUICK).await,
        ["growth", directory] => growth::run(directory.as_ref(), &Sizes::FULL).await,
        ["growth", directory, "--quick"] => growth::run(directory.as_ref(), &Sizes::QUICK).await,
        ["history", directory, ref options @ ..] => {
            history::run(directory.as_ref(), &history::Size::of(options)?).await
        }
        ["window", directory] => window::run(directory.as_ref(), &window::Size::FULL).await,
        ["window", directory, "--quick"] => window::run(directory.as_ref(), &window::Size::QUICK).await,
        ["load", devices, seconds] => window::load(devices, seconds).await,
        ["history-alone", data] => history::alone(data).await,
        ["alone", url, devices, ref files @ ..] => growth::alone(url, devices, Files::of(files)?.as_ref()).await,
        ["echo", url, ref files @ ..] => echo::echo(url, Files::of(files)?).await,
        _ => bail!("{USAGE}"),
    }
}

async fn run(directory: PathBuf, size: Size) -> Result<()> {
    let course = course::run(&size).await?;
    let app = app::measure(&size)?;
    let installed = installation::sizes()?;
    let machine = machine::describe()?;
    report::write(&directory, &report::Report { course, app, installed, machine, size })
        .with_context(|| format!("writing the report to {}", directory.display()))
}
