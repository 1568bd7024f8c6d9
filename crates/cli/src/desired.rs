//! `wilco desired`: the configurations that devices should have, and the differences from them.

use std::{path::Path, process::ExitCode};

use serde::Serialize;
use wilco_dialect::json;
use wilco_engine::{
    api::{
        ConfigDifference, ConnectionView, DesiredConfig, DesiredFor, DesiredState, DesiredView, DeviceDesired,
        JsonText, NewRollout, RolloutTarget, SavedView, ViewColumn,
    },
    tag_search,
};

use crate::{
    base::Base,
    devices, input,
    interrupt::Interrupt,
    options::{
        DesiredApplyOptions, DesiredClearOptions, DesiredScopeOptions, DesiredSetOptions, DesiredStatusOptions,
        DesiredTargetOptions, DesiredTask, Listing,
    },
    output::{Output, Table, clean, count, entered, several, visible_name},
    problem::{NOT_DONE, Problem},
    rollouts,
};

/// The number of devices per request.
const AT_ONCE: usize = 200;

/// Does it.
pub(crate) async fn run(task: DesiredTask, data_dir: Option<&Path>) -> Result<ExitCode, Problem> {
    let mut interrupt = Interrupt::listen()?;
    let mut base = Base::open(data_dir).await?;
    let outcome = match task {
        DesiredTask::Apply(options) => apply(*options, &mut base, &mut interrupt).await,
        task => tokio::select! {
            outcome = perform(&base, task) => outcome,
            () = interrupt.received() => Err(Problem::Interrupted),
        },
    };
    base.close().await;
    outcome
}

async fn perform(base: &Base, task: DesiredTask) -> Result<ExitCode, Problem> {
    match task {
        DesiredTask::List { connection, output } => list(base, &connection, output).await,
        DesiredTask::Set(options) => set(base, options).await,
        DesiredTask::Clear(options) => clear(base, options).await,
        DesiredTask::Status(options) => status(base, options).await,
        DesiredTask::Apply(_) => Ok(ExitCode::SUCCESS),
    }
}

async fn list(base: &Base, connection: &str, listing: Listing) -> Result<ExitCode, Problem> {
    let connection = base.connection(connection).await?;
    let all = base.console().desired(&connection.id).await?;
    match listing {
        Listing::Json => {
            let mut output = Output::data();
            all.iter().try_for_each(|view| output.json(&DesiredLine::of(view)))?;
            output.flush()?;
        }
        Listing::Text if all.is_empty() => {
            let mut output = Output::text();
            output.line(&format!("{} has no desired configurations.", visible_name(&connection.name)))?;
            output.flush()?;
        }
        Listing::Text => {
            let mut output = Output::text();
            let mut table = Table::new(["FOR", "AS WANTED", "DIFFERS", "UNKNOWN", "VALUES"]);
            for view in &all {
                table.row([
                    title(view).into(),
                    count(view.as_wanted as usize).into(),
                    count(view.differs as usize).into(),
                    count(view.unknown as usize).into(),
                    pairs(view.desired.values.as_str()).into(),
                ]);
            }
            table.print(&mut output)?;
            all.iter().flat_map(overruled).try_for_each(|line| output.line(&line))?;
            output.flush()?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn set(base: &Base, options: DesiredSetOptions) -> Result<ExitCode, Problem> {
    let DesiredSetOptions { target, pairs: given, values, first } = options;
    let given = input::arguments(values.as_deref(), &given)?;
    let connection = base.connection(&target.connection).await?;
    let target = wanted_for(base, &connection, target).await?;
    let before = known(base, &connection, &target).await?;
    let mut values = before.as_ref().and_then(|view| json::members(view.desired.values.as_str())).unwrap_or_default();
    for (key, value) in json::members(&given).unwrap_or_default() {
        match values.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => *known = value,
            None => values.push((key, value)),
        }
    }
    let place = first.then_some(0);
    let desired = DesiredConfig { connection: connection.id, target, values: object(&values), place };
    let saved = base.console().save_desired(desired).await?;
    let mut output = Output::text();
    output.line(&format!("{} wanted for {}.", pairs(saved.desired.values.as_str()), title(&saved)))?;
    output.line(&stands(&saved))?;
    overruled(&saved).iter().try_for_each(|line| output.line(line))?;
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}

async fn clear(base: &Base, options: DesiredClearOptions) -> Result<ExitCode, Problem> {
    let DesiredClearOptions { target, keys } = options;
    let connection = base.connection(&target.connection).await?;
    let target = wanted_for(base, &connection, target).await?;
    let before = known(base, &connection, &target).await?;
    let mut values = before.as_ref().and_then(|view| json::members(view.desired.values.as_str())).unwrap_or_default();
    for key in &keys {
        let place = values.iter().position(|(known, _)| known == key).ok_or_else(|| {
            let known: Vec<_> = values.iter().map(|(known, _)| clean(known).into_owned()).collect();
            let hint = if known.is_empty() { "None is.".to_owned() } else { format!("Wanted: {}.", known.join(", ")) };
            Problem::new(format!("The key '{}' has no wanted value.", clean(key)), hint)
        })?;
        values.remove(place);
    }
    let cleared = if keys.is_empty() || values.is_empty() {
        base.console().clear_desired(&connection.id, target).await?.values
    } else {
        let before = before.map(|view| view.desired.values).unwrap_or_default();
        let values = object(&values);
        base.console().save_desired(DesiredConfig { connection: connection.id, target, values, place: None }).await?;
        let gone = json::members(before.as_str()).unwrap_or_default();
        object(&gone.into_iter().filter(|(key, _)| keys.contains(key)).collect::<Vec<_>>())
    };
    let mut output = Output::text();
    output.line(&format!("Cleared {}. Devices keep the values they have.", pairs(cleared.as_str())))?;
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}

async fn status(base: &Base, options: DesiredStatusOptions) -> Result<ExitCode, Problem> {
    let DesiredStatusOptions { scope, output: listing } = options;
    let connection = base.connection(&scope.connection).await?;
    let search = search_of(base, &connection, scope).await?;
    let search = if search.is_empty() { "desired:*".to_owned() } else { format!("({search}) desired:*") };
    let current = if base.is_own() { devices::wait(base, &connection).await } else { Ok(()) };
    let rows = standing(base, &connection, &search).await?;
    match listing {
        Listing::Json => {
            let mut output = Output::data();
            rows.iter().try_for_each(|row| output.json(row))?;
            output.flush()?;
        }
        Listing::Text if rows.is_empty() => {
            let mut output = Output::text();
            output.line("These devices have no desired configuration.")?;
            output.flush()?;
        }
        Listing::Text => {
            let mut table = Table::new(["DEVICE", "CONFIGURATION", "DIFFERENCES"]);
            for row in &rows {
                let differences: Vec<_> = row.differences.iter().map(DifferenceLine::text).collect();
                table.row([
                    visible_name(&row.device).into_owned().into(),
                    state(row.state).into(),
                    differences.join(", ").into(),
                ]);
            }
            table.print(&mut Output::text())?;
        }
    }
    current?;
    let all = rows.iter().all(|row| row.state == DesiredState::AsWanted);
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::from(NOT_DONE) })
}

async fn apply(options: DesiredApplyOptions, base: &mut Base, interrupt: &mut Interrupt) -> Result<ExitCode, Problem> {
    let DesiredApplyOptions { scope, include_unknown, pace, dry_run, confirm, output } = options;
    let connection = base.connection(&scope.connection).await?;
    let search = search_of(base, &connection, scope).await?;
    let target = RolloutTarget::Desired { search, unknown: include_unknown };
    let spec = NewRollout { connection: connection.id, target, ..NewRollout::from(pace) };
    rollouts::go(spec, dry_run, &confirm, base, interrupt, output).await
}

/// The tag or the view that is meant.
async fn wanted_for(
    base: &Base,
    connection: &ConnectionView,
    target: DesiredTargetOptions,
) -> Result<DesiredFor, Problem> {
    match (target.tag, target.view) {
        (Some(tag), _) => Ok(DesiredFor::Tag { tag }),
        (None, view) => Ok(DesiredFor::View { view: view_of(base, connection, &view.unwrap_or_default()).await?.id }),
    }
}

/// The saved view of that name.
async fn view_of(base: &Base, connection: &ConnectionView, name: &str) -> Result<SavedView, Problem> {
    let all = base.console().views(&connection.id).await?;
    let names: Vec<_> = all.iter().map(|counted| visible_name(&counted.view.name).into_owned()).collect();
    let found = all.into_iter().map(|counted| counted.view).find(|view| view.name == name);
    found.ok_or_else(|| {
        let hint = match names.as_slice() {
            [] => "Save a view in the app first, or use --tag.".to_owned(),
            names => format!("Saved views: {}.", names.join(", ")),
        };
        Problem::new(format!("There is no saved view '{}'.", entered(name)), hint)
    })
}

/// The configuration that is wanted already.
async fn known(base: &Base, connection: &ConnectionView, target: &DesiredFor) -> Result<Option<DesiredView>, Problem> {
    let is_it = |view: &DesiredView| match (&view.desired.target, target) {
        (DesiredFor::Tag { tag: known }, DesiredFor::Tag { tag }) => known.to_lowercase() == tag.to_lowercase(),
        (known, target) => known == target,
    };
    Ok(base.console().desired(&connection.id).await?.into_iter().find(is_it))
}

async fn search_of(base: &Base, connection: &ConnectionView, scope: DesiredScopeOptions) -> Result<String, Problem> {
    let DesiredScopeOptions { tag, view, search, .. } = scope;
    Ok(match (tag, view) {
        (Some(tag), _) => tag_search(&tag),
        (None, Some(view)) => view_of(base, connection, &view).await?.search,
        (None, None) => search.unwrap_or_default(),
    })
}

/// The state of the devices that match.
async fn standing(base: &Base, connection: &ConnectionView, search: &str) -> Result<Vec<DeviceLine>, Problem> {
    let rows = devices::all(base.console(), &connection.id, search).await?;
    let ids: Vec<_> = rows.into_iter().map(|row| row.device).collect();
    let mut lines = Vec::with_capacity(ids.len());
    for ids in ids.chunks(AT_ONCE) {
        let cells = base.console().device_cells(&connection.id, ids.to_vec(), vec![ViewColumn::Desired]).await?;
        lines.extend(cells.into_iter().filter_map(|cells| Some(DeviceLine::of(cells.device, cells.desired?))));
    }
    Ok(lines)
}

/// A desired configuration as one line of JSON.
#[derive(Serialize)]
struct DesiredLine<'a> {
    #[serde(rename = "for")]
    target: &'a DesiredFor,
    name: &'a str,
    search: &'a str,
    #[serde(serialize_with = "JsonText::embedded")]
    values: JsonText,
    as_wanted: u32,
    differs: u32,
    unknown: u32,
    overruled: Vec<OverruledLine<'a>>,
}

#[derive(Serialize)]
struct OverruledLine<'a> {
    key: &'a str,
    #[serde(serialize_with = "JsonText::embedded")]
    value: JsonText,
    by: &'a str,
    devices: u32,
    examples: &'a [String],
}

impl DesiredLine<'_> {
    fn of(view: &DesiredView) -> DesiredLine<'_> {
        let overruled = view.overruled.iter().map(|one| OverruledLine {
            key: &one.key,
            value: one.value.clone(),
            by: &one.by,
            devices: one.devices,
            examples: &one.examples,
        });
        DesiredLine {
            target: &view.desired.target,
            name: &view.name,
            search: &view.search,
            values: view.desired.values.clone(),
            as_wanted: view.as_wanted,
            differs: view.differs,
            unknown: view.unknown,
            overruled: overruled.collect(),
        }
    }
}

/// A device as one line of JSON.
#[derive(Serialize)]
struct DeviceLine {
    device: String,
    state: DesiredState,
    differences: Vec<DifferenceLine>,
}

#[derive(Serialize)]
struct DifferenceLine {
    key: String,
    #[serde(serialize_with = "JsonText::embedded")]
    wanted: JsonText,
    #[serde(serialize_with = "JsonText::embedded_if_any")]
    running: Option<JsonText>,
    #[serde(serialize_with = "JsonText::embedded_if_any")]
    saved: Option<JsonText>,
    by: String,
}

impl DeviceLine {
    fn of(device: String, desired: DeviceDesired) -> DeviceLine {
        let line =
            |ConfigDifference { key, wanted, running, saved, by }| DifferenceLine { key, wanted, running, saved, by };
        DeviceLine { device, state: desired.state, differences: desired.differences.into_iter().map(line).collect() }
    }
}

impl DifferenceLine {
    /// `interval_s=60 (wanted 30)`
    fn text(&self) -> String {
        let has = self.running.as_ref().map(JsonText::as_str);
        let saved = self.saved.as_ref().map(|saved| format!(", saved {}", saved.as_str())).unwrap_or_default();
        let has = has.map(|has| format!("={has}{saved}")).unwrap_or_default();
        clean(&format!("{}{has} (wanted {})", self.key, self.wanted.as_str())).into_owned()
    }
}

fn object(members: &[(String, String)]) -> JsonText {
    let members: Vec<_> =
        members.iter().map(|(key, value)| format!("{}:{value}", serde_json::Value::from(key.as_str()))).collect();
    JsonText::from(format!("{{{}}}", members.join(",")))
}

/// `interval_s=30 buzzer=false`
fn pairs(values: &str) -> String {
    let members = json::members(values).unwrap_or_default();
    let pairs: Vec<_> = members.iter().map(|(key, value)| format!("{key}={value}")).collect();
    clean(&pairs.join(" ")).into_owned()
}

fn title(view: &DesiredView) -> String {
    let kind = if matches!(view.desired.target, DesiredFor::Tag { .. }) { "tag" } else { "view" };
    format!("{kind} {}", visible_name(&view.name))
}

/// The state of its devices, as a sentence.
fn stands(view: &DesiredView) -> String {
    let all = view.as_wanted + view.differs + view.unknown;
    format!(
        "{}: {} as wanted, {} different, {} unknown.",
        several(all as usize, "device"),
        count(view.as_wanted as usize),
        count(view.differs as usize),
        count(view.unknown as usize)
    )
}

/// Its values that do not apply to some devices, each as a sentence.
fn overruled(view: &DesiredView) -> Vec<String> {
    let sentence = |one: &wilco_engine::api::OverruledValue| {
        let text = format!(
            "{} of {} does not apply to {}: {} comes first and sets {}={} ({}{}).",
            one.key,
            title(view),
            several(one.devices as usize, "device"),
            visible_name(&one.by),
            one.key,
            one.value.as_str(),
            one.examples.iter().map(|device| visible_name(device)).collect::<Vec<_>>().join(", "),
            if one.devices as usize > one.examples.len() { ", …" } else { "" }
        );
        clean(&text).into_owned()
    };
    view.overruled.iter().map(sentence).collect()
}

fn state(state: DesiredState) -> &'static str {
    match state {
        DesiredState::AsWanted => "as wanted",
        DesiredState::Differs => "differs",
        DesiredState::Unknown => "unknown",
    }
}
