//! Schemas of arguments, with arguments: a line with the schema, then the arguments. Reading one, making something up for
//! it and judging what is given come to an end; and what has no problem makes a JSON that can be sent.

#![no_main]

use std::sync::LazyLock;

use serde_json::value::RawValue;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use wilco_engine::{
    Engine, Options,
    api::{CommandDefinition, CommandToPreview},
    paths::DataDir,
    vault::Vault,
};

/// An engine without a keyring, on data that nothing is written to.
static ENGINE: LazyLock<(Runtime, TempDir, Engine)> = LazyLock::new(|| {
    let runtime = Runtime::new().expect("a runtime");
    let data = tempfile::tempdir().expect("a directory");
    let data_dir = DataDir::open(Some(data.path())).expect("a data directory");
    let options = Options { data_dir, vault: Vault::in_memory(), passing: false };
    let engine = runtime.block_on(Engine::start(options)).expect("an engine");
    (runtime, data, engine)
});

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    let Ok(content) = str::from_utf8(content) else { return };
    let (schema, given) = content.split_once('\n').unwrap_or((content, "{}"));
    for args in [None, Some(given)] {
        let definition = CommandDefinition {
            name: "calibrate".into(),
            title: "Calibrate".into(),
            connection: None,
            schema: schema.to_owned().into(),
            topic: None,
            payload: None,
            plain: false,
            timeout_ms: 10_000,
            ttl_ms: 60_000,
            safe_to_repeat: false,
            dangerous: false,
            answer_expected: true,
            icon: "send".into(),
        };
        let args = args.map(|args| args.to_owned().into());
        let command = CommandToPreview { definition, connection: None, device: None, args };
        let preview = ENGINE.0.block_on(ENGINE.2.handle().preview_command(command)).expect("it names no connection");
        assert!(preview.drawable || !preview.problems.is_empty(), "refused without a word");
        // Numbers may be larger than any that a `Value` holds.
        serde_json::from_str::<Box<RawValue>>(&preview.payload).expect("JSON");
    }
});
