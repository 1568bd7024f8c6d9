//! The app in its real window, used and read as a user would.

mod accessible;
mod demo;
mod describe;
mod desktop;
mod evidence;
mod fleet;
mod floods;
mod forget;
mod import;
mod keyboard;
mod kit;
mod main_job;
mod manage;
mod other_firmware;
mod pictures;
mod preflight;
mod proof;
mod trouble;
mod unsaved;
mod warnings;
mod ways;
mod whole_device;

use std::time::Duration;

use wilco_tests::Ended;

/// How long something may take that a person waits for.
const SHORT: Duration = Duration::from_secs(10);

/// That a command ended as the person wished, and was the one that they meant.
fn check(end: Ended, title: &str) -> Ended {
    assert_eq!((end.title.as_str(), end.state.as_str()), (title, "succeeded"), "{}", end.ladder);
    end
}
