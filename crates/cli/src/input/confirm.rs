use std::io::{self, IsTerminal, Write};

use tokio::sync::oneshot;
use wilco_engine::api::{Confirmation, Confirmed};

use crate::{
    options::ConfirmOptions,
    output::{clean, visible_name},
    problem::Problem,
};

/// Prompts for the confirmation of something that cannot be undone. `what` is the message without a terminal.
pub(crate) fn confirmed(question: &str, what: &str) -> Result<bool, Problem> {
    if !io::stdin().is_terminal() {
        return Err(Problem::new(format!("{what}, and there is no terminal to confirm on."), "Use --yes to confirm."));
    }
    write!(io::stderr().lock(), "{question} [y/N] ")?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(is_yes(&answer))
}

/// The confirmation of something that is sent over the connection of that name: by an option, or on the terminal.
/// `what` is what would be sent: `restart to pump-7`. The engine decides whether it is enough.
pub(crate) async fn confirmation(
    needed: Confirmation,
    connection: &str,
    what: &str,
    given: &ConfirmOptions,
) -> Result<Confirmed, Problem> {
    if let Some(name) = &given.confirm {
        return Ok(Confirmed::Name(name.clone()));
    }
    let (connection, what) = (visible_name(connection), clean(what));
    let nowhere = |hint: String| {
        Problem::new(
            format!("The connection '{connection}' is protected, and there is no terminal to confirm on."),
            hint,
        )
    };
    let has_terminal = io::stdin().is_terminal();
    match needed {
        Confirmation::None => Ok(Confirmed::No),
        Confirmation::Ask if given.yes => Ok(Confirmed::Yes),
        Confirmation::Ask if !has_terminal => Err(nowhere("Use --yes to confirm.".to_owned())),
        Confirmation::Ask => {
            let answer = answer(&format!("{connection} is protected. Send {what}? [y/N] ")).await?;
            if is_yes(&answer) {
                return Ok(Confirmed::Yes);
            }
            Err(Problem::new("Nothing was sent.", "Answer y, or use --yes."))
        }
        Confirmation::TypeName if !has_terminal => Err(nowhere(format!(
            "Use --confirm {connection}. --yes is not enough for dangerous commands and rollouts."
        ))),
        Confirmation::TypeName => {
            let question = format!("{connection} is protected. To send {what}, type the name of the connection: ");
            let answer = answer(&question).await?;
            match answer.trim() {
                "" => Err(Problem::new("Nothing was sent.", "Type the name of the connection, or use --confirm.")),
                name => Ok(Confirmed::Name(name.to_owned())),
            }
        }
    }
}

/// Whether [`confirmation`] asks a person.
pub(crate) fn asks(needed: Confirmation, given: &ConfirmOptions) -> bool {
    given.confirm.is_none()
        && match needed {
            Confirmation::None => false,
            Confirmation::Ask => !given.yes,
            Confirmation::TypeName => true,
        }
}

/// Has the number of devices typed, where there is a terminal and no option has confirmed it. Says whether it was.
/// `what` is what would be sent: `restart to 37 devices`.
pub(crate) async fn counted(devices: u32, what: &str, given: &ConfirmOptions) -> Result<bool, Problem> {
    if given.yes || given.confirm.is_some() || !io::stdin().is_terminal() {
        return Ok(false);
    }
    let question = format!("To send {}, type the number of devices: ", clean(what));
    if answer(&question).await?.trim().replace(',', "") == devices.to_string() {
        return Ok(true);
    }
    Err(Problem::new("Nothing was sent.", "Type the number of devices, or use --yes."))
}

/// Asks on the terminal, where anything but *yes* means no.
pub(crate) async fn yes(question: &str) -> Result<bool, Problem> {
    Ok(is_yes(&answer(question).await?))
}

/// Reads a line from the terminal, on a thread of its own, so that an interrupt is received meanwhile.
async fn answer(question: &str) -> Result<String, Problem> {
    io::stderr().lock().write_all(question.as_bytes())?;
    let (reply, line) = oneshot::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().read_line(&mut line).map(|_| line);
        // After an interrupt, nothing waits for it.
        let _ = reply.send(read);
    });
    Ok(line.await.map_err(|_| Problem::Interrupted)??)
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}
