//! A disk that is full or slow on demand, for the database of this process: a VFS with two methods of its own in front of
//! the system's.

#![expect(unsafe_code, reason = "the interface of a VFS is C")]

use std::ffi::{c_char, c_int, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};
use rusqlite::ffi::{self, sqlite3_file, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs};

/// Every write is refused for lack of room.
static FULL: AtomicBool = AtomicBool::new(false);
/// How much longer each sync takes, milliseconds.
static SLOWER: AtomicU64 = AtomicU64::new(0);
/// The system's VFS.
static SYSTEM: OnceLock<System> = OnceLock::new();
/// The system's methods of a file.
static BELOW: OnceLock<sqlite3_io_methods> = OnceLock::new();

struct System(*mut sqlite3_vfs);

// SAFETY: it is only read, and SQLite itself shares it between threads.
unsafe impl Sync for System {}
// SAFETY: as above.
unsafe impl Send for System {}

/// How the disk is from now on.
pub(crate) fn set(full: bool, slower_ms: u64) {
    FULL.store(full, Relaxed);
    SLOWER.store(slower_ms, Relaxed);
}

/// Puts it in front of the system's VFS. To be called once, before a database is opened.
pub(crate) fn register() -> Result<()> {
    // SAFETY: the system's VFS lives as long as the process, and so does what is leaked here.
    let registered = unsafe {
        ffi::sqlite3_initialize();
        let system = ffi::sqlite3_vfs_find(std::ptr::null());
        ensure!(!system.is_null() && SYSTEM.set(System(system)).is_ok(), "there is no VFS, or it was replaced before");
        let mut ours = *system;
        ours.pNext = std::ptr::null_mut();
        ours.zName = c"faulty".as_ptr();
        ours.xOpen = Some(open);
        let ours: &'static mut sqlite3_vfs = Box::leak(Box::new(ours));
        ffi::sqlite3_vfs_register(ours, 1)
    };
    ensure!(registered == ffi::SQLITE_OK, "the VFS cannot be registered: {registered}");
    Ok(())
}

unsafe extern "C" fn open(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: the arguments are SQLite's own. The file stays the system's in all but its table of methods, which lives as
    // long as the process.
    unsafe {
        let Some(System(system)) = SYSTEM.get() else { return ffi::SQLITE_CANTOPEN };
        let Some(open) = (**system).xOpen else { return ffi::SQLITE_CANTOPEN };
        let opened = open(*system, name, file, flags, out);
        if opened == ffi::SQLITE_OK && !(*file).pMethods.is_null() {
            let below = *(*file).pMethods;
            BELOW.get_or_init(|| below);
            let ours = sqlite3_io_methods { xWrite: Some(write), xSync: Some(sync), ..below };
            (*file).pMethods = Box::leak(Box::new(ours));
        }
        opened
    }
}

unsafe extern "C" fn write(file: *mut sqlite3_file, from: *const c_void, amount: c_int, at: sqlite3_int64) -> c_int {
    if FULL.load(Relaxed) {
        return ffi::SQLITE_FULL;
    }
    match BELOW.get().and_then(|below| below.xWrite) {
        // SAFETY: the file is the system's, and the arguments are SQLite's own.
        Some(write) => unsafe { write(file, from, amount, at) },
        None => ffi::SQLITE_IOERR,
    }
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    thread::sleep(Duration::from_millis(SLOWER.load(Relaxed)));
    match BELOW.get().and_then(|below| below.xSync) {
        // SAFETY: as above.
        Some(sync) => unsafe { sync(file, flags) },
        None => ffi::SQLITE_IOERR,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use rusqlite::Connection;

    #[test]
    fn a_full_disk_refuses_writes_and_a_slow_one_takes_its_time() {
        super::register().expect("registered once");
        let directory = tempfile::tempdir().expect("a directory");
        let database = Connection::open(directory.path().join("database")).expect("opened");
        database.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).expect("a log");
        database.pragma_update(None, "synchronous", "FULL").expect("synced");
        database.execute_batch("CREATE TABLE numbers (number INTEGER)").expect("room");
        let insert = || database.execute("INSERT INTO numbers VALUES (1)", []);
        super::set(true, 0);
        let refused = insert().expect_err("it is full");
        assert_eq!(refused.sqlite_error_code(), Some(rusqlite::ErrorCode::DiskFull));
        super::set(false, 200);
        let began = Instant::now();
        insert().expect("room again");
        assert!(began.elapsed() >= Duration::from_millis(200), "{:?}", began.elapsed());
        super::set(false, 0);
        let count: i64 = database.query_row("SELECT count(*) FROM numbers", [], |row| row.get(0)).expect("a number");
        assert_eq!(count, 1);
    }
}
