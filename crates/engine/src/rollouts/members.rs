//! The members of a rollout as confirmed by the user: their number and identity.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::{
    api::{ExpectedMembers, Failure, FailureCode, grouped},
    store::NewMember,
};

/// Names the members, in their order, and the arguments that each has of its own.
pub(crate) fn fingerprint(members: &[NewMember]) -> String {
    let mut hash = Sha256::new();
    for NewMember { device, args } in members {
        for text in [device.as_str(), args.as_deref().unwrap_or_default()] {
            hash.update(text.len().to_le_bytes());
            hash.update(text);
        }
    }
    hash.finalize().iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Why a rollout does not start: its members are other ones than were confirmed.
pub(crate) fn changed(expected: &ExpectedMembers, members: &[NewMember]) -> Option<Failure> {
    let count = u32::try_from(members.len()).unwrap_or(u32::MAX);
    let message = if count != expected.count {
        let confirmed = match expected.count {
            1 => "1 device was".to_owned(),
            confirmed => format!("{} devices were", grouped(confirmed)),
        };
        let (now, are) = (grouped(count), if count == 1 { "is" } else { "are" });
        format!("{confirmed} confirmed, but now there {are} {now}, so nothing was sent.")
    } else if expected.fingerprint.as_ref().is_some_and(|confirmed| *confirmed != fingerprint(members)) {
        "Nothing was sent, because the devices or values of the rollout have changed since you confirmed it.".to_owned()
    } else {
        return None;
    };
    let hint = Some("Check the devices, then confirm again.".to_owned());
    Some(Failure { code: FailureCode::Changed, message, hint })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use wilco_ledger::DeviceId;

    use super::{changed, fingerprint};
    use crate::{
        api::{ExpectedMembers, FailureCode},
        store::NewMember,
    };

    fn members(all: &[(&str, Option<&str>)]) -> Vec<NewMember> {
        let member = |(device, args): &(&str, Option<&str>)| NewMember {
            device: DeviceId::new(*device).unwrap(),
            args: args.map(Into::into),
        };
        all.iter().map(member).collect()
    }

    #[test]
    fn only_the_confirmed_members_are_commanded() {
        let confirmed = members(&[("a", None), ("b", Some("{}"))]);
        let exactly = |fingerprint: Option<String>| ExpectedMembers { count: 2, fingerprint };
        let check = |now: &[(&str, Option<&str>)], message: Option<&str>| {
            let refused = changed(&exactly(Some(fingerprint(&confirmed))), &members(now));
            assert!(refused.as_ref().is_none_or(|failure| failure.code == FailureCode::Changed));
            assert_eq!(refused.map(|failure| failure.message).as_deref(), message, "{now:?}");
        };
        check(&[("a", None), ("b", Some("{}"))], None);
        let others = "Nothing was sent, because the devices or values of the rollout have changed since you confirmed \
                      it.";
        check(&[("a", None), ("c", Some("{}"))], Some(others));
        check(&[("a", None), ("b", Some("{\"on\":true}"))], Some(others));
        check(&[("a", Some("b")), ("b", None)], Some(others));
        let more = "2 devices were confirmed, but now there are 3, so nothing was sent.";
        check(&[("a", None), ("b", Some("{}")), ("c", None)], Some(more));
        check(&[("a", None)], Some("2 devices were confirmed, but now there is 1, so nothing was sent."));
        assert_eq!(changed(&exactly(None), &members(&[("c", None), ("d", None)])), None, "only their number counts");
    }
}
