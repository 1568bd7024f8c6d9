//! A device that sends too fast, beside one that is commanded in the window. Times depend on the machine: they are printed, and
//! `cargo xtask floods` compares them with what is promised of a release build.

#![expect(clippy::print_stdout, reason = "figures that depend on the machine are shown, not asserted")]

use std::collections::HashSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use wilco_tests::{Broker, Child, Connection, Console, Desk, Keyring, Publisher, Settings, soon_async};

/// How long the device floods.
const FLOOD: Duration = Duration::from_secs(if cfg!(debug_assertions) { 20 } else { 600 });

/// Messages per second.
const RATE: u64 = 5_000;

/// In the window, 95 of 100 answers of another device are shown within this time.
const SEEN_WITHIN: Duration = Duration::from_millis(250);

/// The memory that the app may take, MB, without the processes of its web view.
const MEMORY: u64 = 300;

/// As long as a command may take from the click to its end, in a debug build too.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_keeps_no_answer_of_another_device_from_the_window() -> Result<()> {
    let broker = Broker::start(&Settings { more: "max_queued_messages 0", ..Settings::default() })?;
    let desk = Desk::new(Keyring::Unlocked)?;
    let console = desk.open().await?;
    console.add_connection(Connection { name: "Bench", url: &broker.url(), ca: None, identity: None }).await?;
    console.go("Fleet").await?;
    broker.publish("good/status", br#"{"online":true,"boot":"b1"}"#, true)?;
    console.wait_for_online(Some("good")).await?;
    let mut good = Good::of(&broker, &console).await?;
    good.carry_out().await?;
    good.took.clear();

    let mut flooder = Publisher::connect(&broker, "flooder")?;
    let flooding = tokio::task::spawn_blocking(move || {
        flooder.flood(RATE * FLOOD.as_secs(), RATE, |number| match number % 4 {
            0 => ("loud/resp".into(), answer(&format!("unknown-{number}"))),
            1 => ("loud/telemetry".into(), json!({"temperature": number}).to_string().into_bytes()),
            2 => ("loud/status".into(), br#"{"online":true}"#.to_vec()),
            _ => ("loud/state".into(), json!({"led": true, "number": number}).to_string().into_bytes()),
        })?;
        flooder.finish()
    });
    let (mut noted, mut memory) = (false, 0);
    while !flooding.is_finished() {
        good.carry_out().await?;
        noted |= !console.all_like("img", "messages per second").await?.is_empty();
        memory = memory.max(megabytes_of_the_app(console.process())?);
    }
    let sent = flooding.await??;
    ensure!(sent == RATE * FLOOD.as_secs(), "the broker acknowledged {sent}");
    // It has caught up: the note goes, and the newest report is shown.
    soon_async("end of the note", PATIENCE, async || {
        Ok(console.all_like("img", "messages per second").await?.is_empty().then_some(()))
    })
    .await?;
    console.inspect("loud").await?;
    console.wait_for_led(true).await?;
    console.screenshot("flood").await?;
    let mut took = std::mem::take(&mut good.took);
    drop(good);
    console.close().await?;

    took.sort_unstable();
    let (median, p95, longest) = (took[took.len() / 2], took[took.len() * 95 / 100], took[took.len() - 1]);
    let flood = "answers, measurements, statuses and reports of one device, 5,000 per second";
    let (commands, seconds) = (took.len(), FLOOD.as_secs());
    println!("window | {flood}, for {seconds} s | {commands} | {median} ms | {p95} ms | {longest} ms | {memory} MB");
    ensure!(noted, "no note says that the device sends too much");
    // What is promised is promised of the program as people get it.
    if !cfg!(debug_assertions) {
        ensure!(u128::from(p95) <= SEEN_WITHIN.as_millis(), "the p95 is {p95} ms");
        ensure!(memory <= MEMORY, "it takes {memory} MB");
    }
    Ok(())
}

/// A device that answers as soon as it is asked: the test itself.
struct Good<'a> {
    console: &'a Console,
    requests: Child,
    answers: Publisher,
    handled: usize,
    led: bool,
    /// From sending each answer until the page showed the end of its command, milliseconds.
    took: Vec<u64>,
}

impl<'a> Good<'a> {
    async fn of(broker: &Broker, console: &'a Console) -> Result<Good<'a>> {
        let (requests, mut answers) = (broker.listen("good/req")?, Publisher::connect(broker, "good")?);
        answers.publish("good/state", br#"{"led":false}"#, true)?;
        answers.settle()?;
        console.choose("good").await?;
        // When each command was first shown as finished. The page and the test have one clock.
        let note = "window.ended ??= {};
            new MutationObserver(() => {
                for (const one of document.querySelectorAll('[role=group][data-command-id][data-state=succeeded]')) {
                    window.ended[one.dataset.commandId] ??= Date.now();
                }
            }).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-state'] });";
        console.run(note, vec![]).await?;
        Ok(Good { console, requests, answers, handled: 0, led: false, took: Vec::new() })
    }

    /// Switches the LED in the window, answers, and notes when the answer was shown.
    async fn carry_out(&mut self) -> Result<()> {
        self.console.click("switch", "LED").await?;
        let id =
            soon_async("request", PATIENCE, async || Ok(self.requests.log().lines().nth(self.handled).and_then(id_in)))
                .await?;
        self.handled += 1;
        self.led = !self.led;
        self.answers.publish("good/state", json!({"led": self.led}).to_string().as_bytes(), true)?;
        let at = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
        self.answers.publish("good/resp", &answer(&id), false)?;
        self.answers.settle()?;
        let ended = soon_async("end in the window", PATIENCE, async || {
            Ok(self.console.run("return window.ended[arguments[0]] ?? null", vec![json!(id)]).await?.as_u64())
        });
        let ended = ended.await.with_context(|| format!("{} commands ended before", self.took.len()))?;
        self.took.push(ended.saturating_sub(at));
        self.console.wait_for_led(self.led).await
    }
}

fn answer(id: &str) -> Vec<u8> {
    json!({"id": id, "status": "succeeded"}).to_string().into_bytes()
}

fn id_in(line: &str) -> Option<String> {
    let request: Value = serde_json::from_str(line.strip_prefix("good/req ")?).ok()?;
    Some(request["id"].as_str()?.to_owned())
}

/// The resident memory of the app that a process, the driver, has started.
fn megabytes_of_the_app(driver: u32) -> Result<u64> {
    let mut processes = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let Some(process) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // One that has ended meanwhile has nothing.
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let of = |name: &str| Some(status.lines().find_map(|line| line.strip_prefix(name))?.trim().to_owned());
        let Some(parent) = of("PPid:").and_then(|parent| parent.parse().ok()) else { continue };
        let kilobytes = of("VmRSS:").and_then(|size| size.trim_end_matches(" kB").trim().parse::<u64>().ok());
        // The kernel cuts names.
        processes.push((process, parent, of("Name:").unwrap_or_default(), kilobytes.unwrap_or(0)));
    }
    let mut below = HashSet::from([driver]);
    loop {
        let more: Vec<u32> = processes
            .iter()
            .filter(|(process, parent, ..)| below.contains(parent) && !below.contains(process))
            .map(|(process, ..)| *process)
            .collect();
        if more.is_empty() {
            break;
        }
        below.extend(more);
    }
    let app = processes.iter().find(|(process, _, name, _)| below.contains(process) && name == "wilco-desktop");
    Ok(app.context("the app is not running")?.3 / 1_000)
}
