#![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

use crate::{
    Handle,
    api::{DesiredConfig, DesiredFor, FailureCode, JsonText, NewDevice, NewRollout, RolloutTarget, SavedView},
    console::fixture::{engine, plant},
};

fn north() -> DesiredFor {
    DesiredFor::Tag { tag: "north".into() }
}

fn config(connection: &str, target: DesiredFor, values: &str) -> DesiredConfig {
    DesiredConfig { connection: connection.into(), target, values: JsonText::from(values.to_owned()), place: None }
}

async fn order(handle: &Handle, plant: &str) -> Vec<String> {
    handle.desired(plant).await.unwrap().into_iter().map(|view| view.name).collect()
}

#[tokio::test]
async fn wanted_values_are_saved_ordered_cleared_and_restored() {
    let (_data, _engine, handle) = engine().await;
    let plant = plant(&handle).await;
    let added = NewDevice { device: "a".into(), tags: vec!["north".into()], ..NewDevice::default() };
    handle.add_devices(&plant, vec![added]).await.unwrap();
    let values = r#"{"interval":9007199254740993,"limit":4.50}"#;
    let saved = handle.save_desired(config(&plant, north(), values)).await.unwrap();
    assert_eq!((saved.desired.values.as_str(), saved.desired.place), (values, Some(0)));
    assert_eq!((&*saved.name, &*saved.search, saved.unknown), ("north", "tag:north", 1));
    let view = SavedView { connection: plant.clone(), name: "All".into(), ..SavedView::default() };
    let view = handle.save_view(view).await.unwrap();
    let of_view = DesiredFor::View { view: view.id.clone() };
    handle.save_desired(config(&plant, of_view.clone(), r#"{"limit":5}"#)).await.unwrap();
    assert_eq!(order(&handle, &plant).await, ["north", "All"]);

    // The first one that names a key decides, and another case of the letters is the same tag.
    let first = DesiredConfig { place: Some(0), ..config(&plant, of_view.clone(), r#"{"limit":5}"#) };
    handle.save_desired(first).await.unwrap();
    assert_eq!(order(&handle, &plant).await, ["All", "north"]);
    let spaced = config(&plant, DesiredFor::Tag { tag: " NORTH ".into() }, r#"{"limit":4}"#);
    assert!(handle.save_desired(spaced).await.unwrap_err().message.contains("begins or ends with a space"));
    let other_case = DesiredFor::Tag { tag: "NORTH".into() };
    let changed = handle.save_desired(config(&plant, other_case, r#"{"limit":4}"#)).await.unwrap();
    assert_eq!((&*changed.name, changed.desired.place), ("north", Some(1)));
    assert_eq!(changed.overruled.len(), 1);
    assert_eq!(changed.overruled[0].by, "All");

    let cleared = handle.clear_desired(&plant, of_view.clone()).await.unwrap();
    assert_eq!(order(&handle, &plant).await, ["north"]);
    let gone = handle.clear_desired(&plant, of_view).await.unwrap_err();
    assert_eq!(gone.code, FailureCode::NotFound);
    handle.save_desired(cleared).await.unwrap();
    assert_eq!(order(&handle, &plant).await, ["All", "north"]);

    // A view that it is for can be neither removed nor made to depend on it.
    let refused = handle.remove_view(&view.id).await.unwrap_err();
    assert_eq!(refused.message, "This view has a desired configuration.");
    let circular = SavedView { search: "desired:differs".into(), ..view };
    let refused = handle.save_view(circular).await.unwrap_err();
    assert!(refused.message.contains("searches with desired:"), "{refused}");
    handle.remove_connection(&plant).await.unwrap();
    assert_eq!(handle.store.desired(&plant.as_str().into()).await.unwrap(), []);
}

#[tokio::test]
async fn invalid_wanted_values_are_refused_with_a_message() {
    let (_data, _engine, handle) = engine().await;
    let plant = plant(&handle).await;
    let check = async |target: DesiredFor, values: &str, part: &str| {
        let refused = handle.save_desired(config(&plant, target, values)).await.unwrap_err();
        assert!(refused.message.contains(part), "{refused}");
    };
    check(north(), "{}", "There are no wanted values.").await;
    check(north(), "[1]", "not a JSON object").await;
    check(north(), r#"{"a":1,"a":2}"#, "The key \"a\" occurs twice").await;
    let many: Vec<_> = (0..101).map(|key| format!("\"k{key}\":1")).collect();
    check(north(), &format!("{{{}}}", many.join(",")), "not 101 keys").await;
    check(DesiredFor::Tag { tag: "x".repeat(10_000) }, r#"{"a":1}"#, "10,000 characters").await;
    check(DesiredFor::View { view: "nobody".into() }, r#"{"a":1}"#, "nobody").await;
    let view = SavedView {
        connection: plant.clone(),
        name: "Odd".into(),
        search: "desired:unknown".into(),
        ..SavedView::default()
    };
    let view = handle.save_view(view).await.unwrap();
    check(DesiredFor::View { view: view.id }, r#"{"a":1}"#, "The view 'Odd' searches with desired:").await;
    assert!(handle.desired(&plant).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_rollout_applies_the_desired_configuration_to_devices_that_differ() {
    let (_data, _engine, handle) = engine().await;
    let plant = plant(&handle).await;
    let spec = |unknown: bool| NewRollout {
        connection: plant.clone(),
        target: RolloutTarget::Desired { search: String::new(), unknown },
        ..NewRollout::default()
    };
    let nothing = handle.plan_rollout(spec(false)).await.unwrap_err();
    assert_eq!(nothing.message, "These devices have no desired configuration.");
    let added = ["a", "b"].map(|device| NewDevice {
        device: device.into(),
        tags: vec!["north".into()],
        ..NewDevice::default()
    });
    handle.add_devices(&plant, added.to_vec()).await.unwrap();
    handle.save_desired(config(&plant, north(), r#"{"limit":4.50}"#)).await.unwrap();
    // Nobody has reported anything.
    let plan = handle.plan_rollout(spec(false)).await.unwrap();
    assert_eq!(
        (plan.members, plan.unreported, &plan.unreported_examples[..]),
        (0, 2, &["a".to_owned(), "b".to_owned()][..])
    );
    assert_eq!(plan.remarks[0], "No device is known to differ, and 2 devices have not reported a configuration: a, b.");
    let refused = handle.start_rollout(spec(false)).await.unwrap_err();
    assert_eq!(refused.message, plan.remarks[0]);
    let plan = handle.plan_rollout(spec(true)).await.unwrap();
    assert_eq!((plan.members, plan.unreported), (2, 2));
    assert!(plan.samples[0].request.payload.contains(r#""changes":{"limit":4.50},"apply":"now""#), "{plan:?}");
    let started = handle.start_rollout(spec(true)).await.unwrap();
    assert_eq!((started.members, started.spec.command.name.as_str()), (2, "config.set"));
    assert_eq!(started.spec.name.as_deref(), Some("Apply desired configuration"));
}
