//! Tests a connection step by step, to distinguish refusals from faults: name, TCP, TLS, CONNECT, SUBSCRIBE, PUBLISH,
//! round trip.
//!
//! It takes the path of a session (`transport`, [`crate`]) and reaches no device: it publishes only on topics of its
//! own client ID. Each filter is subscribed to separately, because some brokers (AWS IoT) end the connection without a
//! reason when something is not allowed, and the last request is then the refused one.

mod findings;
mod nagle;
mod probe_connection;
mod report;

use std::time::Duration;

use tokio::time::Instant;
use wilco_dialect::{Dialect, Filter, Probe};
use wilco_ledger::Puback;

pub use report::Report;

use crate::{
    ConnackProperties, ServerReason, Settings,
    refusal::{Cause, Refusal},
    transport,
};
use findings::Explain;
use probe_connection::ProbeConnection;
use wilco_connection::{MqttVersion, Step, StepState};

/// The connection to test.
pub struct Plan {
    /// The subscriptions of a session.
    pub settings: Settings,
    /// The dialect whose topics are tested.
    pub dialect: Dialect,
    /// The client ID for the AWS IoT policy: the final one, not the one of the test.
    pub client_id: String,
    /// The connection is limited to named devices, so the broker's ACL may allow only their topics.
    pub names_devices: bool,
}

/// The longest wait for a message of our own to come back.
const BACK_WITHIN: Duration = Duration::from_secs(5);

/// How long to watch a connection that has just been let in.
const SETTLED_WITHIN: Duration = Duration::from_millis(100);

/// How many round trips are measured.
const ROUND_TRIPS: usize = 3;

/// Tests all steps, up to the first failure.
pub async fn run(plan: &Plan, report: &mut Report) {
    if let Err((step, stop)) = attempt(plan, report).await {
        let finding = Explain { plan, step, stop: &stop }.finding();
        report.failed(step, &stop, finding);
    }
    report.done();
}

/// Why a step did not work.
pub(super) struct Stop {
    pub(super) refusal: Refusal,
    /// A few words beside the step: `Refused: connection closed`.
    pub(super) said: String,
    pub(super) took: Duration,
    pub(super) trace: Option<String>,
    /// The topic filter or topic of the request that failed.
    pub(super) topic: Option<String>,
    /// Another client id was let do it.
    pub(super) client_id_in_use: bool,
}

impl Stop {
    fn of(refusal: Refusal, took: Duration) -> Stop {
        let said = match refusal.cause {
            Cause::Closed => "Refused: connection closed",
            Cause::Silence => "No answer",
            Cause::TakenOver => "Session taken over",
            Cause::Explained => "Refused",
        };
        Stop { refusal, said: said.to_owned(), took, trace: None, topic: None, client_id_in_use: false }
    }

    /// Before CONNECT, there is no broker that could refuse anything.
    fn on_the_way(self, step: Step) -> Stop {
        let said = match (step, self.refusal.cause) {
            (Step::Name, Cause::Explained) => "Not found",
            (Step::Tls, Cause::Explained) => "Not accepted",
            _ => return self,
        };
        Stop { said: said.to_owned(), ..self }
    }

    fn about(self, topic: &str) -> Stop {
        Stop { topic: Some(topic.to_owned()), ..self }
    }

    fn traced(self, what: &str) -> Stop {
        let end = match self.refusal.cause {
            Cause::Closed => "then the connection was closed",
            Cause::Silence => "then nothing",
            Cause::TakenOver => "then DISCONNECT: session taken over",
            Cause::Explained => "then the refusal",
        };
        let trace = format!("{what}, {end} after {:.0} ms.", milliseconds(self.took));
        Stop { trace: Some(trace), ..self }
    }
}

async fn attempt(plan: &Plan, report: &mut Report) -> Result<(), (Step, Stop)> {
    let settings = &plan.settings;
    let dialled = transport::dial(&settings.route, &mut |progress| report.progress(progress)).await;
    let dialled = dialled.map_err(|failed| {
        let stop = Stop::of(failed.refusal, failed.took).on_the_way(failed.step);
        (failed.step, Stop { trace: failed.trace, ..stop })
    })?;
    let far = dialled.tcp;
    report.begin(Step::Connect);
    let since = Instant::now();
    let received = dialled.received.clone();
    let (mut line, connack_properties) = ProbeConnection::over(settings, dialled).await.map_err(|refusal| {
        let took = since.elapsed();
        let stop = Stop::of(refusal, took).traced("CONNECT");
        let received = ServerReason::connack(&received.first()).map_or_else(
            || received.trace(),
            |connack| {
                let (reason, took) = (connack.reason, milliseconds(took));
                Some(format!("CONNECT, then CONNACK with reason {reason:#04x} after {took:.0} ms."))
            },
        );
        (Step::Connect, Stop { trace: received.or(stop.trace.clone()), ..stop })
    })?;
    let took = since.elapsed();
    // A session that another client takes over ends right after CONNACK.
    if let Err(refusal) = line.settle(SETTLED_WITHIN).await {
        return Err((Step::Connect, Stop::of(refusal, took).traced("CONNECT, CONNACK")));
    }
    report.passed(Step::Connect, welcomed(settings, &connack_properties), took);

    let nonce = uuid::Uuid::new_v4().simple().to_string();
    let probe = plan.dialect.probe(&settings.client_id, &nonce);
    let hears_itself = subscribe(plan, &probe, &mut line, report).await.map_err(|stop| (Step::Subscribe, stop))?;
    if !settings.publishes {
        for step in [Step::Publish, Step::RoundTrip] {
            report.skipped(step, "Not tested: the connection is read-only");
        }
        line.close().await;
        return Ok(());
    }
    let published = publish(&probe, &mut line, report).await;
    if let Some(stop) = unexcused(plan, report, Step::Publish, published) {
        return Err((Step::Publish, stop));
    }
    if hears_itself && !line.is_closed() {
        let back = round_trip(&probe, &nonce, &mut line, report, far).await;
        if let Some(stop) = unexcused(plan, report, Step::RoundTrip, back) {
            return Err((Step::RoundTrip, stop));
        }
    } else {
        report.skipped(Step::RoundTrip, "Not tested: the broker allows subscriptions only to the named devices");
    }
    line.close().await;
    Ok(())
}

/// The failure that ends a test. If devices are named, the broker's ACL may allow only their topics: a refusal of our
/// own topic is then not a fault.
fn unexcused(plan: &Plan, report: &mut Report, step: Step, tried: Result<(), Stop>) -> Option<Stop> {
    match tried {
        Err(stop) if plan.names_devices && stop.refusal.cause != Cause::TakenOver => {
            let finding = Explain { plan, step, stop: &stop }.own_topic_refused();
            report.warned(step, "Unknown: the ACL may allow only the named devices", stop.took, finding);
            None
        }
        tried => tried.err(),
    }
}

/// Subscribes to each filter separately. Returns whether a message to ourselves would be received.
async fn subscribe(plan: &Plan, probe: &Probe, line: &mut ProbeConnection, report: &mut Report) -> Result<bool, Stop> {
    report.begin(Step::Subscribe);
    let since = Instant::now();
    let filters = &plan.settings.filters;
    let mut refused: Vec<String> = Vec::new();
    let mut lowered: Vec<(Filter, u8)> = Vec::new();
    for filter in filters {
        report.say(Step::Subscribe, &format!("Subscribing to {}", filter.filter));
        let asked = Instant::now();
        let fault = match line.subscribe(filter).await {
            Ok(mut subscribed) => match subscribed.refused.pop() {
                Some((_, denial)) => Refusal::subscription(&filter.filter, &denial),
                None => {
                    lowered.append(&mut subscribed.lowered);
                    continue;
                }
            },
            Err(refusal) => refusal,
        };
        let stop =
            Stop::of(fault, asked.elapsed()).about(&filter.filter).traced(&format!("SUBSCRIBE {}", filter.filter));
        // An end for some other reason is not the filter's fault.
        let for_the_filter = matches!(stop.refusal.cause, Cause::Closed | Cause::Explained);
        if filter.required || !for_the_filter {
            return Err(checked_with_second_client(plan, filter, stop).await);
        }
        refused.push(filter.filter.clone());
        if line.is_closed() {
            *line =
                ProbeConnection::open(&plan.settings).await.map_err(|refusal| Stop::of(refusal, asked.elapsed()))?;
            for again in filters.iter().take_while(|again| again.filter != filter.filter) {
                if !refused.contains(&again.filter) {
                    let _ = line.subscribe(again).await.map_err(|refusal| Stop::of(refusal, asked.elapsed()))?;
                }
            }
        }
    }
    let own = Filter { filter: probe.filter.clone(), qos: 1, required: false, others_only: false };
    let covered = filters.iter().any(|filter| !refused.contains(&filter.filter) && covers(&filter.filter, &own.filter));
    let mut hears_itself = covered;
    if !covered {
        hears_itself = line.subscribe(&own).await.is_ok_and(|subscribed| subscribed.refused.is_empty());
        if line.is_closed() {
            *line =
                ProbeConnection::open(&plan.settings).await.map_err(|refusal| Stop::of(refusal, since.elapsed()))?;
        }
    }
    report.subscribed(filters, refused, &lowered, since.elapsed());
    Ok(hears_itself)
}

/// A silent end may also mean that another client connects with the same ID. A connection with a new ID shows which.
async fn checked_with_second_client(plan: &Plan, filter: &Filter, stop: Stop) -> Stop {
    if stop.refusal.cause != Cause::Closed {
        return stop;
    }
    let fresh =
        format!("{}-{}", clipped(&plan.settings.client_id, 110), &uuid::Uuid::new_v4().simple().to_string()[..6]);
    let settings = Settings { client_id: fresh, ..plan.settings.clone() };
    let Ok(mut line) = ProbeConnection::open(&settings).await else { return stop };
    let allowed = line.subscribe(filter).await.is_ok_and(|subscribed| subscribed.refused.is_empty());
    line.close().await;
    Stop { client_id_in_use: allowed, ..stop }
}

async fn publish(probe: &Probe, line: &mut ProbeConnection, report: &mut Report) -> Result<(), Stop> {
    report.begin(Step::Publish);
    let since = Instant::now();
    let topic = &probe.request.topic;
    let stop = |refusal| Stop::of(refusal, since.elapsed()).about(topic).traced(&format!("PUBLISH {topic}, QoS 1"));
    match line.publish(probe.request.clone()).await.map_err(stop)? {
        (Puback::Accepted { nobody_listening }, _) => {
            let said = if nobody_listening {
                format!("The broker accepted a message on {topic}; no subscribers there, as expected")
            } else {
                format!("The broker accepted a message on {topic}")
            };
            report.passed(Step::Publish, said, since.elapsed());
            Ok(())
        }
        (refused, said) => Err(stop(Refusal::publication(topic, refused, said))),
    }
}

async fn round_trip(
    probe: &Probe,
    nonce: &str,
    line: &mut ProbeConnection,
    report: &mut Report,
    far: Duration,
) -> Result<(), Stop> {
    report.begin(Step::RoundTrip);
    let since = Instant::now();
    let topic = &probe.answer.topic;
    let stop = |refusal| Stop::of(refusal, since.elapsed()).about(topic).traced(&format!("PUBLISH {topic}, QoS 1"));
    let mut trips = Vec::new();
    for _ in 0..ROUND_TRIPS {
        line.forget_received();
        let sent = Instant::now();
        let puback = line.publish(probe.answer.clone()).await;
        match puback {
            Ok((Puback::Accepted { .. }, _)) => {}
            // Commands do not need it, so it is only said.
            Ok(_) | Err(Refusal { cause: Cause::Closed, .. }) => {
                report.warned(Step::RoundTrip, "Not completed", since.elapsed(), findings::no_own_answers(topic));
                return Ok(());
            }
            Err(refusal) => return Err(stop(refusal)),
        }
        // The request of the previous step is received as well if requests are subscribed to.
        match line.back(topic, nonce, BACK_WITHIN).await.map_err(stop)? {
            Some(back) => trips.push(back.duration_since(sent)),
            None => return Err(stop(Refusal::never_back(topic, BACK_WITHIN.as_secs()))),
        }
    }
    trips.sort_unstable();
    let median = trips[trips.len() / 2];
    let said = format!("Received Wilco's own message in {} (median of {})", nagle::shown(median), trips.len());
    match nagle::finding(&trips, far) {
        Some(finding) => report.warned(Step::RoundTrip, &said, since.elapsed(), finding),
        None => report.passed(Step::RoundTrip, said, since.elapsed()),
    }
    Ok(())
}

fn welcomed(settings: &Settings, connack_properties: &ConnackProperties) -> String {
    let version = match settings.version {
        MqttVersion::V5 => "MQTT 5",
        MqttVersion::V311 => "MQTT 3.1.1",
    };
    let known = if settings.route.tls.as_ref().is_some_and(|tls| tls.client_certificate) {
        "The broker accepted the certificate"
    } else if settings.username.is_some() {
        "The broker accepted the user"
    } else {
        "The broker accepted the connection"
    };
    let keep_alive = connack_properties.keep_alive.unwrap_or(settings.keep_alive);
    let mut said = format!("{known}. {version}, keep-alive {keep_alive} s");
    if let Some(maximum) = connack_properties.receive_maximum {
        said = format!("{said}, receive maximum {maximum}");
    }
    if connack_properties.no_wildcards {
        said = format!("{said}, no wildcards");
    }
    said
}

/// Whether a filter matches a topic (MQTT 5 section 4.7).
fn covers(filter: &str, topic: &str) -> bool {
    let (mut filter, mut topic) = (filter.split('/'), topic.split('/'));
    loop {
        match (filter.next(), topic.next()) {
            (Some("#"), _) => return true,
            (Some("+"), Some(_)) => {}
            (Some(wanted), Some(level)) if wanted == level => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}

fn clipped(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes.min(text.len()))]
}

/// To a thousandth: what is more is the arithmetic's, not the clock's.
fn milliseconds(span: Duration) -> f64 {
    (span.as_secs_f64() * 1_000_000.0).round() / 1_000.0
}

impl Report {
    fn subscribed(&mut self, filters: &[Filter], refused: Vec<String>, lowered: &[(Filter, u8)], took: Duration) {
        let received: Vec<_> = filters
            .iter()
            .map(|filter| filter.filter.as_str())
            .filter(|filter| !refused.iter().any(|no| no == filter))
            .collect();
        let said = match received[..] {
            [] => "No subscriptions".to_owned(),
            [first] => format!("Subscribed to {first}"),
            [first, second] => format!("Subscribed to {first} and {second}"),
            [first, ref more @ ..] => format!("Subscribed to {first} and {} more", more.len()),
        };
        if refused.is_empty() {
            match lowered {
                [] => self.passed(Step::Subscribe, said, took),
                lowered => {
                    let said = format!("{said}, some at a lower QoS");
                    self.warned(Step::Subscribe, &said, took, findings::lower_qos(lowered));
                }
            }
            return;
        }
        let said = format!("{said}, not {}", refused.join(", "));
        let finding = findings::optional_filters_refused(&refused);
        self.denied(refused);
        self.warned(Step::Subscribe, &said, took, finding);
    }

    fn skipped(&mut self, step: Step, said: &str) {
        self.set(step, StepState::Skipped, said, None, None);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{covers, milliseconds};

    #[test]
    fn a_span_is_told_to_a_thousandth_of_a_millisecond() {
        assert_eq!(milliseconds(Duration::from_nanos(551_297)).to_string(), "0.551");
    }

    #[test]
    fn a_filter_receives_what_it_matches() {
        let check =
            |filter: &str, topic: &str, expected: bool| assert_eq!(covers(filter, topic), expected, "{filter} {topic}");
        check("+/resp", "wilco-1/resp", true);
        check("+/resp", "a/b/resp", false);
        check("cmd/+/resp", "cmd/wilco-1/resp", true);
        check("#", "a/b", true);
        check("pump-7/resp", "wilco-1/resp", false);
        check("a/b", "a", false);
    }
}
