//! The only clock. All other modules receive the time as an argument.
//!
//! Its time never goes backwards while a command waits. It starts at the wall clock's time and advances with a steady
//! clock, including time in sleep; a step of the wall clock does not move it. So setting the computer's clock neither
//! times a command out nor prolongs it, nor changes the durations in the history. The next run continues with the same
//! steady clock if the computer has not been restarted ([`Anchor`]); otherwise it continues at least where the last run
//! was, or at the wall clock's time if that is later.
//!
//! Users see this time as the wall clock's. When the two differ, it is corrected as soon as nothing depends on it
//! ([`Clock::set_right`]).

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use wilco_ledger::{Millis, Timestamp};
use wilco_store::Anchor;

/// A sleep of less than this leaves connections as they were.
const NAP: i64 = 5_000;
/// A wall clock that differs by less is not followed.
const APART: i64 = 2_000;

/// The clock. All copies show the same time, also after a sleep that another copy was told about.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    /// The time when `source` began to count.
    start: Arc<AtomicI64>,
    /// How much sleep is in it, milliseconds.
    slept: Arc<AtomicI64>,
    source: Source,
}

/// The computer's clocks.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// The computer's clocks since the start, shifted by an offset.
    Computer(ClockStart, ClockShift),
    /// The time of a test.
    #[cfg(test)]
    Played(Arc<tests::Played>),
}

/// The offset of the computer's clocks for an engine that is tested in a separate process. The app and the command line
/// never change it. All copies are equal.
#[derive(Debug, Clone, Default)]
pub struct ClockShift {
    wall: Arc<AtomicI64>,
    asleep: Arc<AtomicI64>,
}

impl ClockShift {
    /// Sets the total by which the wall clock was changed, and the total time that the computer has slept,
    /// milliseconds.
    pub fn set(&self, wall: i64, asleep: i64) {
        self.wall.store(wall, Relaxed);
        self.asleep.store(asleep, Relaxed);
    }

    fn slept(&self) -> i64 {
        self.asleep.load(Relaxed)
    }

    /// The shift of the wall clock, which advances during sleep.
    fn of_wall(&self) -> i64 {
        self.wall.load(Relaxed).saturating_add(self.slept())
    }
}

/// When a source began to count: by the standard library's steady clock, which stands still in sleep except on Windows, and
/// by one that does not, milliseconds; `None` where there is no need of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClockStart {
    awake: Instant,
    continuous: Option<i64>,
}

impl Clock {
    /// A clock that continues where the run before ended: `anchor` is what it kept, `newest` when the last thing happened that
    /// is known of it.
    #[must_use]
    pub(crate) fn start(source: Source, anchor: Option<&Anchor>, newest: Option<Timestamp>) -> Clock {
        let (wall, boot, since_boot) = (source.wall(), source.boot(), source.since_boot());
        let start = match (anchor, since_boot) {
            (Some(anchor), Some(since_boot)) if boot.as_ref() == Some(&anchor.boot) => {
                anchor.at_boot.saturating_add(since_boot)
            }
            // Whatever happened before this start of the computer did so at least that long ago.
            (Some(_), Some(since_boot)) if boot.is_some() => {
                wall.max(newest.map_or(wall, |newest| newest.0.saturating_add(since_boot)))
            }
            _ => wall.max(newest.map_or(wall, |newest| newest.0)),
        };
        let slept = source.asleep().unwrap_or(0);
        Clock { start: Arc::new(AtomicI64::new(start)), slept: Arc::new(AtomicI64::new(slept)), source }
    }

    /// The time. Never goes back but by [`Clock::set_right`].
    #[must_use]
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp(self.start.load(Relaxed).saturating_add(self.source.awake()))
    }

    /// The computer's clock, which may be set at any time. For times of day that users enter. Never compare it with
    /// [`Clock::now`].
    #[must_use]
    pub(crate) fn wall(&self) -> Timestamp {
        Timestamp(self.source.wall())
    }

    /// How far the computer's clock is ahead of this one, milliseconds; negative where it is behind.
    #[must_use]
    pub(crate) fn apart(&self) -> i64 {
        self.source.wall().saturating_sub(self.now().0)
    }

    /// Takes in the time that the computer has slept. Says how long that was, if it was long enough for connections to
    /// have ended.
    pub(crate) fn catch_up(&self) -> Option<Millis> {
        let asleep = self.source.asleep()?;
        // The two clocks are read one after the other, so their difference may be a little less than it was. That is not
        // counted a second time.
        let more = asleep.saturating_sub(self.slept.fetch_max(asleep, Relaxed)).max(0);
        self.start.fetch_add(more, Relaxed);
        (more >= NAP).then(|| Millis(more.unsigned_abs()))
    }

    /// Sets the time by the wall clock where the two have come apart. Says by how many milliseconds, negative where it was
    /// set back. Only while nothing waits for a time.
    pub(crate) fn set_right(&self) -> Option<i64> {
        let apart = self.apart();
        if apart.abs() < APART {
            return None;
        }
        self.start.fetch_add(apart, Relaxed);
        Some(apart)
    }

    /// Its position on the computer's steady clock; `None` if restarts of the computer cannot be recognised.
    #[must_use]
    pub(crate) fn anchor(&self) -> Option<Anchor> {
        let (boot, since_boot) = (self.source.boot()?, self.source.since_boot()?);
        Some(Anchor { boot, at_boot: self.now().0.saturating_sub(since_boot) })
    }
}

impl Source {
    pub(crate) fn computer() -> Source {
        Source::shifted(ClockShift::default())
    }

    /// The computer's clocks, moved.
    #[expect(clippy::disallowed_methods, reason = "this is the one clock")]
    pub(crate) fn shifted(shift: ClockShift) -> Source {
        Source::Computer(ClockStart { awake: Instant::now(), continuous: continuous() }, shift)
    }

    /// Unix milliseconds by the wall clock.
    fn wall(&self) -> i64 {
        match self {
            Source::Computer(_, shift) => wall().saturating_add(shift.of_wall()),
            #[cfg(test)]
            Source::Played(played) => played.wall.load(Relaxed),
        }
    }

    /// Milliseconds that the computer has been awake since the source was created.
    #[expect(clippy::disallowed_methods, reason = "this is the one clock")]
    fn awake(&self) -> i64 {
        match self {
            Source::Computer(began, _) => milliseconds(Instant::now().duration_since(began.awake)),
            #[cfg(test)]
            Source::Played(played) => played.awake.load(Relaxed),
        }
    }

    /// Milliseconds that the computer has slept since some moment before the clock started; `None` if the steady clock
    /// includes sleep (Windows).
    fn asleep(&self) -> Option<i64> {
        match self {
            Source::Computer(began, shift) => {
                let all = continuous()?.saturating_sub(began.continuous?);
                Some(all.saturating_sub(self.awake()).saturating_add(shift.slept()))
            }
            #[cfg(test)]
            Source::Played(played) => Some(played.asleep.load(Relaxed)),
        }
    }

    /// Milliseconds since the computer's start, including sleep. Only meaningful if [`Source::boot`] returns a value.
    fn since_boot(&self) -> Option<i64> {
        match self {
            Source::Computer(_, shift) => Some(continuous()?.saturating_add(shift.slept())),
            #[cfg(test)]
            Source::Played(played) => {
                Some(played.since_boot.load(Relaxed) + played.awake.load(Relaxed) + played.asleep.load(Relaxed))
            }
        }
    }

    /// Identifies this start of the computer.
    fn boot(&self) -> Option<String> {
        match self {
            Source::Computer(..) => boot(),
            #[cfg(test)]
            Source::Played(played) => Some(played.boot.to_owned()),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one clock")]
fn wall() -> i64 {
    milliseconds(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn milliseconds(length: std::time::Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}

/// A steady clock that counts sleep, milliseconds. On Linux it begins with the computer's start.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn continuous() -> Option<i64> {
    #[cfg(target_os = "linux")]
    let clock = rustix::time::ClockId::Boottime;
    // "Will continue to increment while the system is asleep": clock_gettime(3) of macOS. The standard library reads
    // CLOCK_UPTIME_RAW, which does not.
    #[cfg(target_vendor = "apple")]
    let clock = rustix::time::ClockId::Monotonic;
    let time = rustix::time::clock_gettime(clock);
    Some(time.tv_sec.saturating_mul(1_000).saturating_add(time.tv_nsec / 1_000_000))
}

/// The standard library's steady clock counts sleep on Windows.
#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn continuous() -> Option<i64> {
    None
}

#[cfg(target_os = "linux")]
fn boot() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned()).filter(|id| !id.is_empty())
}

#[cfg(not(target_os = "linux"))]
fn boot() -> Option<String> {
    None
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    };

    use wilco_ledger::{Millis, Timestamp};

    use super::{Anchor, Clock, ClockShift, Source};

    const HOUR: i64 = 3_600_000;
    const DAY: i64 = 24 * HOUR;
    /// A wall clock that is right.
    const NOON: i64 = 1_795_438_800_000;

    /// A computer's clocks as a test sets them, milliseconds.
    #[derive(Debug)]
    pub(crate) struct Played {
        pub(crate) wall: AtomicI64,
        pub(crate) awake: AtomicI64,
        pub(crate) asleep: AtomicI64,
        /// At the beginning.
        pub(crate) since_boot: AtomicI64,
        pub(crate) boot: &'static str,
    }

    impl Played {
        pub(crate) fn at(boot: &'static str, since_boot: i64, wall: i64) -> Arc<Played> {
            Arc::new(Played {
                wall: wall.into(),
                awake: 0.into(),
                asleep: 0.into(),
                since_boot: since_boot.into(),
                boot,
            })
        }

        pub(crate) fn pass(&self, length: i64) {
            self.wall.fetch_add(length, Relaxed);
            self.awake.fetch_add(length, Relaxed);
        }

        fn sleep(&self, length: i64) {
            self.wall.fetch_add(length, Relaxed);
            self.asleep.fetch_add(length, Relaxed);
        }

        pub(crate) fn step(&self, length: i64) {
            self.wall.fetch_add(length, Relaxed);
        }
    }

    fn started(played: &Arc<Played>, anchor: Option<&Anchor>, newest: Option<i64>) -> Clock {
        Clock::start(Source::Played(Arc::clone(played)), anchor, newest.map(Timestamp))
    }

    #[test]
    fn a_step_of_the_wall_clock_is_no_elapsed_time_and_sleep_is() {
        let played = Played::at("a", HOUR, NOON);
        let clock = started(&played, None, None);
        let copy = clock.clone();
        played.pass(1_000);
        played.step(DAY);
        assert_eq!((clock.catch_up(), copy.now().0), (None, NOON + 1_000));
        played.step(-2 * DAY);
        played.pass(1_000);
        assert_eq!((clock.catch_up(), copy.now().0), (None, NOON + 2_000));
        played.sleep(HOUR);
        assert_eq!((clock.catch_up(), copy.now().0), (Some(Millis(3_600_000)), NOON + 2_000 + HOUR));
        played.sleep(1_000);
        assert_eq!((clock.catch_up(), copy.now().0), (None, NOON + 3_000 + HOUR));
    }

    #[test]
    fn sleep_is_counted_once_however_its_length_is_rounded() {
        let played = Played::at("a", HOUR, NOON);
        let clock = started(&played, None, None);
        played.sleep(HOUR);
        assert_eq!(clock.catch_up(), Some(Millis(3_600_000)));
        // The difference of two clocks that are read one after the other is now and then a millisecond less.
        for _ in 0..1_000 {
            played.asleep.fetch_sub(1, Relaxed);
            assert_eq!(clock.catch_up(), None);
            played.asleep.fetch_add(1, Relaxed);
            assert_eq!(clock.catch_up(), None);
        }
        assert_eq!(clock.now().0, NOON + HOUR);
    }

    #[test]
    fn time_goes_on_between_two_runs_of_one_start_of_the_computer_whatever_the_wall_clock_says() {
        for step in [-DAY, DAY] {
            let first = Played::at("a", HOUR, NOON);
            let clock = started(&first, None, None);
            first.pass(5_000);
            let anchor = clock.anchor();
            // Two seconds pass, and the clock is set.
            let second = Played::at("a", HOUR + 7_000, NOON + 7_000 + step);
            let clock = started(&second, anchor.as_ref(), Some(NOON));
            assert_eq!(clock.now().0, NOON + 7_000);
            assert_eq!(clock.anchor(), anchor);
        }
    }

    #[test]
    fn after_another_start_of_the_computer_time_does_not_go_back() {
        let anchor = Anchor { boot: "a".to_owned(), at_boot: NOON - HOUR };
        let check = |wall: i64, newest: Option<i64>, expected: i64| {
            let clock = started(&Played::at("b", 30_000, wall), Some(&anchor), newest);
            assert_eq!(clock.now().0, expected);
        };
        check(NOON + HOUR, Some(NOON), NOON + HOUR);
        // The wall clock begins in 1970, as on a computer without a battery for it.
        check(30_000, Some(NOON), NOON + 30_000);
        check(30_000, None, 30_000);
    }

    #[test]
    fn it_is_set_right_when_told_to_and_only_where_that_is_worth_it() {
        let played = Played::at("a", HOUR, NOON);
        let clock = started(&played, None, None);
        played.step(1_900);
        assert_eq!(clock.set_right(), None);
        played.step(-DAY);
        assert_eq!(clock.set_right(), Some(1_900 - DAY));
        assert_eq!(clock.now().0, NOON + 1_900 - DAY);
        let anchor = clock.anchor();
        assert_eq!(anchor.map(|anchor| anchor.at_boot), Some(NOON + 1_900 - DAY - HOUR));
    }

    #[test]
    fn the_computers_clocks_can_be_read() {
        let clock = Clock::start(Source::computer(), None, None);
        assert!((clock.now().0 - clock.source.wall()).abs() < 2_000);
        assert_eq!(clock.catch_up(), None);
        // Where the steady clock stands still in sleep, there is another one, and both agree while the computer is awake.
        assert_eq!(clock.source.asleep().is_some(), !cfg!(windows));
        assert!(clock.source.asleep().unwrap_or_default().abs() < 1_000);
        if cfg!(target_os = "linux") {
            let anchor = clock.anchor().expect("a boot id");
            let next = Clock::start(Source::computer(), Some(&anchor), None);
            assert!((next.now().0 - clock.now().0).abs() < 2_000);
        }
    }

    #[test]
    fn the_computers_clocks_can_be_moved_for_a_test() {
        let shift = ClockShift::default();
        let clock = Clock::start(Source::shifted(shift.clone()), None, None);
        let began = clock.now().0;
        shift.set(-DAY, 0);
        assert_eq!(clock.catch_up(), None, "a step of the wall clock is no sleep");
        assert!((clock.apart() + DAY).abs() < 2_000 && clock.now().0 - began < 2_000);
        shift.set(-DAY, HOUR);
        if cfg!(windows) {
            return;
        }
        assert!(clock.catch_up().is_some_and(|slept| slept.0.abs_diff(3_600_000) < 2_000));
        assert!((clock.now().0 - began - HOUR).abs() < 2_000);
        // The next run of the same computer continues where this one was.
        let next = Clock::start(Source::shifted(shift), clock.anchor().as_ref(), None);
        assert!((next.now().0 - clock.now().0).abs() < 2_000);
    }
}
