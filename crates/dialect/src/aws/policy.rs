//! The minimal AWS IoT policy for a connection, ready to paste.

use std::collections::HashMap;

use serde_json::Value;
use wilco_ledger::{DeviceId, grouped};

use super::Endpoint;
use crate::{Channel, Topics, probe, topics};

/// A policy document has at most so many characters, spaces and line ends not counted.
const LONGEST: usize = 2_048;
/// How many devices are named in a sentence.
const NAMED: usize = 3;

const ACCOUNT: &str = "ACCOUNT_ID";
const REGION: &str = "REGION";

/// A policy to paste into the AWS console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsPolicy {
    /// The document, as JSON with line ends.
    pub document: String,
    /// Instructions, and what the policy lacks, one sentence each.
    pub remarks: Vec<String>,
    /// Named devices that did not fit.
    pub left_out: Vec<DeviceId>,
}

/// A group of topics in a policy: those of one device, or those of all.
#[derive(Debug, Default)]
struct Part {
    device: Option<DeviceId>,
    /// Filters.
    subscribed: Vec<String>,
    /// Shorter patterns, which allow slightly more.
    shorter: Vec<String>,
    /// Topics, with a `+` for every device.
    published: Vec<String>,
}

/// The policy for a client that subscribes to these filters, commands their devices, and tests itself.
pub(crate) fn policy(topics: &Topics, host: &str, client_id: &str, filters: &[String]) -> AwsPolicy {
    let host = host.to_ascii_lowercase();
    let endpoint = Endpoint::of(&host);
    let Endpoint { partition, region } = endpoint.unwrap_or(Endpoint { partition: "aws", region: REGION });
    let place = format!("arn:{partition}:iot:{region}:{ACCOUNT}");
    let (general, devices) = parts(topics, client_id, filters);

    let mut remarks = vec![match endpoint {
        Some(_) => format!("Replace {ACCOUNT} with your AWS account ID."),
        None => {
            format!("Replace {REGION} with your AWS region and {ACCOUNT} with your AWS account ID.")
        }
    }];
    let all: Vec<&Part> = devices.iter().chain([&general]).collect();
    let document = write(&place, client_id, &all, false);
    if fits(&document) {
        return AwsPolicy { document, remarks, left_out: Vec::new() };
    }
    let with_first = |count: usize| {
        let parts: Vec<&Part> = devices.iter().take(count).chain([&general]).collect();
        write(&place, client_id, &parts, true)
    };
    let fitting = (1..=devices.len()).take_while(|count| fits(&with_first(*count))).last().unwrap_or(0);
    let left_out: Vec<DeviceId> = devices.iter().skip(fitting).filter_map(|part| part.device.clone()).collect();
    remarks.push(
        "It allows all topics of each device, because listing them separately would exceed the limit.".to_owned(),
    );
    if !left_out.is_empty() {
        remarks.push(format!(
            "AWS allows {} characters, so {} not included. Attach a second policy for the rest.",
            grouped(LONGEST),
            named(&left_out)
        ));
    }
    AwsPolicy { document: with_first(fitting), remarks, left_out }
}

/// The part for all devices and the client itself, and the part for each named device.
fn parts(topics: &Topics, client_id: &str, filters: &[String]) -> (Part, Vec<Part>) {
    let (mut general, mut devices) = (Part::default(), Vec::<Part>::new());
    let mut places: HashMap<DeviceId, usize> = HashMap::new();
    for filter in filters {
        let device = topics.parse(filter).map(|(device, _)| device);
        let client = topics::lifecycle_client(filter).and_then(|(client, _)| DeviceId::new(client).ok());
        match device.or(client) {
            None => general.subscribed.push(filter.clone()),
            Some(device) => {
                let place = *places.entry(device).or_insert_with_key(|device| {
                    devices.push(Part { device: Some(device.clone()), ..Part::default() });
                    devices.len() - 1
                });
                devices[place].subscribed.push(filter.clone());
            }
        }
    }
    for part in &mut devices {
        let Some(device) = &part.device else { continue };
        part.published.push(topics.of(device, Channel::Req));
        let together = everything_below(&topics.beginning(device.as_str()));
        part.shorter = shorter(&part.subscribed, &together, |filter| topics.parse(filter).is_some());
    }
    let is_of_all = |filter: &str| Channel::ALL.into_iter().any(|channel| topics.all(channel) == filter);
    let hears_all = general.subscribed.contains(&topics.all(Channel::Resp));
    if hears_all {
        general.published.push(topics.all(Channel::Req));
    }
    general.shorter = shorter(&general.subscribed, &everything_below(&topics.beginning("+")), is_of_all);
    let probe = probe::of(topics, client_id, "");
    if !hears_all {
        general.shorter.push(literally(&probe.filter));
        general.subscribed.push(probe.filter);
        general.published.push(probe.request.topic);
    }
    general.published.push(probe.answer.topic);
    (general, devices)
}

/// Patterns of the filters, with `together` for those that it covers and one for both lifecycle events.
fn shorter(filters: &[String], together: &str, is_covered: impl Fn(&str) -> bool) -> Vec<String> {
    let mut shorter: Vec<String> = Vec::new();
    for filter in filters {
        let pattern = match topics::lifecycle_client(filter) {
            Some((client, _)) => topics::either_lifecycle_event(&literally(client)),
            None if is_covered(filter) => together.to_owned(),
            None => literally(filter),
        };
        if !shorter.contains(&pattern) {
            shorter.push(pattern);
        }
    }
    shorter
}

fn write(place: &str, client_id: &str, parts: &[&Part], short: bool) -> String {
    let subscribed: Vec<String> = match short {
        true => parts.iter().flat_map(|part| part.shorter.clone()).collect(),
        false => parts.iter().flat_map(|part| &part.subscribed).map(|filter| literally(filter)).collect(),
    };
    let published = parts.iter().flat_map(|part| &part.published).map(|topic| literally(topic));
    let topic = |pattern: &str| format!("{place}:topic/{}", any_topic(pattern));
    let statements = [
        ("Connect", vec![format!("{place}:client/{}", literally(client_id))]),
        ("Subscribe", subscribed.iter().map(|pattern| format!("{place}:topicfilter/{pattern}")).collect()),
        ("Receive", subscribed.iter().map(|pattern| topic(pattern)).collect()),
        ("Publish", published.map(|pattern| topic(&pattern)).collect()),
    ];
    let statements: Vec<String> = statements
        .iter()
        .map(|(action, resources)| {
            format!(
                "  {{ \"Effect\": \"Allow\", \"Action\": \"iot:{action}\",\n    \"Resource\": {} }}",
                list(resources)
            )
        })
        .collect();
    format!("{{ \"Version\": \"2012-10-17\", \"Statement\": [\n{} ] }}", statements.join(",\n"))
}

/// One resource by itself, several as a list.
fn list(resources: &[String]) -> String {
    let quoted: Vec<String> = resources.iter().map(|resource| Value::from(resource.as_str()).to_string()).collect();
    match quoted.as_slice() {
        [only] => only.clone(),
        several => format!("[\n      {} ]", several.join(",\n      ")),
    }
}

/// A literal text as a policy's pattern. `*` and `?` are wildcards there, and `${` begins a variable; each is written
/// as a variable of its own ("AWS IoT Core policy variables" and, spelled out, "IAM policy elements: Variables and
/// tags"). MQTT's wildcards mean nothing in a policy.
fn literally(text: &str) -> String {
    text.replace("${", "${$}{").replace('*', "${*}").replace('?', "${?}")
}

/// The pattern of every topic that begins like that.
fn everything_below(beginning: &str) -> String {
    literally(beginning) + "*"
}

/// The pattern of the topics that match the filters of another pattern.
fn any_topic(pattern: &str) -> String {
    pattern.replace(['+', '#'], "*")
}

fn fits(document: &str) -> bool {
    document.chars().filter(|c| !c.is_whitespace()).count() <= LONGEST
}

/// The beginning of a list of devices, with its verb.
fn named(devices: &[DeviceId]) -> String {
    let names: Vec<&str> = devices.iter().take(NAMED).map(DeviceId::as_str).collect();
    match (devices.len() - names.len(), names.as_slice()) {
        (0, [only]) => format!("{only} is"),
        (0, several) => format!("{} are", several.join(", ")),
        (more, several) => format!("{} and {} more are", several.join(", "), grouped(more)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use wilco_ledger::DeviceId;

    use super::{AwsPolicy, fits, literally};
    use crate::{Dialect, Subscriptions, Topics};

    const HOST: &str = "a3k9x2v7q-ats.iot.eu-central-1.amazonaws.com";

    fn devices(count: usize) -> Vec<DeviceId> {
        (1..=count).map(|number| DeviceId::new(format!("kitchen-{number:04}")).expect("a device ID")).collect()
    }

    fn policy(prefix: &str, host: &str, devices: Option<&[DeviceId]>, lifecycle: bool) -> AwsPolicy {
        let dialect = Dialect::Wilco(Topics::new(prefix).expect("a prefix"));
        let filters = dialect.filters(&Subscriptions { devices, lifecycle });
        let filters: Vec<String> = filters.into_iter().map(|filter| filter.filter).collect();
        dialect.aws_policy(host, "wilco-lena-5f3a", &filters)
    }

    /// The resources of an action, each from its type on.
    fn allowed(policy: &AwsPolicy, action: &str) -> Vec<String> {
        let document: Value = serde_json::from_str(&policy.document).expect("JSON");
        let statements = document["Statement"].as_array().expect("statements");
        let statement = statements.iter().find(|statement| statement["Action"] == format!("iot:{action}"));
        let resources = match &statement.expect("a statement")["Resource"] {
            Value::Array(several) => several.clone(),
            one => vec![one.clone()],
        };
        let short =
            |resource: &Value| resource.as_str().expect("text").split_once("ACCOUNT_ID:").expect("an ARN").1.to_owned();
        resources.iter().map(short).collect()
    }

    #[test]
    fn the_least_for_answers_alone_is_short() {
        let dialect = Dialect::Wilco(Topics::default());
        let policy = dialect.aws_policy(HOST, "wilco-lena-5f3a", &["+/resp".to_owned()]);
        assert_eq!(
            policy.document,
            r#"{ "Version": "2012-10-17", "Statement": [
  { "Effect": "Allow", "Action": "iot:Connect",
    "Resource": "arn:aws:iot:eu-central-1:ACCOUNT_ID:client/wilco-lena-5f3a" },
  { "Effect": "Allow", "Action": "iot:Subscribe",
    "Resource": "arn:aws:iot:eu-central-1:ACCOUNT_ID:topicfilter/+/resp" },
  { "Effect": "Allow", "Action": "iot:Receive",
    "Resource": "arn:aws:iot:eu-central-1:ACCOUNT_ID:topic/*/resp" },
  { "Effect": "Allow", "Action": "iot:Publish",
    "Resource": [
      "arn:aws:iot:eu-central-1:ACCOUNT_ID:topic/*/req",
      "arn:aws:iot:eu-central-1:ACCOUNT_ID:topic/wilco-lena-5f3a/resp" ] } ] }"#
        );
        assert_eq!(policy.remarks, ["Replace ACCOUNT_ID with your AWS account ID."]);
    }

    #[test]
    fn every_filter_and_its_messages_are_allowed() {
        let policy = policy("cmd/fleet-1", HOST, None, true);
        assert_eq!(allowed(&policy, "Connect"), ["client/wilco-lena-5f3a"]);
        let subscribed = allowed(&policy, "Subscribe");
        assert_eq!(subscribed.len(), 8);
        assert_eq!(subscribed[0], "topicfilter/cmd/fleet-1/+/resp");
        assert_eq!(subscribed[7], "topicfilter/$aws/events/presence/disconnected/+");
        let received = allowed(&policy, "Receive");
        assert_eq!((received[0].as_str(), received.len()), ("topic/cmd/fleet-1/*/resp", 8));
        assert_eq!(received[6], "topic/$aws/events/presence/connected/*");
        assert_eq!(allowed(&policy, "Publish"), ["topic/cmd/fleet-1/*/req", "topic/cmd/fleet-1/wilco-lena-5f3a/resp"]);
        assert_eq!(policy.remarks.len(), 1);
    }

    #[test]
    fn named_devices_are_allowed_one_by_one_and_the_probe_beside_them() {
        let policy = policy("", HOST, Some(&devices(1)), false);
        assert_eq!(
            allowed(&policy, "Subscribe"),
            [
                "topicfilter/kitchen-0001/resp",
                "topicfilter/kitchen-0001/status",
                "topicfilter/kitchen-0001/state",
                "topicfilter/kitchen-0001/telemetry",
                "topicfilter/kitchen-0001/log",
                "topicfilter/kitchen-0001/req",
                "topicfilter/wilco-lena-5f3a/resp"
            ]
        );
        assert_eq!(
            allowed(&policy, "Publish"),
            ["topic/kitchen-0001/req", "topic/wilco-lena-5f3a/req", "topic/wilco-lena-5f3a/resp"]
        );
    }

    #[test]
    fn entries_that_do_not_fit_are_shortened_and_then_omitted_with_a_remark() {
        let check = |prefix: &str, count: usize, lifecycle: bool, remarks: &[&str], left_out: usize| {
            let named = devices(count);
            let policy = policy(prefix, HOST, (count > 0).then_some(&named), lifecycle);
            assert!(fits(&policy.document), "{count} devices");
            assert_eq!(policy.remarks.len(), 1 + remarks.len(), "{:?}", policy.remarks);
            for (remark, part) in policy.remarks[1..].iter().zip(remarks) {
                assert!(remark.contains(part) && remark.ends_with('.'), "{remark}");
            }
            assert_eq!(policy.left_out, named[count - left_out..]);
            let allowed = allowed(&policy, "Publish");
            let commanded = allowed.iter().filter(|topic| topic.contains("/kitchen-")).count();
            assert_eq!(commanded, count - left_out);
        };
        const TOGETHER: &str = "all topics of each device";
        check("", 1, false, &[], 0);
        check("", 4, false, &[TOGETHER], 0);
        check("", 5, true, &[TOGETHER, "so kitchen-0004, kitchen-0005 are not included"], 2);
        check("", 12, false, &[TOGETHER, "kitchen-0008, kitchen-0009, kitchen-0010 and 2 more are not included"], 5);
        check("", 5_000, true, &[TOGETHER, "and 4,994 more are not included"], 4_997);
        check(&"x".repeat(200), 0, true, &[TOGETHER], 0);
    }

    #[test]
    fn shortened_patterns_cover_what_they_stand_for() {
        let policy = policy("", HOST, Some(&devices(4)), true);
        let subscribed = allowed(&policy, "Subscribe");
        assert_eq!(
            subscribed[..2],
            ["topicfilter/kitchen-0001/*", "topicfilter/$aws/events/presence/*connected/kitchen-0001"]
        );
        assert_eq!(allowed(&policy, "Receive")[0], "topic/kitchen-0001/*");
    }

    #[test]
    fn names_are_quoted_and_unknown_places_are_left_open() {
        let dialect = Dialect::Text(Topics::default());
        let policy = dialect.aws_policy("mqtt.example.net", "lena \"7\"", &["+/resp".to_owned()]);
        assert_eq!(allowed(&policy, "Connect"), ["client/lena \"7\""]);
        assert!(policy.document.contains("arn:aws:iot:REGION:ACCOUNT_ID:"));
        assert!(policy.remarks[0].contains("REGION"));
        let china = dialect.aws_policy("a-ats.iot.cn-north-1.amazonaws.com.cn", "w", &[]);
        assert!(china.document.contains("arn:aws-cn:iot:cn-north-1:ACCOUNT_ID:client/w"));
    }

    #[test]
    fn special_characters_in_a_policy_are_escaped() {
        let check = |text: &str, expected: &str| assert_eq!(literally(text), expected);
        check("kitchen-0417", "kitchen-0417");
        check("$aws/events/presence/connected/+", "$aws/events/presence/connected/+");
        check("*", "${*}");
        check("a?", "a${?}");
        check("${iot:ClientId}", "${$}{iot:ClientId}");
        check("$${*}?", "$${$}{${*}}${?}");
    }

    #[test]
    fn odd_names_allow_nothing_else() {
        let dialect = Dialect::Wilco(Topics::new("cmd?").expect("a prefix"));
        let check = |filters: &[String], action: &str, expected: &[&str]| {
            assert_eq!(allowed(&dialect.aws_policy(HOST, "wilco*", filters), action), expected);
        };
        let few = ["cmd?/*/resp", "$aws/events/presence/connected/x${iot:ClientId}"].map(str::to_owned);
        check(&few, "Connect", &["client/wilco${*}"]);
        check(
            &few,
            "Receive",
            &[
                "topic/cmd${?}/${*}/resp",
                "topic/$aws/events/presence/connected/x${$}{iot:ClientId}",
                "topic/cmd${?}/wilco${*}/resp",
            ],
        );
        check(
            &few,
            "Publish",
            &[
                "topic/cmd${?}/${*}/req",
                "topic/cmd${?}/x${$}{iot:ClientId}/req",
                "topic/cmd${?}/wilco${*}/req",
                "topic/cmd${?}/wilco${*}/resp",
            ],
        );
        let named = ["*", "x${iot:ClientId}"].map(|id| DeviceId::new(id).expect("a device ID"));
        let wishes = Subscriptions { devices: Some(&named), lifecycle: true };
        let shortened: Vec<String> = dialect.filters(&wishes).into_iter().map(|filter| filter.filter).collect();
        check(
            &shortened,
            "Subscribe",
            &[
                "topicfilter/cmd${?}/${*}/*",
                "topicfilter/$aws/events/presence/*connected/${*}",
                "topicfilter/cmd${?}/x${$}{iot:ClientId}/*",
                "topicfilter/$aws/events/presence/*connected/x${$}{iot:ClientId}",
                "topicfilter/cmd${?}/wilco${*}/resp",
            ],
        );
    }
}
