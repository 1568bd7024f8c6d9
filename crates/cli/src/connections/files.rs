//! Certificate files for a connection. The engine reads them and identifies each one by its content.

use std::{io::IsTerminal, path::Path};

use wilco_engine::api::{Client, FileRole, FileToRead, FilesToRead, KitItemKind, KitView};

use crate::{
    input::{TRIES, WRONG, prompted},
    options::{BrokerOptions, IdentityOptions},
    output::clean,
    problem::{self, Problem},
};

/// The files that were named, and as what.
pub(crate) fn named(options: &BrokerOptions) -> Result<Vec<FileToRead>, Problem> {
    let mut files = of_identity(&options.identity)?;
    let authorities = options.trust.ca.iter().map(|path| file(path, FileRole::Authorities));
    let server = options.trust.pin.iter().map(|path| file(path, FileRole::Server));
    for file in authorities.chain(server) {
        files.push(file?);
    }
    Ok(files)
}

/// The same where only a client certificate can be given.
pub(crate) fn of_identity(options: &IdentityOptions) -> Result<Vec<FileToRead>, Problem> {
    let IdentityOptions { cert, key, pkcs12, kit, file: more, passphrase_stdin: _ } = options;
    let given = cert.iter().map(|path| (path, FileRole::Certificate));
    let given = given.chain(key.iter().map(|path| (path, FileRole::Key)));
    let given = given.chain(pkcs12.iter().map(|path| (path, FileRole::Pkcs12)));
    let given = given.chain(kit.iter().map(|path| (path, FileRole::Archive)));
    let given = given.chain(more.iter().map(|path| (path, FileRole::Any)));
    given.map(|(path, role)| file(path, role)).collect()
}

/// Reads them and prints their problems. `None` if none was given.
pub(crate) async fn bring(
    console: &Client,
    files: Vec<FileToRead>,
    passphrase: Option<String>,
    options: &IdentityOptions,
) -> Result<Option<KitView>, Problem> {
    if files.is_empty() {
        return match passphrase {
            None => Ok(None),
            Some(_) => Err(Problem::new(
                "A passphrase was given, but none of the files is encrypted.",
                "Add the file that it \
                                                                                                 decrypts, or omit the \
                                                                                                 passphrase.",
            )),
        };
    }
    let mut kit = console.read_files(FilesToRead { files, passphrase, ..FilesToRead::default() }).await?;
    let mut refused = "";
    for _ in 0..TRIES {
        if !kit.locked || options.passphrase_stdin {
            break;
        }
        let names = locked(&kit);
        let Some(passphrase) = prompted(&format!("{refused}Passphrase of {names}"))? else { break };
        let again = FilesToRead { kit: Some(kit.id.clone()), passphrase: Some(passphrase), ..FilesToRead::default() };
        kit = console.read_files(again).await?;
        refused = if locked(&kit) == names { WRONG } else { "" };
    }
    let (blocking, others): (Vec<_>, Vec<_>) =
        std::mem::take(&mut kit.problems).into_iter().partition(|problem| problem.blocking);
    if blocking.is_empty() {
        for problem in others {
            problem::warn(&problem.message, problem.hint.as_deref());
        }
        return Ok(Some(kit));
    }
    console.forget_kit(&kit.id).await?;
    let mut problems = blocking;
    if kit.locked && !options.passphrase_stdin && !std::io::stdin().is_terminal() {
        let how = "Run wilco on a terminal to be prompted for the passphrase, or pass it on standard input with \
                   --passphrase-stdin.";
        let is_locked =
            |item: Option<u32>| kit.items.iter().any(|one| Some(one.id) == item && one.kind == KitItemKind::Locked);
        problems.iter_mut().filter(|one| is_locked(one.item)).for_each(|one| one.hint = Some(how.to_owned()));
    }
    Err(Problem::Files(problems))
}

fn locked(kit: &KitView) -> String {
    let mut names: Vec<_> =
        kit.items.iter().filter(|item| item.kind == KitItemKind::Locked).map(|item| clean(&item.name)).collect();
    names.dedup();
    names.join(" and ")
}

/// A running Wilco may have another working directory, so the path is made absolute.
fn file(path: &Path, role: FileRole) -> Result<FileToRead, Problem> {
    Ok(FileToRead { path: std::path::absolute(path)?, role })
}
