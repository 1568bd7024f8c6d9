//! The permissions of a connection's mode. Only this module refuses commands because of the mode, for the window, the
//! command line and the engine alike.

use wilco_failure::{Failure, FailureCode};

use crate::{Confirmation, Confirmed, ConnectionMode};

impl ConnectionMode {
    /// Whether anything may be published.
    #[must_use]
    pub fn publishes(self) -> bool {
        self != ConnectionMode::ReadOnly
    }

    /// The confirmation that a command requires. `grave`: it is dangerous, or for more than one device.
    #[must_use]
    pub fn needs(self, grave: bool) -> Confirmation {
        match self {
            ConnectionMode::Protected if grave => Confirmation::TypeName,
            ConnectionMode::Protected => Confirmation::Ask,
            ConnectionMode::Normal | ConnectionMode::ReadOnly => Confirmation::None,
        }
    }

    /// Checks that the connection may send.
    ///
    /// # Errors
    /// [`FailureCode::ReadOnly`].
    pub fn permit(self, name: &str) -> Result<(), Failure> {
        if self.publishes() {
            return Ok(());
        }
        Err(Failure {
            code: FailureCode::ReadOnly,
            message: format!("The connection '{name}' is read-only, so Wilco sends nothing to its devices."),
            hint: Some(
                "To send commands, edit the connection and change its mode (wilco connections edit NAME --mode normal)."
                    .into(),
            ),
        })
    }

    /// Checks that a confirmation suffices for a command. `grave`: it is dangerous, or for more than one device.
    ///
    /// # Errors
    /// [`FailureCode::ReadOnly`], and [`FailureCode::Unconfirmed`] where it is not enough.
    pub fn permit_confirmed(self, name: &str, grave: bool, confirmed: &Confirmed) -> Result<(), Failure> {
        self.permit(name)?;
        let unconfirmed = |message: String, hint: &str| {
            Err(Failure { code: FailureCode::Unconfirmed, message, hint: Some(hint.to_owned()) })
        };
        match (self.needs(grave), confirmed) {
            // A wrong name means that another connection was meant, whatever this one requires.
            (_, Confirmed::Name(typed)) if typed != name => unconfirmed(
                format!("The name typed to confirm is '{typed}', but the connection's name is '{name}'."),
                "Nothing was sent. Check the connection, and type its name exactly.",
            ),
            (Confirmation::None, _) | (Confirmation::Ask, Confirmed::Yes | Confirmed::Name(_)) => Ok(()),
            (Confirmation::TypeName, Confirmed::Name(_)) => Ok(()),
            (Confirmation::Ask, Confirmed::No) => unconfirmed(
                format!("The connection '{name}' is protected, and the command was not confirmed."),
                "Confirm it, then send it again.",
            ),
            (Confirmation::TypeName, Confirmed::No | Confirmed::Yes) => unconfirmed(
                format!("The connection '{name}' is protected, and its name was not typed to confirm the command."),
                "Type the connection's name to confirm dangerous commands and rollouts.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use wilco_failure::FailureCode;

    use crate::{Confirmation, Confirmed, ConnectionMode};

    #[test]
    fn a_mode_refuses_what_is_not_confirmed_as_it_asks() {
        let name = |text: &str| Confirmed::Name(text.to_owned());
        let check = |mode: ConnectionMode, grave: bool, confirmed: Confirmed, expected: Option<FailureCode>| {
            let refused = mode.permit_confirmed("plant", grave, &confirmed).err().map(|failure| failure.code);
            assert_eq!(refused, expected, "{mode:?}, grave {grave}, {confirmed:?}");
        };
        let unconfirmed = Some(FailureCode::Unconfirmed);
        for grave in [false, true] {
            check(ConnectionMode::Normal, grave, Confirmed::No, None);
            check(ConnectionMode::Normal, grave, name("site"), unconfirmed);
            check(ConnectionMode::Protected, grave, Confirmed::No, unconfirmed);
            check(ConnectionMode::Protected, grave, name("plant"), None);
            check(ConnectionMode::Protected, grave, name("Plant"), unconfirmed);
            check(ConnectionMode::ReadOnly, grave, name("plant"), Some(FailureCode::ReadOnly));
        }
        check(ConnectionMode::Protected, false, Confirmed::Yes, None);
        check(ConnectionMode::Protected, true, Confirmed::Yes, unconfirmed);
        assert_eq!(ConnectionMode::Protected.needs(true), Confirmation::TypeName);
        assert_eq!(ConnectionMode::Protected.needs(false), Confirmation::Ask);
        assert_eq!(ConnectionMode::Normal.needs(true), Confirmation::None);
    }
}
