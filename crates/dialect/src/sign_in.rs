//! Signing requests for a device with a password: digest authentication inside a request, as in Shelly's RPC.
//!
//! A device with a password refuses the request with error 401 and sends a nonce. It accepts the same request with a member
//! `auth`, which proves that the sender knows the password and contains no part of it. Sources: shelly-api-docs
//! gen2/General/Authentication, aioshelly `wsrpc.py`; RFC 7616 with SHA-256 and constants in place of method and URI.

use std::fmt::Write as _;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::payload::Args;

/// The only user that these devices have.
const USER: &str = "admin";
/// Constants in place of method and URI.
const METHOD_AND_URI: &str = "dummy_method:dummy_uri";
/// Stored and shown in place of the proof: with it, a weak password could be found by trying.
const NOT_KEPT: &str = "not stored";
/// The longest realm that is taken, bytes.
const LONGEST_REALM: usize = 256;
/// How to read an answer if the device requires a signed request.
const UNAUTHORIZED: i64 = 401;

/// A device's challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    realm: Box<str>,
    /// As the device wrote it: a number or a text.
    nonce: Value,
    /// The nonce's counter, as the device wrote it. A request has no member for it, so it is not incremented here: a
    /// device that requires another one sends a new challenge.
    count: u64,
    /// It answers a request that was signed because of an earlier challenge.
    is_repeated: bool,
}

impl Challenge {
    /// The challenge in an answer. `None` if there is none, or one of an unknown kind.
    #[must_use]
    pub fn read(payload: &[u8]) -> Option<Challenge> {
        let answer: Value = serde_json::from_slice(payload).ok()?;
        if answer.pointer("/error/code")?.as_i64()? != UNAUTHORIZED {
            return None;
        }
        let wanted: Value = serde_json::from_str(answer.pointer("/error/message")?.as_str()?).ok()?;
        let realm = wanted.get("realm")?.as_str().filter(|realm| realm.len() <= LONGEST_REALM)?;
        let nonce = wanted.get("nonce").filter(|nonce| nonce.is_number() || nonce.is_string())?;
        let algorithm = wanted.get("algorithm").and_then(Value::as_str).unwrap_or("SHA-256");
        if !algorithm.eq_ignore_ascii_case("SHA-256") {
            return None;
        }
        Some(Challenge {
            realm: realm.into(),
            nonce: nonce.clone(),
            count: wanted.get("nc").and_then(Value::as_u64).unwrap_or(1),
            is_repeated: answer.get("id").and_then(Value::as_str).is_some_and(|id| first_id(id).is_some()),
        })
    }

    /// Whether it answers a request that was signed for an earlier challenge: then the password is wrong.
    #[must_use]
    pub fn is_repeated(&self) -> bool {
        self.is_repeated
    }

    /// A request with a proof of the password: as it is sent, and as it may be stored and shown. `again`: it is resent
    /// because of this challenge, with this send number, under an ID of its own, so that the answer to the first is not
    /// taken for its answer. `cnonce` is any unused number.
    ///
    /// `None` for a request that is not a JSON object.
    #[must_use]
    pub fn sign(&self, request: &str, password: &str, cnonce: u32, again: Option<u32>) -> Option<(String, String)> {
        let proof = self.proof(password, cnonce);
        let signed = self.with(request, &proof, cnonce, again)?;
        Some((signed, self.with(request, NOT_KEPT, cnonce, again)?))
    }

    fn proof(&self, password: &str, cnonce: u32) -> String {
        let known = hex(&format!("{USER}:{}:{password}", self.realm));
        let (nonce, count) = (crate::file::shown(&self.nonce), self.count);
        hex(&format!("{known}:{nonce}:{count}:{cnonce}:auth:{}", hex(METHOD_AND_URI)))
    }

    fn with(&self, request: &str, proof: &str, cnonce: u32, again: Option<u32>) -> Option<String> {
        let members = Args::parse(request).ok()?;
        let mut written = String::from("{");
        for (name, value) in members.members().filter(|(name, _)| *name != "auth") {
            let _ = write!(written, "{}:", Value::from(name));
            match again.filter(|_| name == "id") {
                Some(attempt) => {
                    let id: Value = serde_json::from_str(value).ok()?;
                    let _ = write!(written, "{}", Value::from(format!("{}-{attempt}", crate::file::shown(&id))));
                }
                None => written.push_str(value),
            }
            written.push(',');
        }
        let auth = json!({"realm": &*self.realm, "username": USER, "nonce": self.nonce, "cnonce": cnonce,
            "response": proof, "algorithm": "SHA-256"});
        let _ = write!(written, "\"auth\":{auth}}}");
        Some(written)
    }
}

/// The id of a request that was signed and sent a second time, as it was the first time: `7` of `7-2`.
pub(crate) fn first_id(id: &str) -> Option<&str> {
    let (first, attempt) = id.rsplit_once('-')?;
    let is_number = |text: &str| !text.is_empty() && text.len() <= 10 && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(first) && is_number(attempt)).then_some(first)
}

fn hex(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Challenge, METHOD_AND_URI, first_id, hex};

    const REALM: &str = "shellyplus2pm-485519000000";

    /// As recorded: aioshelly, `Cover.Close_auth_failure`.
    fn answer(id: &Value) -> Vec<u8> {
        let message =
            json!({"auth_type": "digest", "nonce": 1_725_185_413, "nc": 1, "realm": REALM, "algorithm": "SHA-256"});
        let error = json!({"code": 401, "message": message.to_string()});
        json!({"id": id, "src": REALM, "dst": "iobroker", "error": error}).to_string().into_bytes()
    }

    #[test]
    fn the_proof_is_the_one_that_other_programs_compute() {
        // The constant in ALLTERCO's own sample code.
        assert_eq!(hex(METHOD_AND_URI), "6370ec69915103833b5222b368555393393f098bfbfbb59f47e0590af135f062");
        let challenge = Challenge::read(&answer(&json!(18))).expect("a challenge");
        let request = r#"{"id":18,"src":"iobroker","method":"Cover.Close","params":{"id":0}}"#;
        let (signed, kept) = challenge.sign(request, "mysecretpassword", 1_725_185_414, Some(2)).expect("a request");
        let signed: Value = serde_json::from_str(&signed).expect("JSON");
        // Computed by Python's hashlib in the way of aioshelly's AuthData.get_auth.
        assert_eq!(signed["auth"]["response"], PROOF);
        assert_eq!(signed["auth"]["username"], "admin");
        assert_eq!(signed["auth"]["nonce"], 1_725_185_413);
        assert_eq!((&signed["id"], &signed["params"]), (&json!("18-2"), &json!({"id": 0})));
        assert!(!kept.contains(PROOF) && !kept.contains("mysecretpassword"), "{kept}");
        assert!(kept.contains("not stored"), "{kept}");
        // The next request with the same nonce has another proof, and its own id.
        let (next, _) = challenge.sign(request, "mysecretpassword", 1_725_185_415, None).expect("a request");
        assert!(next.contains(r#""id":18,"#) && !next.contains(PROOF), "{next}");
    }

    const PROOF: &str = "dde1ce97d0a2d9e3651e3f6d9c85cb85966aa80c3c8a3d7ddd00b9f19d12c9cf";

    #[test]
    fn only_a_challenge_is_one() {
        let challenge = |payload: &str| Challenge::read(payload.as_bytes()).is_some();
        assert!(!challenge("401") && !challenge("{}") && !challenge("not JSON"));
        assert!(!challenge(r#"{"error":{"code":401,"message":"no"}}"#));
        assert!(!challenge(r#"{"error":{"code":404,"message":"{\"realm\":\"x\",\"nonce\":1}"}}"#));
        assert!(!challenge(
            r#"{"error":{"code":401,"message":"{\"realm\":\"x\",\"nonce\":1,\"algorithm\":\"MD5\"}"}}"#
        ));
        assert!(challenge(r#"{"error":{"code":401,"message":"{\"realm\":\"x\",\"nonce\":\"1a\"}"}}"#));
        let is_repeated = |id: Value| Challenge::read(&answer(&id)).is_some_and(|challenge| challenge.is_repeated());
        assert!(is_repeated(json!("18-2")) && !is_repeated(json!(18)) && !is_repeated(json!("a-1")));
        assert_eq!((first_id("7-2"), first_id("7"), first_id("7-"), first_id("a-2")), (Some("7"), None, None, None));
    }
}
