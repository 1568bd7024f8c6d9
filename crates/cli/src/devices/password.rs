//! Sets and removes the passwords that sign requests to devices.

use std::process::ExitCode;

use crate::{
    base::Base,
    input::{prompted, secret_line},
    options::DevicePasswordOptions,
    output::{Output, visible_name},
    problem::Problem,
};

/// Sets or removes the password of a device, or of all devices of a connection.
pub(super) async fn set(base: &Base, options: DevicePasswordOptions) -> Result<ExitCode, Problem> {
    let DevicePasswordOptions { connection, device, password_stdin, clear } = options;
    let connection = base.connection(&connection).await?;
    let whose = match &device {
        Some(device) => visible_name(device).into_owned(),
        None => format!("all devices of {}", visible_name(&connection.name)),
    };
    let password = if clear {
        None
    } else if password_stdin {
        Some(secret_line("password", "--password-stdin")?)
    } else {
        let password = prompted(&format!("Password of {whose}"))?;
        Some(password.ok_or_else(|| {
            Problem::new(
                "No password was given.",
                "Enter one on a terminal, or pass it on standard input with --password-stdin.",
            )
        })?)
    };
    base.console().set_device_password(&connection.id, device, password).await?;
    let mut output = Output::text();
    output.line(&match clear {
        true => format!("Removed the password of {whose}."),
        false => format!("Set the password of {whose}."),
    })?;
    output.flush()?;
    Ok(ExitCode::SUCCESS)
}
