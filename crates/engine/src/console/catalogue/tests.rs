#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

mod exact;

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{
    Handle,
    api::{
        CommandButton, CommandDefinition, CommandToPreview, FailureCode,
        ImportChange::{self, Changed, New, Refused, Same},
        JsonText, NewCommand,
    },
    console::fixture::{engine, plant},
};

fn calibrate() -> CommandDefinition {
    CommandDefinition {
        name: "calibrate".into(),
        title: "Calibrate".into(),
        connection: None,
        schema:
            json!({"type": "object", "properties": {"level": {"type": "number", "maximum": 10}}, "required": ["level"]})
                .into(),
        topic: None,
        payload: None,
        plain: false,
        timeout_ms: 20_000,
        ttl_ms: 5_000,
        safe_to_repeat: true,
        dangerous: true,
        answer_expected: false,
        icon: "gauge".into(),
    }
}

fn asking(connection: &str, command: &str, args: Value) -> NewCommand {
    NewCommand {
        connection: connection.to_owned(),
        devices: vec!["pump-7".into()],
        command: command.into(),
        args: args.into(),
        ..NewCommand::default()
    }
}

async fn names(handle: &Handle) -> Vec<String> {
    let own = handle.catalogue().await.unwrap().into_iter().filter(|entry| !entry.built_in);
    own.map(|entry| entry.definition.name).collect()
}

#[tokio::test]
async fn a_command_of_ones_own_is_sent_as_it_was_described() {
    let (_data, engine, handle) = engine().await;
    let connection = plant(&handle).await;
    let described = CommandDefinition {
        topic: Some("{device}/do/{args.level}".into()),
        payload: Some(r#"{"tid":{id},"level":{args.level}}"#.into()),
        ..calibrate()
    };
    let entry = handle.save_definition(None, described.clone()).await.unwrap();
    let id = handle.send(asking(&connection, "calibrate", json!({"level": 3}))).await.unwrap().ids.remove(0);

    // What becomes of the description afterwards changes nothing of what was asked.
    let payload = Some(r#"{"other":{id}}"#.into());
    handle.save_definition(Some(entry.id), CommandDefinition { payload, ..described }).await.unwrap();
    let detail = handle.command(&connection, "pump-7", &id).await.unwrap();
    let request = detail.request.unwrap();
    assert_eq!((request.topic.as_str(), request.payload), ("pump-7/do/3", format!(r#"{{"tid":"{id}","level":3}}"#)));
    // Its own timeout, time to live and want of an answer need not be said at a shell.
    assert_eq!(detail.shell_line.as_deref(), Some("wilco send -c plant -d pump-7 calibrate level=3"));
    let again =
        handle.send_again(&connection, "pump-7", &id, crate::api::Confirmed::No, None).await.unwrap().ids.remove(0);
    let again = handle.command(&connection, "pump-7", &again).await.unwrap();
    assert_eq!(again.request.unwrap().topic, "pump-7/do/3");
    engine.stop().await;
}

#[tokio::test]
async fn arguments_that_do_not_fit_are_refused_before_anything_is_stored() {
    let (_data, engine, handle) = engine().await;
    let connection = plant(&handle).await;
    handle.save_definition(None, calibrate()).await.unwrap();
    let check = async |args: Value, expected: &str| {
        let failure = handle.send(asking(&connection, "calibrate", args)).await.unwrap_err();
        assert_eq!((failure.code, &*failure.message), (FailureCode::Invalid, expected));
    };
    check(
        json!({"level": 11}),
        "The arguments do not match the schema of calibrate: level: 11 is greater than the maximum of 10.",
    )
    .await;
    check(json!({}), "The arguments do not match the schema of calibrate: \"level\" is a required property.").await;
    let history = handle.history(serde_json::from_value(json!({"states": [], "limit": 10})).unwrap()).await.unwrap();
    assert_eq!(history.total, 0);
    // What nobody has described goes out as it is.
    handle.send(asking(&connection, "reboot", json!({"level": 11}))).await.unwrap();
    engine.stop().await;
}

#[tokio::test]
async fn invalid_messages_are_not_kept() {
    let (_data, engine, handle) = engine().await;
    let entry = handle.save_definition(None, calibrate()).await.unwrap();
    let check = async |id: Option<&str>, change: &dyn Fn(&mut CommandDefinition), part: &str| {
        let mut described = calibrate();
        change(&mut described);
        let failure = handle.save_definition(id.map(str::to_owned), described).await.unwrap_err();
        assert!(failure.message.contains(part), "{part}: {}", failure.message);
    };
    check(None, &|_| {}, "A command 'calibrate' already exists").await;
    check(None, &|new| new.name = "led".into(), "'led' is a built-in command").await;
    check(None, &|new| new.schema = json!({"type": 7}).into(), "The schema does not describe an object").await;
    check(None, &|new| new.schema = json!({"properties": []}).into(), "This is not a valid JSON Schema").await;
    let twice = r#"{"properties":{"level":{"minimum":1,"minimum":2}}}"#;
    let why = "The key \"minimum\" occurs twice in 'properties.level'. Give it once.";
    check(None, &|new| new.schema = twice.to_owned().into(), why).await;
    check(None, &|new| new.payload = Some("{args.level".into()), "does not produce JSON").await;
    check(
        None,
        &|new| {
            new.schema = json!({"properties": {"percent": {}, "who": {}}, "additionalProperties": false}).into();
            new.payload = Some(r#"{"open":{args.percant}}"#.into());
        },
        "The schema has no argument 'percant'. Available: percent, who.",
    )
    .await;
    check(None, &|new| new.topic = Some("#".into()), "does not contain {device}").await;
    check(None, &|new| new.connection = Some("nowhere".into()), "There is no connection 'nowhere'").await;
    check(Some("led"), &|_| {}, "There is no command of your own 'led'").await;
    handle.save_definition(Some(entry.id.clone()), calibrate()).await.unwrap();
    handle.remove_definition(&entry.id).await.unwrap();
    assert_eq!(names(&handle).await, Vec::<String>::new());
    let failure = handle.remove_definition("led").await.unwrap_err();
    assert_eq!(failure.code, FailureCode::NotFound);
    engine.stop().await;
}

#[tokio::test]
async fn a_preview_shows_what_would_go_out_and_all_that_is_wrong() {
    let (_data, engine, handle) = engine().await;
    let described = CommandDefinition { payload: Some(r#"{"level":{args.level}}"#.into()), ..calibrate() };
    let shown = async |definition: CommandDefinition, device: Option<&str>, args: Option<Value>| {
        let device = device.map(str::to_owned);
        handle
            .preview_command(CommandToPreview { definition, connection: None, device, args: args.map(Into::into) })
            .await
            .unwrap()
    };
    let preview = shown(described.clone(), Some("pump-7"), None).await;
    assert_eq!((preview.topic.as_str(), preview.payload.as_str()), ("pump-7/req", r#"{"level":1}"#));
    assert!(!preview.carries_id && preview.problems.is_empty() && preview.remarks.is_empty());
    let optional = json!({"type": "object", "properties": {"level": {"type": "number"}}});
    let remarked = shown(CommandDefinition { schema: optional.into(), ..described.clone() }, None, None).await;
    assert!(remarked.problems.is_empty());
    assert_eq!(remarked.remarks, ["Sent as null if left empty: level."]);
    let wrong = shown(described.clone(), None, Some(json!({"level": "x"}))).await;
    assert_eq!(wrong.problems, ["The arguments do not match the schema: level: \"x\" is not of type \"number\"."]);
    let broken = CommandDefinition { name: "led".into(), schema: json!([]).into(), ..described };
    assert_eq!(shown(broken, None, None).await.problems.len(), 2);
    engine.stop().await;
}

fn changes(lines: &[crate::api::ImportLine]) -> Vec<(&str, ImportChange)> {
    lines.iter().map(|line| (line.name.as_str(), line.change)).collect()
}

#[tokio::test]
async fn commands_travel_as_a_file_and_overwrite_nothing_unasked() {
    let (data, here, handle) = engine().await;
    let connection = plant(&handle).await;
    let of_plant = CommandDefinition { name: "flush".into(), connection: Some(connection), ..calibrate() };
    for described in [calibrate(), CommandDefinition { name: "blink".into(), ..calibrate() }, of_plant] {
        handle.save_definition(None, described).await.unwrap();
    }
    let path = data.path().join("commands.json");
    handle.export_catalogue(&[], path.clone().into()).await.unwrap();
    let lines = handle.read_catalogue(path.clone()).await.unwrap();
    assert_eq!(changes(&lines), [("blink", Same), ("calibrate", Same), ("flush", Same)]);
    here.stop().await;

    let (_data, there, handle) = engine().await;
    let other = CommandDefinition { title: "Level out".into(), ..calibrate() };
    handle.save_definition(None, other).await.unwrap();
    let lines = handle.read_catalogue(path.clone()).await.unwrap();
    assert_eq!(changes(&lines), [("blink", New), ("calibrate", Changed), ("flush", Refused)]);
    assert_eq!(lines[2].why.as_deref(), Some("It belongs to the connection 'plant', which does not exist here."));
    assert_eq!(names(&handle).await, ["calibrate"], "looking changes nothing");
    let taken = handle.import_catalogue(path.clone(), &[]).await.unwrap();
    assert_eq!(changes(&taken), [("blink", New)]);
    let title = async || {
        handle
            .catalogue()
            .await
            .unwrap()
            .into_iter()
            .find(|entry| entry.id != entry.definition.name && entry.definition.name == "calibrate")
            .unwrap()
            .definition
            .title
    };
    assert_eq!(title().await, "Level out");
    let taken = handle.import_catalogue(path, &["calibrate".into()]).await.unwrap();
    assert_eq!((changes(&taken), title().await.as_str()), (vec![("calibrate", Changed)], "Calibrate"));
    there.stop().await;
}

fn level_3() -> CommandButton {
    CommandButton {
        id: String::new(),
        connection: None,
        label: "Level 3".into(),
        icon: "gauge".into(),
        command: "calibrate".into(),
        args: json!({"level": 3}).into(),
        no_answer: true,
    }
}

#[tokio::test]
async fn buttons_travel_with_the_commands_that_they_send() {
    let (data, here, handle) = engine().await;
    let connection = plant(&handle).await;
    let entry = handle.save_definition(None, calibrate()).await.unwrap();
    let of_plant = CommandButton { connection: Some(connection), label: "Dark".into(), ..level_3() };
    let of_led =
        CommandButton { label: "Bright".into(), command: "led".into(), args: json!({"on": true}).into(), ..level_3() };
    for button in [level_3(), of_plant, of_led] {
        handle.save_button(button).await.unwrap();
    }
    let (all, one) = (data.path().join("all.json"), data.path().join("one.json"));
    handle.export_catalogue(&[], all.clone().into()).await.unwrap();
    handle.export_catalogue(&[entry.id], one.clone().into()).await.unwrap();
    let lines = handle.read_catalogue(all.clone()).await.unwrap();
    assert_eq!(changes(&lines), [("calibrate", Same), ("Level 3", Same), ("Dark", Same), ("Bright", Same)]);
    let lines = handle.read_catalogue(one).await.unwrap();
    assert_eq!(changes(&lines), [("calibrate", Same), ("Level 3", Same), ("Dark", Same)]);
    here.stop().await;

    let (_data, there, handle) = engine().await;
    handle.save_button(CommandButton { icon: "play".into(), ..level_3() }).await.unwrap();
    let lines = handle.read_catalogue(all.clone()).await.unwrap();
    assert_eq!(changes(&lines), [("calibrate", New), ("Level 3", Changed), ("Dark", Refused), ("Bright", New)]);
    assert_eq!(lines[2].why.as_deref(), Some("It belongs to the connection 'plant', which does not exist here."));
    let taken = handle.import_catalogue(all.clone(), &[]).await.unwrap();
    assert_eq!(changes(&taken), [("calibrate", New), ("Bright", New)]);
    let kept = async || {
        let buttons = handle.buttons().await.unwrap();
        buttons.into_iter().map(|button| (button.label, button.icon, button.args)).collect::<Vec<_>>()
    };
    let bright = || ("Bright".to_owned(), "gauge".to_owned(), json!({"on": true}).into());
    let level = |icon: &str| ("Level 3".to_owned(), icon.to_owned(), json!({"level": 3}).into());
    assert_eq!(kept().await, [level("play"), bright()]);
    handle.import_catalogue(all, &["Level 3".into()]).await.unwrap();
    assert_eq!(kept().await, [level("gauge"), bright()]);
    there.stop().await;
}

#[tokio::test]
async fn rubbish_is_refused_with_a_sentence() {
    let (data, engine, handle) = engine().await;
    let check = async |content: &[u8], part: &str| {
        let path = data.path().join("file.json");
        fs::write(&path, content).unwrap();
        let failure = handle.read_catalogue(path.clone()).await.unwrap_err();
        assert_eq!(failure.code, FailureCode::File);
        assert!(failure.message.contains(part), "{part}: {}", failure.message);
        assert_eq!(handle.import_catalogue(path, &[]).await.unwrap_err(), failure);
    };
    check(b"", "is not a command catalogue").await;
    check(b"\xff\xfe", "is not a command catalogue").await;
    check(b"[]", "is not a command catalogue").await;
    check(br#"{"format":"wilco connections","version":1}"#, "is not a command catalogue").await;
    check(br#"{"format":"wilco commands","version":2,"commands":[]}"#, "newer version").await;
    check(br#"{"format":"wilco commands","version":1}"#, "is damaged: missing field `commands`").await;
    check(br#"{"format":"wilco commands","version":1,"commands":[{"title":"x"}]}"#, "missing field `name`").await;
    check(br#"{"format":"wilco commands","version":1,"commands":[],"buttons":[{}]}"#, "missing field `label`").await;
    check(&vec![b' '; 10 * 1024 * 1024], "too large").await;
    let missing = handle.read_catalogue(Path::new("/nowhere/at/all.json").to_owned()).await.unwrap_err();
    assert_eq!(missing.message, "The file /nowhere/at/all.json does not exist.");
    // What is wrong with one command does not keep out the others.
    let path = data.path().join("mixed.json");
    let commands = json!([{"name": "blink"}, {"name": "led"}, {"name": "blink"}, {"name": "flush", "schema": 7}]);
    let buttons =
        json!([{"label": "", "command": "blink"}, {"label": "a", "command": "b"}, {"label": "a", "command": "c"}]);
    let page = json!({"format": "wilco commands", "version": 1, "commands": commands, "buttons": buttons});
    fs::write(&path, page.to_string()).unwrap();
    let lines = handle.read_catalogue(path.clone()).await.unwrap();
    assert_eq!(
        changes(&lines),
        [
            ("blink", New),
            ("led", Refused),
            ("blink", Refused),
            ("flush", Refused),
            ("", Refused),
            ("a", New),
            ("a", Refused)
        ]
    );
    let mut refused = lines.iter().filter(|line| line.change == Refused);
    assert!(refused.all(|line| line.why.as_deref().is_some_and(|why| why.ends_with('.'))), "{lines:?}");
    handle.import_catalogue(path, &[]).await.unwrap();
    assert_eq!(names(&handle).await, ["blink"]);
    engine.stop().await;
}

#[tokio::test]
async fn buttons_are_kept_in_order_and_checked() {
    let (_data, engine, handle) = engine().await;
    let button = |label: &str| CommandButton { label: label.into(), ..level_3() };
    let first = handle.save_button(button("Level 3")).await.unwrap();
    let second = handle.save_button(button("Level 4")).await.unwrap();
    assert_eq!(first.label, "Level 3");
    handle.order_buttons(vec![second.id.clone(), first.id.clone()]).await.unwrap();
    assert_eq!(handle.buttons().await.unwrap(), [second.clone(), first.clone()]);
    handle.remove_button(&second.id).await.unwrap();
    assert_eq!(handle.remove_button(&second.id).await.unwrap_err().code, FailureCode::NotFound);
    let check = async |changed: CommandButton, part: &str| {
        let failure = handle.save_button(changed).await.unwrap_err();
        assert!(failure.message.contains(part), "{}", failure.message);
    };
    check(button(" "), "has no label").await;
    check(button(" Level 3"), "begins or ends with a space").await;
    check(button(&"x".repeat(41)), "at most 40 characters").await;
    check(CommandButton { icon: "unicorn".into(), ..button("a") }, "no icon named 'unicorn'").await;
    check(CommandButton { args: json!([1]).into(), ..button("a") }, "not a JSON object").await;
    check(CommandButton { command: " ".into(), ..button("a") }, "sends no command").await;
    engine.stop().await;
}

#[tokio::test]
async fn of_a_schema_without_an_end_nothing_is_made_up() {
    let (_data, engine, handle) = engine().await;
    let preview = async |schema: JsonText| {
        let definition = CommandDefinition { schema, ..calibrate() };
        handle
            .preview_command(CommandToPreview { definition, connection: None, device: None, args: None })
            .await
            .unwrap()
    };
    // With two at each level, forty levels of it would take longer than anybody lives.
    let tree =
        preview(json!({"type": "object", "properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}}).into()).await;
    assert_eq!(
        tree.problems,
        ["The schema is nested deeper than 40 levels, or part of it refers to itself."],
        "{}",
        tree.payload
    );
    assert!(!tree.drawable && tree.payload.contains(r#""args":{}"#), "{}", tree.payload);
    assert!(preview(calibrate().schema).await.drawable);
    engine.stop().await;
}
