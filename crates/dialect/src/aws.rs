//! The specifics of AWS IoT Core as a broker: endpoint names, limits and policies.

mod policy;

pub use policy::AwsPolicy;
pub(crate) use policy::policy;

use crate::{Channel, Dialect, Subscriptions};

/// A client id has at most so many bytes.
const LONGEST_CLIENT_ID: usize = 128;
/// A topic has at most so many bytes.
const LONGEST_TOPIC: usize = 256;
/// A topic has at most so many slashes.
const MOST_SLASHES: usize = 7;
/// A connection has at most so many subscriptions.
const MOST_SUBSCRIPTIONS: usize = 50;

/// Where an endpoint lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Endpoint<'a> {
    /// The part of AWS: `aws`, `aws-cn` or `aws-us-gov`.
    partition: &'static str,
    region: &'a str,
}

impl Endpoint<'_> {
    /// Parses `xxx-ats.iot.eu-central-1.amazonaws.com`. `None` for any other host, including custom domains.
    fn of(host: &str) -> Option<Endpoint<'_>> {
        let host = host.trim_end_matches('.');
        let ours = [".amazonaws.com.cn", ".amazonaws.com", ".api.aws"].iter().find_map(|end| host.strip_suffix(end))?;
        let (service, region) = ours.rsplit_once('.')?;
        let (_, service) = service.rsplit_once('.')?;
        let is_plain = !region.is_empty() && region.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if !is_plain || !matches!(service, "iot" | "iot-fips") {
            return None;
        }
        let partition = match region {
            china if china.starts_with("cn-") => "aws-cn",
            government if government.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        };
        Some(Endpoint { partition, region })
    }
}

/// Whether a host is an AWS IoT Core endpoint by its name.
#[must_use]
pub fn is_aws_endpoint(host: &str) -> bool {
    Endpoint::of(&host.to_ascii_lowercase()).is_some()
}

/// How a connection exceeds the limits of AWS IoT Core, as a sentence with the solution.
pub(crate) fn goes_beyond(dialect: &Dialect, client_id: &str, wishes: &Subscriptions<'_>) -> Option<String> {
    if client_id.len() > LONGEST_CLIENT_ID {
        let length = client_id.len();
        return Some(format!("The client ID has {length} bytes; AWS IoT allows {LONGEST_CLIENT_ID}. Shorten it."));
    }
    if client_id.starts_with('$') {
        return Some("The client ID begins with '$', which AWS IoT reserves. Choose another one.".to_owned());
    }
    let filters = dialect.filters(wishes);
    let probe = dialect.probe(client_id, "").answer.topic;
    let general = dialect.topics().all(Channel::Telemetry);
    let heard = filters.iter().map(|filter| filter.filter.as_str());
    // Every topic of a device has as many slashes as any other.
    let own = heard.filter(|filter| dialect.topics().parse(filter).is_some()).chain([general.as_str(), probe.as_str()]);
    let topic = own.max_by_key(|topic| topic.len()).unwrap_or_default();
    let (length, slashes) = (topic.len(), topic.matches('/').count());
    if length > LONGEST_TOPIC {
        return Some(format!(
            "The topic '{topic}' has {length} bytes; AWS IoT allows {LONGEST_TOPIC}. Use a shorter prefix."
        ));
    }
    if slashes > MOST_SLASHES {
        return Some(format!(
            "The topic '{topic}' has {slashes} slashes; AWS IoT allows {MOST_SLASHES}. Use a prefix with fewer levels."
        ));
    }
    (filters.len() > MOST_SUBSCRIPTIONS).then(|| {
        let count = filters.len();
        format!(
            "The named devices need {count} subscriptions; AWS IoT allows {MOST_SUBSCRIPTIONS}. Name fewer devices, \
             or none to subscribe to all of them."
        )
    })
}

#[cfg(test)]
mod tests {
    use wilco_ledger::DeviceId;

    use super::{Endpoint, is_aws_endpoint};
    use crate::{Dialect, Subscriptions, Topics};

    #[test]
    fn an_endpoint_says_where_it_lies() {
        let check = |host: &str, expected: Option<(&str, &str)>| {
            let endpoint = Endpoint::of(host).map(|endpoint| (endpoint.partition, endpoint.region));
            assert_eq!(endpoint, expected, "{host}");
        };
        check("a3k9x2v7q-ats.iot.eu-central-1.amazonaws.com", Some(("aws", "eu-central-1")));
        check("a3k9x2v7q.iot.us-west-2.amazonaws.com.", Some(("aws", "us-west-2")));
        check("a3k9x2v7q-ats.iot.cn-north-1.amazonaws.com.cn", Some(("aws-cn", "cn-north-1")));
        check("a3k9x2v7q-ats.iot.us-gov-west-1.amazonaws.com", Some(("aws-us-gov", "us-gov-west-1")));
        check("a3k9x2v7q-ats.iot-fips.us-east-1.amazonaws.com", Some(("aws", "us-east-1")));
        check("a3k9x2v7q-ats.iot.eu-west-1.api.aws", Some(("aws", "eu-west-1")));
        check("iot.eu-central-1.amazonaws.com", None);
        check("s3.eu-central-1.amazonaws.com", None);
        check("my.s3.eu-central-1.amazonaws.com", None);
        check("a.iot.\"x.amazonaws.com", None);
        check("a.iot..amazonaws.com", None);
        check("amazonaws.com", None);
        check("broker.example.net", None);
        check("", None);
        assert!(is_aws_endpoint("A3K9X2V7Q-ATS.iot.EU-central-1.amazonaws.com"));
    }

    #[test]
    fn limits_of_aws_are_reported_beforehand() {
        let check = |prefix: &str, client: &str, devices: Option<&[DeviceId]>, expected: Option<&str>| {
            let dialect = Dialect::Wilco(Topics::new(prefix).expect("a prefix"));
            let said = dialect.beyond_aws(client, &Subscriptions { devices, lifecycle: true });
            match (&said, expected) {
                (None, None) => {}
                (Some(why), Some(part)) => assert!(why.contains(part) && why.ends_with('.'), "{why}"),
                _ => panic!("{prefix} {client}: {said:?}"),
            }
        };
        let named = |count: usize| -> Vec<DeviceId> {
            (0..count).map(|number| DeviceId::new(format!("d{number}")).expect("a device ID")).collect()
        };
        check("", "wilco-5f3a", None, None);
        check("", &"x".repeat(128), None, None);
        check("", &"x".repeat(129), None, Some("129 bytes"));
        check("", "$wilco", None, Some("begins with '$'"));
        check("a/b/c/d/e/f", "w", None, None);
        check("a/b/c/d/e/f/g", "w", None, Some("8 slashes; AWS IoT allows 7"));
        check(&"x".repeat(200), "w", None, None);
        check(&"x".repeat(200), &"y".repeat(100), None, Some("'xxx"));
        let long = [DeviceId::new("z".repeat(200)).expect("a device ID")];
        check("cmd", "w", Some(&long), None);
        check(&"x".repeat(60), "w", Some(&long), Some("271 bytes; AWS IoT allows 256"));
        check("", "w", Some(&named(6)), None);
        check("", "w", Some(&named(7)), Some("56 subscriptions; AWS IoT allows 50"));
    }
}
