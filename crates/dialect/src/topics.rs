//! The only place where topics of Wilco's own dialect are built or parsed.

use wilco_ledger::{DeviceId, InvalidDeviceId};

/// The topics of a fleet, optionally with a prefix of one or more levels.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Topics {
    /// Empty, or levels that end in `/`.
    prefix: String,
}

/// The channel of a device's topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// Commands.
    Req,
    /// Acknowledgements.
    Resp,
    /// Presence, retained, with a last will.
    Status,
    /// Reported state, retained.
    State,
    /// Measurements.
    Telemetry,
    /// Chunks of logs.
    Log,
}

/// The reason why a text cannot be a topic prefix.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a topic prefix must consist of plain levels such as 'cmd/fleet-1': {0:?} is not allowed")]
pub struct InvalidPrefix(pub String);

/// The longest name of a group, bytes.
const LONGEST_GROUP: usize = 200;
/// The longest prefix in bytes: a topic has at most 256 on AWS, and a device id needs room.
const LONGEST_PREFIX: usize = 200;
/// Topics on which programs announce other firmware. `homeassistant/status` means that Home Assistant has started:
/// nothing there is the status of a device.
const ANNOUNCEMENTS: [&str; 3] = ["homeassistant", "zigbee2mqtt/bridge", "tasmota/discovery"];

/// AWS IoT Core's lifecycle events.
const CONNECTED: &str = "$aws/events/presence/connected/";
const DISCONNECTED: &str = "$aws/events/presence/disconnected/";

impl Channel {
    /// All channels of a device.
    pub const ALL: [Channel; 6] =
        [Channel::Req, Channel::Resp, Channel::Status, Channel::State, Channel::Telemetry, Channel::Log];

    /// The channel's topic level.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Channel::Req => "req",
            Channel::Resp => "resp",
            Channel::Status => "status",
            Channel::State => "state",
            Channel::Telemetry => "telemetry",
            Channel::Log => "log",
        }
    }
}

impl Topics {
    /// The topic of broadcasts to every device, below the prefix.
    pub const EVERYONE: &str = "all/req";

    /// The topics under a prefix; an empty one is none, and a closing `/` may be left out. A leading `/` is an empty
    /// first level (MQTT 5 section 4.7.1.1) and stays.
    ///
    /// # Errors
    /// [`InvalidPrefix`] for wildcards, empty levels, control characters and a leading `$`.
    pub fn new(prefix: &str) -> Result<Topics, InvalidPrefix> {
        let levels = prefix.strip_suffix('/').unwrap_or(prefix);
        if prefix.is_empty() {
            return Ok(Topics::default());
        }
        let below = levels.strip_prefix('/').unwrap_or(levels);
        if prefix != "/" && below.split('/').any(str::is_empty) {
            return Err(InvalidPrefix("an empty level".to_owned()));
        }
        if levels.starts_with('$') {
            return Err(InvalidPrefix("$".to_owned()));
        }
        if let Some(bad) = levels.chars().find(|c| matches!(c, '+' | '#') || c.is_control()) {
            return Err(InvalidPrefix(bad.to_string()));
        }
        if levels.len() > LONGEST_PREFIX {
            return Err(InvalidPrefix(format!("a length of {} bytes", levels.len())));
        }
        Ok(Topics { prefix: format!("{levels}/") })
    }

    /// The prefix without a closing `/`; empty without a prefix.
    #[must_use]
    pub fn prefix(&self) -> &str {
        if self.prefix == "/" { "/" } else { self.prefix.trim_end_matches('/') }
    }

    /// A device's topic.
    #[must_use]
    pub fn of(&self, device: &DeviceId, channel: Channel) -> String {
        format!("{}{device}/{}", self.prefix, channel.as_str())
    }

    /// A topic of a user's own command, below the prefix.
    pub(crate) fn own(&self, levels: &str) -> String {
        format!("{}{levels}", self.prefix)
    }

    /// The filter for this channel of every device.
    #[must_use]
    pub fn all(&self, channel: Channel) -> String {
        format!("{}+/{}", self.prefix, channel.as_str())
    }

    /// The prefix of every topic of a device, or of `+`.
    pub(crate) fn beginning(&self, device: &str) -> String {
        format!("{}{device}/", self.prefix)
    }

    /// The topic of broadcasts to every device.
    #[must_use]
    pub fn everyone(&self) -> String {
        self.own(Topics::EVERYONE)
    }

    /// The topic of broadcasts to a group of devices, below the prefix; `None` if the name is not a topic level.
    #[must_use]
    pub fn group(group: &str) -> Option<String> {
        let is_level = !group.is_empty()
            && group.len() <= LONGEST_GROUP
            && !group.chars().any(|c| matches!(c, '+' | '#' | '/' | '{' | '}') || c.is_control());
        is_level.then(|| format!("groups/{group}/req"))
    }

    /// The filter to which the devices of a group subscribe.
    #[must_use]
    pub fn of_group(&self, group: &str) -> Option<String> {
        Topics::group(group).map(|levels| self.own(&levels))
    }

    /// The device and the channel of a topic; `None` for any other topic.
    #[must_use]
    pub fn parse(&self, topic: &str) -> Option<(DeviceId, Channel)> {
        let (device, channel) = self.split(topic)?;
        Some((DeviceId::new(device).ok()?, channel))
    }

    /// The length in bytes of a device name that is too long, if the topic would otherwise be a device's.
    #[must_use]
    pub fn too_long(&self, topic: &str) -> Option<usize> {
        match DeviceId::new(self.split(topic)?.0) {
            Err(InvalidDeviceId::TooLong(bytes)) => Some(bytes),
            _ => None,
        }
    }

    fn split<'a>(&self, topic: &'a str) -> Option<(&'a str, Channel)> {
        let (device, last) = topic.strip_prefix(&self.prefix)?.split_once('/')?;
        let channel = Channel::ALL.into_iter().find(|channel| channel.as_str() == last)?;
        let is_announced = topic.rsplit_once('/').is_some_and(|(before, _)| ANNOUNCEMENTS.contains(&before));
        (!is_announced).then_some((device, channel))
    }

    /// The filter for commands to any group.
    pub(crate) fn groups(&self) -> String {
        self.own("groups/+/req")
    }

    /// Whether this is a broadcast topic: `all/req` or `groups/{group}/req`.
    #[must_use]
    pub fn is_broadcast(&self, topic: &str) -> bool {
        self.broadcast(topic).is_some()
    }

    /// The group that a command on a broadcast topic is for; `Some(None)` where it is for every device, and `None` for any
    /// other topic.
    pub(crate) fn broadcast<'a>(&self, topic: &'a str) -> Option<Option<&'a str>> {
        let rest = topic.strip_prefix(&self.prefix)?;
        if rest == Topics::EVERYONE {
            return Some(None);
        }
        let group = rest.strip_prefix("groups/").and_then(|rest| rest.strip_suffix("/req"))?;
        (!group.is_empty() && !group.contains('/')).then_some(Some(group))
    }
}

/// Which client a lifecycle event is about, and whether its connection began. `None` for any other topic.
pub(crate) fn lifecycle_client(topic: &str) -> Option<(&str, bool)> {
    match topic.strip_prefix(CONNECTED) {
        Some(client) => Some((client, true)),
        None => topic.strip_prefix(DISCONNECTED).map(|client| (client, false)),
    }
}

/// The filters for the lifecycle events of every client, or of the named devices.
pub(crate) fn lifecycle_filters(devices: Option<&[DeviceId]>) -> Vec<String> {
    let clients: Vec<&str> = devices.map_or(vec!["+"], |devices| devices.iter().map(DeviceId::as_str).collect());
    let filters = |client: &str| [CONNECTED, DISCONNECTED].map(|topic| format!("{topic}{client}"));
    clients.into_iter().flat_map(filters).collect()
}

/// The pattern of a policy for both kinds of a client's lifecycle events.
pub(crate) fn either_lifecycle_event(client: &str) -> String {
    format!("$aws/events/presence/*connected/{client}")
}

#[cfg(test)]
mod tests {
    use wilco_ledger::DeviceId;

    use super::{Channel, Topics, lifecycle_client, lifecycle_filters};

    fn topics(prefix: &str) -> Topics {
        Topics::new(prefix).expect("a plain prefix")
    }

    #[test]
    fn a_name_that_is_too_long_for_a_device_is_known_as_one() {
        let check = |topic: String, expected: Option<usize>| {
            assert_eq!(topics("cmd").too_long(&topic), expected, "{topic}");
        };
        check(format!("cmd/{}/status", "a".repeat(201)), Some(201));
        check(format!("cmd/{}/status", "a".repeat(200)), None);
        check(format!("cmd/{}/other", "a".repeat(201)), None);
        check(format!("{}/status", "a".repeat(201)), None);
        check("cmd/all/status".to_owned(), None);
    }

    #[test]
    fn a_prefix_is_made_of_plain_levels() {
        let check = |prefix: &str, expected: Option<&str>| {
            assert_eq!(Topics::new(prefix).ok().as_ref().map(Topics::prefix), expected, "{prefix:?}");
        };
        check("", Some(""));
        check("cmd", Some("cmd"));
        check("cmd/", Some("cmd"));
        check("cmd/fleet-1", Some("cmd/fleet-1"));
        check("straße 7/a", Some("straße 7/a"));
        check("/", Some("/"));
        check("//", None);
        check("///", None);
        check("/cmd", Some("/cmd"));
        check("/cmd/a/", Some("/cmd/a"));
        check("//cmd", None);
        check("cmd//a", None);
        check("cmd/+", None);
        check("#", None);
        check("$aws/things", None);
        check("a\0", None);
        check("a\nb", None);
        check(&"x".repeat(201), None);
    }

    #[test]
    fn a_refused_prefix_says_what_is_wrong() {
        let check = |prefix: &str, part: &str| {
            let error = Topics::new(prefix).expect_err("refused").to_string();
            assert!(error.contains(part), "{error}");
        };
        check("cmd/+", "\"+\"");
        check("cmd//x", "an empty level");
        check("$SYS", "\"$\"");
    }

    #[test]
    fn a_topic_is_built_and_taken_apart_again() {
        let device = DeviceId::new("kitchen-0417").expect("a device ID");
        for prefix in ["", "cmd", "cmd/fleet-1/", "/", "/fleet"] {
            let topics = topics(prefix);
            for channel in Channel::ALL {
                assert_eq!(topics.parse(&topics.of(&device, channel)), Some((device.clone(), channel)));
            }
        }
        assert_eq!(topics("").of(&device, Channel::Req), "kitchen-0417/req");
        assert_eq!(topics("cmd/a").of(&device, Channel::Resp), "cmd/a/kitchen-0417/resp");
        assert_eq!(topics("/fleet").of(&device, Channel::Req), "/fleet/kitchen-0417/req");
        assert_eq!(topics("/").all(Channel::Resp), "/+/resp");
        assert_eq!(topics("cmd").all(Channel::Resp), "cmd/+/resp");
        assert_eq!(topics("cmd").everyone(), "cmd/all/req");
    }

    #[test]
    fn other_topics_belong_to_nobody() {
        let check = |prefix: &str, topic: &str| assert_eq!(topics(prefix).parse(topic), None, "{topic:?}");
        check("", "resp");
        check("", "/resp");
        check("fleet", "/fleet/a/resp");
        check("/fleet", "fleet/a/resp");
        check("", "a/b/resp");
        check("", "a/response");
        check("", "all/req");
        check("", "groups/req");
        check("", "$SYS/status");
        check("", "");
        check("cmd", "a/resp");
        check("cmd", "cmda/resp");
        check("cmd", "cmd/resp");
        check("", "cmd/a/resp");
    }

    #[test]
    fn topics_where_other_firmware_is_announced_are_no_devices() {
        let check = |prefix: &str, topic: &str, is_device: bool| {
            assert_eq!(topics(prefix).parse(topic).is_some(), is_device, "{prefix:?} {topic:?}");
        };
        for channel in Channel::ALL {
            check("", &format!("homeassistant/{}", channel.as_str()), false);
        }
        check("zigbee2mqtt", "zigbee2mqtt/bridge/state", false);
        check("tasmota", "tasmota/discovery/status", false);
        check("", "homeassistant-1/status", true);
        check("fleet", "fleet/homeassistant/status", true);
        check("", "zigbee2mqtt/status", true);
    }

    #[test]
    fn lifecycle_topics_name_a_client() {
        let check = |topic: &str, expected: Option<(&str, bool)>| assert_eq!(lifecycle_client(topic), expected);
        check("$aws/events/presence/connected/dock-1", Some(("dock-1", true)));
        check("$aws/events/presence/disconnected/a/b", Some(("a/b", false)));
        check("$aws/events/presence/connected", None);
        check("$aws/events/subscriptions/subscribed/dock-1", None);
        check("dock-1/status", None);
        let named = [DeviceId::new("a").expect("a device ID"), DeviceId::new("b").expect("a device ID")];
        let connected = |client: &str| format!("$aws/events/presence/connected/{client}");
        let disconnected = |client: &str| format!("$aws/events/presence/disconnected/{client}");
        assert_eq!(lifecycle_filters(None), [connected("+"), disconnected("+")]);
        assert_eq!(
            lifecycle_filters(Some(&named)),
            [connected("a"), disconnected("a"), connected("b"), disconnected("b")]
        );
    }

    #[test]
    fn a_broadcast_is_for_all_or_for_one_group() {
        let check = |prefix: &str, topic: &str, expected: bool| {
            assert_eq!(topics(prefix).is_broadcast(topic), expected, "{topic:?}");
        };
        assert_eq!(topics("cmd").broadcast("cmd/all/req"), Some(None));
        assert_eq!(topics("cmd").broadcast("cmd/groups/kitchen/req"), Some(Some("kitchen")));
        check("", "all/req", true);
        check("", "groups/kitchen/req", true);
        check("cmd", "cmd/all/req", true);
        check("cmd", "cmd/groups/kitchen/req", true);
        check("cmd", "all/req", false);
        check("", "groups//req", false);
        check("", "groups/a/b/req", false);
        check("", "groups/req", false);
        check("", "all/resp", false);
        check("", "kitchen/req", false);
    }
}
