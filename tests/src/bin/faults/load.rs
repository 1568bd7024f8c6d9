//! How busy the computer is: so many runs are under way as it has room for, and none fails because it was slow.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How often it is measured.
const TICK: Duration = Duration::from_millis(20);
/// The idle part of the cores is that of the last so many ticks.
const TICKS: u32 = 50;
/// There is room for a further run while so much of all cores is idle, in thousandths,
const IDLE: u64 = 150;
/// and so much memory is free, kB.
const FREE_MEMORY: u64 = 1024 * 1024;
/// How often a run that waits for room asks for it.
const ASK: Duration = Duration::from_millis(100);
/// A run has begun its work after so long, which the next one waits for; the shorter, the more cores there are.
const BETWEEN_STARTS: Duration = Duration::from_millis(500);

/// Measures the computer's load until it is dropped.
pub(crate) struct Load {
    measured: Arc<Measured>,
}

#[derive(Default)]
struct Measured {
    /// See [`Load::time`], microseconds.
    time: AtomicU64,
    /// The idle part of all cores, thousandths. All of it where that is unknown.
    idle: AtomicU64,
    ended: AtomicBool,
}

impl Load {
    pub(crate) fn measure() -> Load {
        let measured = Arc::new(Measured { idle: AtomicU64::new(1_000), ..Measured::default() });
        let shared = Arc::clone(&measured);
        thread::spawn(move || shared.keep_measuring());
        Load { measured }
    }

    /// Time that runs slower than the clock while there is more to do than cores to do it. Every limit after which a run has
    /// failed is measured by it, so that an overloaded computer is waited for and no run fails because of it.
    pub(crate) fn time(&self) -> Duration {
        Duration::from_micros(self.measured.time.load(Relaxed))
    }

    /// A further run would find room.
    fn has_room(&self) -> bool {
        self.measured.idle.load(Relaxed) >= IDLE && free_memory().is_none_or(|free| free >= FREE_MEMORY)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.measured.ended.store(true, Relaxed);
    }
}

impl Measured {
    fn keep_measuring(&self) {
        let cores = cores() as u64;
        let mut before = processor_times();
        for tick in 1_u32.. {
            if self.ended.load(Relaxed) {
                return;
            }
            thread::sleep(TICK);
            // This thread wakes up late on an overloaded computer, and then counts one tick only.
            let runnable = runnable().unwrap_or(0).max(cores).max(1);
            self.time.fetch_add(TICK.as_micros() as u64 * cores / runnable, Relaxed);
            if tick % TICKS == 0 {
                let now = processor_times();
                if let (Some((idle, all)), Some((idle_before, all_before))) = (now, before) {
                    let idle = idle.saturating_sub(idle_before) * 1_000;
                    self.idle.store(idle / all.saturating_sub(all_before).max(1), Relaxed);
                }
                before = now;
            }
        }
    }
}

/// Lets a run begin when there is room for it.
pub(crate) struct Turns<'a> {
    load: &'a Load,
    /// So many at most at the same time.
    most: usize,
    running: Mutex<Running>,
    changed: Condvar,
}

#[derive(Default)]
struct Running {
    runs: usize,
    /// One that measures the console, with nothing beside it.
    alone: bool,
    last_start: Option<Instant>,
}

/// A run that is under way until this is dropped.
pub(crate) struct Turn<'a> {
    turns: &'a Turns<'a>,
}

impl<'a> Turns<'a> {
    pub(crate) fn new(load: &'a Load, most: usize) -> Turns<'a> {
        Turns { load, most, running: Mutex::default(), changed: Condvar::new() }
    }

    /// Waits until a run may begin. `alone`: nothing else runs at the same time.
    pub(crate) fn wait(&'a self, alone: bool) -> Turn<'a> {
        let between = BETWEEN_STARTS / u32::try_from(cores()).unwrap_or(1);
        let mut running = self.lock();
        while !running.may_start(alone, self.most, between, || self.load.has_room()) {
            running = self.changed.wait_timeout(running, ASK).unwrap_or_else(PoisonError::into_inner).0;
        }
        running.runs += 1;
        running.alone = alone;
        running.last_start = Some(Instant::now());
        Turn { turns: self }
    }

    /// How many are under way.
    pub(crate) fn running(&self) -> usize {
        self.lock().runs
    }

    fn lock(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    /// One for each core is always under way, however busy the computer is with other things.
    fn may_start(&self, alone: bool, most: usize, between: Duration, has_room: impl Fn() -> bool) -> bool {
        if self.runs == 0 || alone {
            return self.runs == 0;
        }
        let is_begun = self.last_start.is_none_or(|at| at.elapsed() >= between);
        !self.alone && self.runs < most && is_begun && (self.runs < cores() || has_room())
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut running = self.turns.lock();
        running.runs -= 1;
        running.alone = false;
        drop(running);
        self.turns.changed.notify_all();
    }
}

pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Idle and total time of all cores since the computer's start, in the kernel's unit (proc_stat(5)).
fn processor_times() -> Option<(u64, u64)> {
    idle_and_all(&std::fs::read_to_string("/proc/stat").ok()?)
}

fn idle_and_all(stat: &str) -> Option<(u64, u64)> {
    let times = stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace();
    // The guests' times after the first eight are part of the first two.
    let times: Vec<u64> = times.take(8).map_while(|time| time.parse().ok()).collect();
    // Waiting for a disk is not work of the processor, and programs with a higher nice value give way.
    Some((times.get(1)? + times.get(3)? + times.get(4)?, times.iter().sum()))
}

/// How many threads run, or could (proc_loadavg(5)).
fn runnable() -> Option<u64> {
    runnable_of(&std::fs::read_to_string("/proc/loadavg").ok()?)
}

fn runnable_of(load: &str) -> Option<u64> {
    load.split_whitespace().nth(3)?.split_once('/')?.0.parse().ok()
}

/// What programs can still allocate, kB (proc_meminfo(5)).
fn free_memory() -> Option<u64> {
    available_of(&std::fs::read_to_string("/proc/meminfo").ok()?)
}

fn available_of(memory: &str) -> Option<u64> {
    let line = memory.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
    use std::thread;
    use std::time::{Duration, Instant};

    use super::{Load, Running, Turns, available_of, cores, idle_and_all, runnable_of};

    #[test]
    fn the_kernels_figures_are_read() {
        let stat = "cpu  60 40 50 700 50 0 10 90 30 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n";
        assert_eq!(idle_and_all(stat), Some((790, 1_000)));
        assert_eq!(runnable_of("0.20 0.18 0.12 3/512 11206\n"), Some(3));
        assert_eq!(available_of("MemTotal: 1000 kB\nMemAvailable:     960 kB\n"), Some(960));
        assert_eq!((idle_and_all(""), runnable_of(""), available_of("")), (None, None, None));
    }

    #[test]
    fn as_many_run_as_there_is_room_for_and_one_that_is_measured_runs_alone() {
        let busy = cores();
        let check = |runs, alone_runs, alone, since: Duration, has_room: bool, expected| {
            let last_start = Instant::now().checked_sub(since);
            let running = Running { runs, alone: alone_runs, last_start };
            let may_start = running.may_start(alone, busy + 2, Duration::from_secs(1), || has_room);
            assert_eq!(may_start, expected, "{runs} {alone_runs} {alone} {since:?} {has_room}");
        };
        let (just_now, long_ago) = (Duration::ZERO, Duration::from_secs(5));
        check(0, false, false, just_now, false, true);
        check(0, false, true, just_now, false, true);
        check(busy, false, false, long_ago, true, true);
        check(busy, false, false, long_ago, false, false);
        check(busy - 1, false, false, long_ago, false, true);
        check(busy, false, false, just_now, true, false);
        check(busy + 2, false, false, long_ago, true, false);
        check(1, false, true, long_ago, true, false);
        check(1, true, false, long_ago, true, false);
    }

    #[test]
    fn limits_are_waited_for_longer_on_an_overloaded_computer() {
        let load = Load::measure();
        let ended = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..cores() * 4 {
                scope.spawn(|| {
                    while !ended.load(Relaxed) {
                        std::hint::spin_loop()
                    }
                });
            }
            // Until all of them run.
            thread::sleep(Duration::from_millis(200));
            let (began, before) = (Instant::now(), load.time());
            thread::sleep(Duration::from_secs(1));
            let (took, counted) = (began.elapsed(), load.time() - before);
            ended.store(true, Relaxed);
            assert!(counted > Duration::ZERO && counted * 2 < took, "{counted:?} of {took:?}");
        });
    }

    #[test]
    fn a_turn_ends_with_its_value() {
        let load = Load::measure();
        let turns = Turns::new(&load, 1);
        for _ in 0..3 {
            let _turn = turns.wait(true);
            assert_eq!(turns.running(), 1);
        }
        assert_eq!(turns.running(), 0);
    }
}
