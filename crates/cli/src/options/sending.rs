//! The options shared by all commands that send one: arguments, timeouts, delivery and retries.

use std::time::Duration;

use clap::Args;
use wilco_engine::api::{Delivery, RolloutCommand};

use super::words;
use crate::{input, problem::Problem};

/// How a command is sent, without its name.
#[derive(Debug, Args)]
pub(crate) struct SendingOptions {
    /// Its arguments; VALUE is read as JSON if it is valid JSON, otherwise as text (version='"2.10"' is text)
    #[arg(value_name = "KEY=VALUE")]
    pub(crate) pairs: Vec<String>,
    /// Its arguments as a JSON object; KEY=VALUE arguments override it
    #[arg(long, value_name = "JSON")]
    pub(crate) args: Option<String>,
    /// How long a device may stay silent after the command is sent, such as 10s, 500ms or 2m; or suggested, to derive
    /// it from the latest answers (see wilco times)
    #[arg(long, value_name = "SPAN|suggested", value_parser = timeout)]
    pub(crate) timeout: Option<Timeout>,
    /// Time to live: how long the command may wait to be sent, such as 60s; after that it expires
    #[arg(long, value_name = "SPAN", value_parser = input::span)]
    pub(crate) ttl: Option<Duration>,
    /// How to deliver the command while its device is offline; hold if not given, now for dangerous commands
    #[arg(long, value_name = "HOW", value_parser = words::delivery())]
    pub(crate) delivery: Option<Delivery>,
    /// How many times to resend it, with the same command ID, if the device does not answer
    #[arg(long, value_name = "N")]
    pub(crate) retries: Option<u32>,
    /// Expect no answer: the command ends as unconfirmed when the broker acknowledges it
    #[arg(long)]
    pub(crate) no_answer: bool,
}

/// How long a device may stay silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timeout {
    After(Duration),
    /// The timeout that the latest answers suggest.
    Suggested,
}

impl Timeout {
    /// As it is given; none where it is still to be looked up.
    pub(crate) fn given(self) -> Option<Duration> {
        match self {
            Timeout::After(span) => Some(span),
            Timeout::Suggested => None,
        }
    }
}

fn timeout(text: &str) -> Result<Timeout, String> {
    if text == SUGGESTED {
        return Ok(Timeout::Suggested);
    }
    input::span(text).map(Timeout::After).map_err(|wrong| format!("{wrong}, or {SUGGESTED}"))
}

/// In the place of a span.
const SUGGESTED: &str = "suggested";

impl SendingOptions {
    /// Whether the timeout is to be looked up.
    pub(crate) fn suggests(&self) -> bool {
        self.timeout == Some(Timeout::Suggested)
    }

    /// A command of this name with these options.
    pub(crate) fn command(self, name: String) -> Result<RolloutCommand, Problem> {
        let args = input::arguments(self.args.as_deref(), &self.pairs)?;
        Ok(self.command_with(name, args))
    }

    /// The same with other arguments, a JSON object as text.
    pub(crate) fn command_with(self, name: String, args: String) -> RolloutCommand {
        RolloutCommand {
            name,
            args: args.into(),
            timeout_ms: self.timeout.and_then(Timeout::given).map(input::milliseconds),
            ttl_ms: self.ttl.map(input::milliseconds),
            retries: self.retries,
            delivery: self.delivery,
            no_answer: self.no_answer,
        }
    }
}
