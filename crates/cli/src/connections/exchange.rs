//! Imports and exports connections.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use wilco_engine::api::FileToWrite;

use crate::{
    base::Base,
    input::{TRIES, WRONG, new_passphrase, prompted, secret_line},
    options::ExportOptions,
    output::{Output, clean, count, file_to_write, visible_name},
    problem::Problem,
};

/// The contents and the path of the file.
pub(super) struct Export {
    names: Vec<String>,
    to: FileToWrite,
    passphrase: Option<String>,
}

impl Export {
    pub(super) fn read(options: ExportOptions) -> Result<Export, Problem> {
        let ExportOptions { names, to, with_secrets, passphrase_stdin, force } = options;
        let to = file_to_write(&to, force)?;
        let passphrase = with_secrets.then(|| new_passphrase(passphrase_stdin)).transpose()?;
        Ok(Export { names, to, passphrase })
    }

    pub(super) async fn make(self, base: &Base) -> Result<ExitCode, Problem> {
        let Export { names, to, passphrase } = self;
        let mut chosen = Vec::new();
        for name in &names {
            chosen.push(base.connection(name).await?);
        }
        if let Some(demo) = chosen.iter().find(|connection| connection.demo) {
            return Err(Problem::new(
                format!("{} cannot be exported: it is part of the app.", visible_name(&demo.name)),
                "Every installation of Wilco includes it.",
            ));
        }
        if names.is_empty() {
            chosen = base.console().connections().await?;
            chosen.retain(|connection| !connection.demo);
        }
        if chosen.is_empty() {
            return Err(Problem::new(
                "There are no connections to export.",
                "Add one: wilco connections add NAME --url mqtts://HOST",
            ));
        }
        let with_secrets = passphrase.is_some();
        let ids: Vec<_> = chosen.iter().map(|connection| connection.id.clone()).collect();
        let path = base.console().export_connections(&ids, to, passphrase).await?;
        let names = listed(chosen.iter().map(|connection| connection.name.as_str()));
        let mut output = Output::text();
        output.line(&format!("Wrote {names} to {}.", path.display()))?;
        output.line(if with_secrets {
            "The file contains certificates, private keys and passwords, encrypted with the passphrase. It cannot be \
             read without the passphrase."
        } else {
            "The file contains no certificates, private keys or passwords."
        })?;
        output.flush()?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The file to read.
pub(super) struct Import {
    path: PathBuf,
    passphrase: Option<String>,
}

impl Import {
    pub(super) fn read(file: &Path, passphrase_stdin: bool) -> Result<Import, Problem> {
        let passphrase = passphrase_stdin.then(|| secret_line("passphrase", "--passphrase-stdin")).transpose()?;
        Ok(Import { path: std::path::absolute(file)?, passphrase })
    }

    pub(super) async fn make(self, base: &Base) -> Result<ExitCode, Problem> {
        let Import { path, mut passphrase } = self;
        let is_given = passphrase.is_some();
        let mut imported = base.console().import_connections(path.clone(), passphrase.clone(), false).await?;
        let mut refused = "";
        for _ in 0..TRIES {
            if !imported.locked || is_given {
                break;
            }
            passphrase = prompted(&format!("{refused}Passphrase of {}", path.display()))?;
            refused = WRONG;
            if passphrase.is_none() {
                break;
            }
            imported = base.console().import_connections(path.clone(), passphrase.clone(), false).await?;
        }
        if imported.locked {
            return Err(match passphrase {
                Some(_) => Problem::new(
                    format!("The passphrase for {} is wrong.", path.display()),
                    "Nothing was imported. Use the passphrase that was set when the file was exported. It is \
                     case-sensitive.",
                ),
                None => Problem::new(
                    format!("{} is encrypted with a passphrase.", path.display()),
                    "Run wilco on a terminal to be prompted for it, or pass it on standard input with \
                     --passphrase-stdin.",
                ),
            });
        }
        let mut output = Output::text();
        if imported.names.is_empty() {
            output.line("The file contains no connections.")?;
        }
        for name in &imported.names {
            output.line(&format!("Added {}.", visible_name(name)))?;
        }
        if !imported.without_secrets.is_empty() {
            let names = listed(imported.without_secrets.iter().map(String::as_str));
            output.line(&format!(
                "Imported without secrets: {names}. Add them with wilco connections edit NAME --cert FILE --key FILE …"
            ))?;
        }
        output.flush()?;
        Ok(ExitCode::SUCCESS)
    }
}

/// `a, b and c`, the first ten of them.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.map(clean).collect();
    match &names[..] {
        [] => String::new(),
        [one] => one.to_string(),
        [first @ .., last] if names.len() <= 10 => format!("{} and {last}", first.join(", ")),
        all => format!("{} and {} more", all[..10].join(", "), count(all.len() - 10)),
    }
}

#[cfg(test)]
mod tests {
    use super::listed;

    #[test]
    fn names_are_listed_as_one_says_them() {
        let check = |names: &[&str], expected: &str| assert_eq!(listed(names.iter().copied()), expected);
        check(&[], "");
        check(&["plant"], "plant");
        check(&["plant", "site"], "plant and site");
        check(&["plant", "site", "be\u{7}nch"], "plant, site and be\\u{7}nch");
        check(&["a"; 12], "a, a, a, a, a, a, a, a, a, a and 2 more");
    }
}
