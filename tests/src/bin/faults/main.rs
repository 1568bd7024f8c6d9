//! The fault campaign: kills, stops and cuts off console, broker and devices in the middle of fan-outs, and compares
//! what the history says afterwards with what the devices did. `cargo xtask faults` builds and starts it.
//!
//! The same program is the console, the devices and the broker of the app, each in a process of its own.

#![expect(clippy::print_stdout, reason = "it prints what it saw to the terminal")]

mod campaign;
mod console;
mod disk;
mod fleet;
mod link;
mod load;
mod options;
mod oracle;
mod plan;
mod random;
mod report;
mod run;
mod server;
mod wiretap;

use std::collections::{HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use campaign::Campaign;
use load::{Load, Turns};
use options::Options;
use plan::{Plan, Scenario};
use report::Report;
use run::Outcome;

/// How often a campaign says how far it is.
const PROGRESS: Duration = Duration::from_secs(60);

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((first, rest)) if first == "console" => console::main(rest).map(|()| ExitCode::SUCCESS),
        Some((first, rest)) if first == "fleet" => fleet::main(rest).map(|()| ExitCode::SUCCESS),
        Some((first, rest)) if first == "broker" => server::main(rest).map(|()| ExitCode::SUCCESS),
        _ => campaign(&Options::read(&arguments)?),
    }
}

fn campaign(options: &Options) -> Result<ExitCode> {
    let began = Instant::now();
    let kept = kept_seeds()?;
    let mut campaign = Campaign::unkept();
    if options.report.is_some() {
        let path = runs().join("campaign.jsonl");
        if options.is_anew && path.exists() {
            std::fs::remove_file(&path)?;
        }
        campaign = Campaign::continued(&path)?;
    }
    let mut queue: VecDeque<_> = options.runs(&kept).into();
    let mut seen = HashSet::new();
    queue.retain(|run| seen.insert(*run));
    let all = queue.len();
    queue.retain(|(scenario, seed)| !campaign.has(*scenario, *seed));
    let planned = queue.len();
    if planned < all {
        println!("{} of {all} runs have finished before; this campaign continues with the others.", all - planned);
    }
    let load = Load::measure();
    let turns = Turns::new(&load, options.jobs);
    let queue = Mutex::new(queue);
    let campaign = Mutex::new(campaign);
    let done = Mutex::new((0_usize, Instant::now()));
    let unkept = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..options.jobs.min(planned) {
            scope.spawn(|| {
                loop {
                    let next = lock(&queue).pop_front();
                    let Some((scenario, seed)) = next else { return };
                    let turn = turns.wait(scenario == Scenario::Recovery);
                    if options.limit.is_some_and(|limit| began.elapsed() >= limit) {
                        return;
                    }
                    let outcome = one(scenario, seed, &load);
                    if !outcome.findings.is_empty() {
                        tell(scenario, seed, &outcome);
                    }
                    if let Err(error) = lock(&campaign).add(scenario, seed, outcome) {
                        lock(&unkept).get_or_insert(error);
                    }
                    let mut done = lock(&done);
                    done.0 += 1;
                    if done.1.elapsed() >= PROGRESS {
                        done.1 = Instant::now();
                        println!("{} of {planned} runs have finished, {} are under way.", done.0, turns.running() - 1);
                    }
                    drop(turn);
                }
            });
        }
    });
    let (done, campaign) = (lock(&done).0, lock(&campaign));
    // Those of before too, where it continued.
    let failed = campaign.runs().filter(|run| !run.outcome.findings.is_empty());
    let failed: Vec<_> = failed.map(|run| (run.scenario, run.seed)).collect();
    let mut report = Report::default();
    campaign.runs().for_each(|run| report.add(run));
    println!("\n{}", report.table());
    if done < planned {
        println!("{done} of {planned} runs were started within the time.");
    }
    for (scenario, seed) in failed.iter().filter(|failed| !kept.contains(failed)) {
        keep(*scenario, *seed)?;
    }
    if let Some(path) = &options.report {
        let before = std::fs::read_to_string(path).unwrap_or_default();
        // `cargo xtask faults` says so.
        let computer = std::env::var("WILCO_COMPUTER").unwrap_or_default();
        std::fs::write(path, report.page(&before, &computer))?;
        println!("Written: {}", path.display());
    }
    if let Some(error) = lock(&unkept).take() {
        return Err(error);
    }
    // In the words of a test runner, so that it can be summed up with the others.
    println!(
        "test result: {}. {} passed; {} failed; in {:.0} s",
        if failed.is_empty() { "ok" } else { "FAILED" },
        campaign.runs().count() - failed.len(),
        failed.len(),
        began.elapsed().as_secs_f64()
    );
    Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn one(scenario: Scenario, seed: u64, load: &Load) -> Outcome {
    let directory = runs().join(format!("{}-{seed}", scenario.name()));
    let _ = std::fs::remove_dir_all(&directory);
    let plan = Plan::new(scenario, seed);
    if let Err(error) = std::fs::create_dir_all(&directory) {
        let what = format!("{}: {error}", directory.display());
        let findings = vec![oracle::Finding { wrong: oracle::Wrong::Broken, what }];
        return Outcome { findings, ..Outcome::default() };
    }
    let outcome = run::run(&plan, &directory, load);
    if outcome.findings.is_empty() {
        let _ = std::fs::remove_dir_all(&directory);
    } else {
        // Beside what the processes have left.
        let _ = std::fs::write(directory.join("plan.txt"), format!("{plan:#?}\n{:#?}", outcome.findings));
    }
    outcome
}

fn tell(scenario: Scenario, seed: u64, outcome: &Outcome) {
    println!("{} {seed} failed: {} findings.", scenario.name(), outcome.findings.len());
    for finding in outcome.findings.iter().take(5) {
        println!("    {:?}: {}", finding.wrong, finding.what);
    }
    println!("    Repeat it: cargo xtask faults --scenario {} --seed {seed}", scenario.name());
    println!("    Left behind: {}", runs().join(format!("{}-{seed}", scenario.name())).display());
}

/// Where runs leave what they were about.
fn runs() -> PathBuf {
    wilco_tests::target().unwrap_or_else(|_| std::env::temp_dir()).join("faults")
}

fn list() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/faults.txt")
}

/// The seeds that failed once.
fn kept_seeds() -> Result<Vec<(Scenario, u64)>> {
    let text = std::fs::read_to_string(list())?;
    let read = |line: &str| {
        let (name, seed) = line.split_once(' ')?;
        Some((Scenario::named(name)?, seed.trim().parse().ok()?))
    };
    Ok(text.lines().filter(|line| !line.starts_with('#')).filter_map(read).collect())
}

fn keep(scenario: Scenario, seed: u64) -> Result<()> {
    use std::io::Write;
    let mut file = std::fs::OpenOptions::new().append(true).open(list())?;
    writeln!(file, "{} {seed}", scenario.name())?;
    println!("Kept in {}: {} {seed}", list().display(), scenario.name());
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
