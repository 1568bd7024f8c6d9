//! A Shelly with a password: it carries out only correctly signed requests.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result, ensure};
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::broker::Broker;
use crate::child::Child;

/// A scripted device that checks digests as Shelly's RPC does.
#[derive(Debug)]
pub struct Shelly {
    _listening: Child,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    on: bool,
    auto_off: bool,
    /// Challenges so far; the nonce is made of it.
    challenges: u64,
    /// The nonces that still count.
    nonces: Vec<u64>,
    /// A nonce counts for one request only.
    once: bool,
    executed: Vec<String>,
    refused: u32,
}

/// A device and the way to its broker.
struct Device {
    id: String,
    password: String,
    state: Arc<Mutex<State>>,
    publish: Vec<String>,
}

impl Shelly {
    /// Starts one of this id, whose requests have to be signed with this password.
    ///
    /// # Errors
    /// When mosquitto's clients cannot be started.
    pub fn start(broker: &Broker, id: &str, password: &str) -> Result<Self> {
        let rpc = format!("{id}/rpc");
        let mut listening = broker.listen_to(&rpc, &["-t", "shellies/command", "-F", "%t %p"])?;
        let requests = listening.take_output().context("nothing to read")?;
        let client = broker.client("mosquitto_pub");
        let words = std::iter::once(client.get_program()).chain(client.get_args());
        let publish = words.map(|word| word.to_string_lossy().into_owned()).collect();
        let state = Arc::new(Mutex::new(State::default()));
        let device = Device { id: id.to_owned(), password: password.to_owned(), state: Arc::clone(&state), publish };
        device.say(&format!("{id}/online"), "true")?;
        thread::spawn(move || {
            for line in BufReader::new(requests).lines().map_while(Result::ok) {
                let Some((topic, payload)) = line.split_once(' ') else { continue };
                if device.hear(topic, payload).is_err() {
                    return;
                }
            }
        });
        Ok(Self { _listening: listening, state })
    }

    /// The methods that it has carried out, without those that only read.
    #[must_use]
    pub fn executed(&self) -> Vec<String> {
        self.state().executed.clone()
    }

    /// How many requests it has refused for want of a right signature.
    #[must_use]
    pub fn refused(&self) -> u32 {
        self.state().refused
    }

    /// From now on a nonce counts for one request only.
    pub fn take_each_nonce_once(&self) {
        let mut state = self.state();
        state.nonces.clear();
        state.once = true;
    }

    fn state(&self) -> parking_lot::MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl Device {
    fn say(&self, topic: &str, payload: &str) -> Result<()> {
        let [program, arguments @ ..] = self.publish.as_slice() else { return Ok(()) };
        let mut publish = Command::new(program);
        let status = publish.args(arguments).args(["-q", "1", "-t", topic, "-m", payload]).status()?;
        ensure!(status.success(), "mosquitto_pub failed");
        Ok(())
    }

    fn hear(&self, topic: &str, payload: &str) -> Result<()> {
        if topic == "shellies/command" {
            self.say(&format!("{}/online", self.id), "true")?;
            return self.say(&format!("{}/announce", self.id), &self.info().to_string());
        }
        let Ok(request) = serde_json::from_str::<Value>(payload) else { return Ok(()) };
        let source = request["src"].as_str().context("a request without a source")?;
        let mut answer = json!({"id": request["id"], "src": self.id, "dst": source});
        let method = request["method"].as_str().unwrap_or_default();
        if method != "Shelly.GetDeviceInfo" && !self.is_signed(&request["auth"])? {
            let mut state = self.state.lock();
            state.challenges += 1;
            state.refused += 1;
            let nonce = 1_700_000_000 + state.challenges;
            state.nonces.push(nonce);
            let wanted =
                json!({"auth_type": "digest", "nonce": nonce, "nc": 1, "realm": self.id, "algorithm": "SHA-256"});
            answer["error"] = json!({"code": 401, "message": wanted.to_string()});
        } else {
            answer["result"] = self.perform(method, &request["params"]);
        }
        self.say(&format!("{source}/rpc"), &answer.to_string())?;
        if method == "Switch.Set" && answer.get("result").is_some() {
            let on = self.state.lock().on;
            let status = json!({"src": self.id, "dst": format!("{}/events", self.id), "method": "NotifyStatus",
                "params": {"switch:0": {"id": 0, "output": on}}});
            self.say(&format!("{}/events/rpc", self.id), &status.to_string())?;
        }
        Ok(())
    }

    fn is_signed(&self, auth: &Value) -> Result<bool> {
        let Some(nonce) = auth["nonce"].as_u64() else { return Ok(false) };
        {
            let mut state = self.state.lock();
            if !state.nonces.contains(&nonce) {
                return Ok(false);
            }
            if state.once {
                state.nonces.retain(|known| *known != nonce);
            }
        }
        let known = sha256(&format!("admin:{}:{}", self.id, self.password))?;
        let nothing = sha256("dummy_method:dummy_uri")?;
        let proof = sha256(&format!("{known}:{nonce}:1:{}:auth:{nothing}", auth["cnonce"]))?;
        Ok(auth["username"] == "admin" && auth["realm"] == *self.id && auth["response"] == *proof)
    }

    fn info(&self) -> Value {
        json!({"id": self.id, "mac": "A8032ABE54DC", "model": "SNSW-001X16EU", "gen": 2, "ver": "1.4.4", "auth_en": true})
    }

    fn perform(&self, method: &str, params: &Value) -> Value {
        let mut state = self.state.lock();
        match method {
            "Shelly.GetDeviceInfo" => self.info(),
            "Shelly.GetStatus" => {
                json!({"sys": {"uptime": 42}, "switch:0": {"id": 0, "output": state.on, "apower": 0.0}})
            }
            "Shelly.GetConfig" => json!({"sys": {"cfg_rev": 7},
                "switch:0": {"id": 0, "initial_state": "off", "auto_off": state.auto_off, "auto_off_delay": 60.0}}),
            "Switch.Set" => {
                state.executed.push(method.to_owned());
                let was_on = std::mem::replace(&mut state.on, params["on"] == true);
                json!({"was_on": was_on})
            }
            "Switch.SetConfig" => {
                state.executed.push(method.to_owned());
                state.auto_off = params["config"]["auto_off"] == true;
                json!({"restart_required": false})
            }
            _ => {
                state.executed.push(method.to_owned());
                Value::Null
            }
        }
    }
}

fn sha256(text: &str) -> Result<String> {
    let mut child = Command::new("sha256sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    child.stdin.take().context("no standard input")?.write_all(text.as_bytes())?;
    let output = child.wait_with_output()?;
    let mut digest = String::new();
    let first = String::from_utf8(output.stdout)?;
    write!(digest, "{}", first.split(' ').next().unwrap_or_default())?;
    Ok(digest)
}
