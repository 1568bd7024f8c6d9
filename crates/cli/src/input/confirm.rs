use std::io::{self, IsTerminal, Write};

use crate::problem::Problem;

/// Asks on the terminal whether something is meant that cannot be undone. `what` is said where there is no terminal.
pub(crate) fn confirmed(question: &str, what: &str) -> Result<bool, Problem> {
    if !io::stdin().is_terminal() {
        return Err(Problem::new(format!("{what}, and there is no terminal to confirm on."), "Use --yes to confirm."));
    }
    write!(io::stderr().lock(), "{question} [y/N] ")?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
