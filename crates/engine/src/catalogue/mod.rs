//! The catalogue of commands: the built-in ones and the user's own.
//!
//! It is the only place that decides timeouts, retries and the schema of the arguments, for every caller. It is kept in
//! memory beside the store, because every send uses it.

pub(crate) mod definition;
pub(crate) mod file;
pub(crate) mod places;
mod schema;

use std::sync::Arc;

use parking_lot::RwLock;
use wilco_dialect::CommandKind;

pub(crate) use schema::Schema;

use crate::store::{ConnectionId, Definition};

/// Every command that is known by name.
#[derive(Default)]
pub(crate) struct Catalogue {
    own: RwLock<Arc<[Arc<Own>]>>,
}

/// A user's own command, with its parsed schema.
pub(crate) struct Own {
    pub(crate) definition: Definition,
    /// A sentence where the schema cannot be used: an earlier version may have kept it.
    schema: Result<Schema, String>,
}

/// A known command of the catalogue.
pub(crate) enum Known {
    BuiltIn(&'static CommandKind),
    Own(Arc<Own>),
    Nothing,
}

impl Catalogue {
    /// Takes the place of what was known.
    pub(crate) fn replace(&self, definitions: Vec<Definition>) {
        let own = definitions.into_iter().map(|definition| {
            let schema = Schema::read(&definition.kind.schema);
            Arc::new(Own { definition, schema })
        });
        *self.own.write() = own.collect();
    }

    /// Those that people have described, by name.
    pub(crate) fn own(&self) -> Arc<[Arc<Own>]> {
        Arc::clone(&self.own.read())
    }

    /// Finds a command for a connection: a definition for that connection precedes one for all.
    pub(crate) fn find(&self, connection: &ConnectionId, name: &str) -> Known {
        if let Some(kind) = wilco_dialect::command(name) {
            return Known::BuiltIn(kind);
        }
        let own = self.own();
        let named = |of: Option<&ConnectionId>| {
            own.iter().find(|own| own.definition.kind.name == name && own.definition.connection.as_ref() == of)
        };
        named(Some(connection)).or_else(|| named(None)).map_or(Known::Nothing, |own| Known::Own(Arc::clone(own)))
    }

    /// Whether commands on a connection have forms that its dialect would not recognise.
    pub(crate) fn speaks_otherwise(&self, connection: &ConnectionId) -> bool {
        self.own().iter().any(|own| {
            let Definition { connection: of, kind, .. } = &own.definition;
            of.as_ref().is_none_or(|of| of == connection)
                && kind.form.as_ref().is_some_and(|form| form.payload.is_some())
        })
    }
}

impl Known {
    /// Whether it is marked as dangerous.
    pub(crate) fn is_dangerous(&self) -> bool {
        self.kind().is_some_and(|kind| kind.dangerous)
    }

    pub(crate) fn kind(&self) -> Option<&CommandKind> {
        match self {
            Known::BuiltIn(kind) => Some(kind),
            Known::Own(own) => Some(&own.definition.kind),
            Known::Nothing => None,
        }
    }

    /// Why a command is not sent with these arguments, a JSON text. Those of a built-in command are left to the device: firmware that
    /// is not Wilco's own may mean something else by that name.
    pub(crate) fn refuses(&self, args: &str) -> Option<String> {
        let Known::Own(own) = self else { return None };
        let name = &own.definition.kind.name;
        match &own.schema {
            Ok(schema) => schema
                .complaints(args)
                .first()
                .map(|why| format!("The arguments do not match the schema of {name}: {why}.")),
            Err(why) => Some(format!("The schema of {name} cannot be used. {why}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use wilco_ledger::{Millis, WireForm};

    use super::{Catalogue, CommandKind, Known};
    use crate::store::{ConnectionId, Definition};

    fn definition(of: Option<&str>, title: &str, payload: Option<&str>) -> Definition {
        let kind = CommandKind {
            name: "calibrate".into(),
            title: title.into(),
            schema: r#"{"type":"object","properties":{"level":{"type":"number"}},"required":["level"]}"#.into(),
            form: payload.map(|payload| WireForm { payload: Some(payload.into()), ..WireForm::default() }),
            timeout: Millis::seconds(1),
            time_to_live: Millis::seconds(2),
            safe_to_repeat: true,
            dangerous: false,
            answer_expected: true,
            icon: "gauge".into(),
        };
        Definition { id: title.into(), connection: of.map(ConnectionId::from), kind }
    }

    #[test]
    fn a_definition_for_one_connection_goes_before_one_for_all() {
        let catalogue = Catalogue::default();
        catalogue.replace(vec![definition(None, "for all", None), definition(Some("plant"), "for one", Some("{id}"))]);
        let check = |connection: &str, name: &str, title: Option<&str>| {
            let known = catalogue.find(&connection.into(), name);
            assert_eq!(known.kind().map(|kind| kind.title.as_str()), title, "{connection} {name}");
        };
        check("plant", "calibrate", Some("for one"));
        check("field", "calibrate", Some("for all"));
        check("plant", "led", Some("LED"));
        check("plant", "reboot", None);
        assert!(catalogue.speaks_otherwise(&"plant".into()));
        assert!(!catalogue.speaks_otherwise(&"field".into()));
    }

    #[test]
    fn only_arguments_of_described_commands_are_judged() {
        let catalogue = Catalogue::default();
        catalogue.replace(vec![definition(None, "for all", None)]);
        let refuses = |name: &str, args| catalogue.find(&"plant".into(), name).refuses(args);
        assert_eq!(refuses("calibrate", r#"{"level":3}"#), None);
        assert_eq!(
            refuses("calibrate", r#"{"level":"high"}"#).as_deref(),
            Some("The arguments do not match the schema of calibrate: level: \"high\" is not of type \"number\".")
        );
        assert_eq!(
            refuses("calibrate", "{}").as_deref(),
            Some("The arguments do not match the schema of calibrate: \"level\" is a required property.")
        );
        assert_eq!(refuses("led", r#"{"on":"perhaps"}"#), None);
        assert_eq!(refuses("reboot", r#"{"on":"perhaps"}"#), None);
        assert!(matches!(catalogue.find(&"plant".into(), "reboot"), Known::Nothing));
    }
}
