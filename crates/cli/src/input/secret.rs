//! Secrets: prompted for on a terminal or read from standard input, one per line; never taken from an argument.

use std::io::{self, BufRead, IsTerminal};

use crate::problem::Problem;

/// The number of attempts to enter a passphrase.
pub(crate) const TRIES: usize = 3;
/// The text before a repeated prompt.
pub(crate) const WRONG: &str = "Wrong passphrase. ";

/// The next line of standard input. `what` is the secret, `option` the one that announces it.
pub(crate) fn secret_line(what: &str, option: &str) -> Result<String, Problem> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let secret = line.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err(Problem::new(
            format!("Standard input contains no {what}."),
            format!(
                "Write each secret on a separate line (passphrase, password, proxy's password, in this order), or \
                 omit {option} to be prompted on a terminal."
            ),
        ));
    }
    Ok(secret.to_owned())
}

/// Prompts for a secret on a terminal. `None` without a terminal, or for empty input.
pub(crate) fn prompted(question: &str) -> Result<Option<String>, Problem> {
    if !io::stdin().is_terminal() {
        return Ok(None);
    }
    let answer = rpassword::prompt_password(format!("{question}: "))?;
    Ok(Some(answer).filter(|answer| !answer.is_empty()))
}

/// A new passphrase: on a terminal it must be entered twice, because it is not shown.
pub(crate) fn new_passphrase(from_stdin: bool) -> Result<String, Problem> {
    if from_stdin {
        return secret_line("passphrase", "--passphrase-stdin");
    }
    let Some(passphrase) = prompted("Passphrase for the file (at least 12 characters)")? else {
        return Err(Problem::new(
            "Encrypting the secrets requires a passphrase.",
            "Enter one on a terminal, pass it on standard input with --passphrase-stdin, or omit --with-secrets.",
        ));
    };
    if prompted("Repeat the passphrase")?.as_ref() != Some(&passphrase) {
        return Err(Problem::new("The two passphrases differ.", "Nothing was exported. Try again."));
    }
    Ok(passphrase)
}
