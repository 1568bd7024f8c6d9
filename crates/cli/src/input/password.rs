//! A password: asked for on a terminal or read from standard input, never taken from an argument.

use std::io::{self, BufRead, IsTerminal};

use crate::problem::Problem;

/// The password of a user, if there is to be one.
pub(crate) fn password(username: Option<&str>, from_stdin: bool) -> Result<Option<String>, Problem> {
    if from_stdin {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        let password = line.trim_end_matches(['\r', '\n']);
        if password.is_empty() {
            return Err(Problem::new(
                "There is no password on standard input.",
                "Write it there as the first line, or leave out --password-stdin to be asked for it.",
            ));
        }
        return Ok(Some(password.to_owned()));
    }
    let Some(username) = username.filter(|_| io::stdin().is_terminal()) else { return Ok(None) };
    let password = rpassword::prompt_password(format!("Password of {username} (empty for none): "))?;
    Ok(Some(password).filter(|password| !password.is_empty()))
}
