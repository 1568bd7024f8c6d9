//! `wilco approval`: approvals of dangerous rollouts by a second installation, exchanged as files.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use wilco_engine::api::{
    ApprovalAnswer, ApprovalRequestView, ApprovalSample, ApprovalSender, Client, InstallationIdentity, TrustedView,
    Verdict,
};

use crate::{
    base::Base,
    input,
    interrupt::Interrupt,
    options::{AnswerOptions, ApprovalTask, Listing, TrustInstallationOptions},
    output::{Output, Table, clean, count, file_to_write, local_time, several, visible_name},
    problem::{self, Problem},
    rollouts,
};

/// Devices that are listed as text, at the most.
const LISTED: usize = 20;

/// Runs a task of `wilco approval`.
pub(crate) async fn run(task: ApprovalTask, data_dir: Option<&Path>) -> Result<ExitCode, Problem> {
    let mut interrupt = Interrupt::listen()?;
    let mut base = Base::open(data_dir).await?;
    let outcome = carry_out(task, &mut base, &mut interrupt).await;
    base.close().await;
    outcome
}

async fn carry_out(task: ApprovalTask, base: &mut Base, interrupt: &mut Interrupt) -> Result<ExitCode, Problem> {
    let console = base.console();
    match task {
        ApprovalTask::Identity { export, force, output } => identity(console, export, force, output).await,
        ApprovalTask::Trust(options) => trust(console, options).await,
        ApprovalTask::List { output } => list(console, output).await,
        ApprovalTask::Distrust { name } => {
            console.distrust_installation(&name).await?;
            say(&[format!("No longer accepting approvals from {}.", visible_name(&name))])
        }
        ApprovalTask::Request { rollout, file, force } => {
            let path = console.save_approval_request(&rollout, file_to_write(&file, force)?).await?;
            say(&[
                format!("Wrote the request to {}.", path.display()),
                "Send it to a colleague, who answers it with wilco approval sign or in the app.".to_owned(),
            ])
        }
        ApprovalTask::Show { file, output } => {
            let request = console.read_approval_request(std::path::absolute(file)?).await?;
            match output {
                Listing::Json => {
                    let mut output = Output::data();
                    output.json(&request)?;
                    output.flush()?;
                    Ok(ExitCode::SUCCESS)
                }
                Listing::Text => say(&lines(&request)),
            }
        }
        ApprovalTask::Sign(options) => answer(console, options, Verdict::Approved).await,
        ApprovalTask::Decline(options) => answer(console, options, Verdict::Declined).await,
        ApprovalTask::Import { file, rollout, output } => {
            rollouts::import_approval(std::path::absolute(file)?, rollout, base, interrupt, output).await
        }
    }
}

async fn identity(
    console: &Client,
    export: Option<PathBuf>,
    force: bool,
    listing: Listing,
) -> Result<ExitCode, Problem> {
    let to = export.map(|file| file_to_write(&file, force)).transpose()?;
    let own = console.identity().await?;
    if listing == Listing::Json {
        let mut output = Output::data();
        output.json(&own)?;
        output.flush()?;
    } else {
        let InstallationIdentity { name, public_key, fingerprint } = &own;
        say(&[
            format!("Name: {}", visible_name(name)),
            format!("Public key: {public_key}"),
            format!("Fingerprint: {fingerprint}"),
        ])?;
    }
    if let Some(to) = to {
        let path = console.export_identity(to).await?;
        problem::note(&format!("Wrote it to {}.", path.display()));
    }
    Ok(ExitCode::SUCCESS)
}

async fn trust(console: &Client, options: TrustInstallationOptions) -> Result<ExitCode, Problem> {
    let TrustInstallationOptions { file, key, name } = options;
    let found = match file {
        Some(file) => Some(console.read_identity(std::path::absolute(file)?).await?),
        None => None,
    };
    let (told, read) = found.map(|found| (found.name, found.public_key)).unzip();
    let (name, key) = (name.or(told).unwrap_or_default(), key.or(read).unwrap_or_default());
    let TrustedView { name, fingerprint, .. } = console.trust_installation(&name, &key).await?;
    say(&[
        format!("Now accepting approvals from {}.", visible_name(&name)),
        format!("Compare the fingerprint with the one that your colleague sees: {fingerprint}"),
    ])
}

async fn list(console: &Client, listing: Listing) -> Result<ExitCode, Problem> {
    let trusted = console.trusted_installations().await?;
    match listing {
        Listing::Json => {
            let mut output = Output::data();
            trusted.iter().try_for_each(|one| output.json(one))?;
            output.flush()?;
        }
        Listing::Text if trusted.is_empty() => {
            return say(&["No trusted installations yet. Add one: wilco approval trust FILE".to_owned()]);
        }
        Listing::Text => {
            let mut table = Table::new(["NAME", "FINGERPRINT", "ADDED"]);
            for TrustedView { name, fingerprint, added_at, .. } in trusted {
                table.row([visible_name(&name).into_owned().into(), fingerprint.into(), local_time(added_at).into()]);
            }
            table.print(&mut Output::text())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn answer(console: &Client, options: AnswerOptions, verdict: Verdict) -> Result<ExitCode, Problem> {
    let AnswerOptions { file, to, note, yes, force } = options;
    let to = file_to_write(&to, force)?;
    let request = std::path::absolute(file)?;
    let asked = console.read_approval_request(request.clone()).await?;
    let verb = match verdict {
        Verdict::Approved => "Approve",
        Verdict::Declined => "Decline",
    };
    if !yes && asked.refused.is_none() {
        lines(&asked).iter().for_each(|line| problem::note(line));
        if !input::confirmed(&format!("{verb} it?"), "An answer is signed only once it is confirmed")? {
            return Err(Problem::new("Nothing was signed.", "Run the command again to answer the request."));
        }
    }
    let ApprovalRequestView { sha256, rollout, from, .. } = asked;
    let path = console.answer_approval_request(ApprovalAnswer { request, sha256, verdict, note }, to).await?;
    let did = match verdict {
        Verdict::Approved => "Approved",
        Verdict::Declined => "Declined",
    };
    say(&[
        format!("{did} rollout {rollout} of {}.", visible_name(&from.name)),
        format!("Wrote the answer to {}. Send it back: wilco approval import FILE.", path.display()),
    ])
}

/// What a request asks, for a person to judge.
fn lines(request: &ApprovalRequestView) -> Vec<String> {
    let ApprovalRequestView { rollout, summary, facts, args, samples, devices, members, note, from, .. } = request;
    let ApprovalSender { name: asker, fingerprint, trusted_as, os_user, machine, wilco, .. } = from;
    let known = match trusted_as {
        Some(name) => format!("trusted here as {}", visible_name(name)),
        None => "not trusted here; check who sent it".to_owned(),
    };
    let mut lines = vec![
        summary.clone(),
        format!("From: {} ({os_user} on {machine}), rollout {rollout}, Wilco {wilco}", visible_name(asker)),
        format!("Key: {fingerprint} ({known})"),
    ];
    lines.extend(note.as_ref().map(|note| format!("Note: {note}")));
    if args.as_str() != "{}" {
        lines.push(format!("Arguments: {}", args.as_str()));
    }
    lines.extend(facts.iter().map(|fact| format!("{}: {}", fact.label, fact.value)));
    for ApprovalSample { dialect, device, request } in samples {
        let (topic, payload) = (&request.topic, &request.payload);
        lines.push(format!(
            "Request to {} ({dialect}, {{id}} is the command ID): {topic} {payload}",
            visible_name(device)
        ));
    }
    let told = devices.iter().take(LISTED).map(|device| match &device.args {
        Some(args) => format!("{} {}", visible_name(&device.device), args.as_str()),
        None => visible_name(&device.device).into_owned(),
    });
    let told: Vec<_> = told.collect();
    let more = (*members as usize).saturating_sub(told.len());
    let more = if more > 0 { format!(" and {} more (all with --output json)", count(more)) } else { String::new() };
    lines.push(format!("{}: {}{more}", several(*members as usize, "device"), told.join(", ")));
    lines.push(format!("Requested {}, expires {}", local_time(request.created_at), local_time(request.expires_at)));
    lines.extend(request.refused.clone());
    lines.iter().map(|line| clean(line).into_owned()).collect()
}

fn say(lines: &[String]) -> Result<ExitCode, Problem> {
    let mut output = Output::text();
    lines.iter().try_for_each(|line| output.line(line))?;
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}
