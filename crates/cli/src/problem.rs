//! Errors, and the exit status.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use wilco_engine::api::{Failure, FailureCode, KitProblem};

use crate::output::clean;

/// A device did not succeed, or did not answer; or a file was not imported completely.
pub(crate) const NOT_DONE: u8 = 1;
/// Nothing was sent: incorrect usage, no connection, unreadable data.
pub(crate) const TROUBLE: u8 = 2;
/// Something was sent, or may have been, and what became of it is not known here.
const UNCLEAR: u8 = 3;
/// A rollout waits for the approval of a second installation, and has sent nothing.
pub(crate) const UNAPPROVED: u8 = 4;
/// As shells count an interrupt.
const INTERRUPTED: u8 = 130;

/// Why the program ends early.
#[derive(Debug)]
pub(crate) enum Problem {
    /// An error message and a hint.
    Message { message: String, hint: Option<String> },
    /// The same, for a device that did not succeed or did not answer.
    NotDone { message: String, hint: Option<String> },
    /// The same, after something was sent or may have been.
    Unclear { message: String, hint: Option<String> },
    /// All problems of the certificate files.
    Files(Vec<KitProblem>),
    /// The reader of the output has gone.
    Unread,
    /// Ctrl-C or SIGTERM.
    Interrupted,
}

impl Problem {
    pub(crate) fn new(message: impl Into<String>, hint: impl Into<String>) -> Problem {
        Problem::Message { message: message.into(), hint: Some(hint.into()) }
    }

    /// Says it on standard error.
    pub(crate) fn print(self) -> ExitCode {
        match self {
            Problem::Message { message, hint } => {
                complain("error", &message, hint.as_deref());
                ExitCode::from(TROUBLE)
            }
            Problem::NotDone { message, hint } => {
                complain("error", &message, hint.as_deref());
                ExitCode::from(NOT_DONE)
            }
            Problem::Unclear { message, hint } => {
                complain("error", &message, hint.as_deref());
                ExitCode::from(UNCLEAR)
            }
            Problem::Files(problems) => {
                for problem in problems {
                    complain("error", &problem.message, problem.hint.as_deref());
                }
                ExitCode::from(TROUBLE)
            }
            Problem::Unread => ExitCode::SUCCESS,
            Problem::Interrupted => ExitCode::from(INTERRUPTED),
        }
    }
}

impl From<Failure> for Problem {
    fn from(Failure { code, message, hint }: Failure) -> Problem {
        match code {
            FailureCode::Unanswered => Problem::Unclear { message, hint },
            _ => Problem::Message { message, hint },
        }
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Problem {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Problem::Unread;
        }
        Problem::Message { message: format!("I/O error: {error}."), hint: None }
    }
}

impl From<serde_json::Error> for Problem {
    fn from(error: serde_json::Error) -> Problem {
        io::Error::from(error).into()
    }
}

/// A remark on standard error.
pub(crate) fn note(message: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", clean(message));
}

/// `warning: …` on standard error, with a hint below it.
pub(crate) fn warn(message: &str, hint: Option<&str>) {
    complain("warning", message, hint);
}

fn complain(kind: &str, message: &str, hint: Option<&str>) {
    let mut stderr = io::stderr().lock();
    // With standard error closed there is nowhere left to say anything.
    let _ = writeln!(stderr, "{kind}: {}", clean(message));
    if let Some(hint) = hint {
        let _ = writeln!(stderr, "hint: {}", clean(hint));
    }
}
