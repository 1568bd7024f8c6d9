//! A VFS on top of the system's that records the writes and syncs of SQLite below a directory, so that a test can
//! rebuild the disk as a power cut would leave it. Files elsewhere are passed to the system's VFS unchanged.

#![expect(unsafe_code, reason = "the interface of a VFS is C")]

use std::{
    ffi::{CStr, c_char, c_int, c_void},
    path::{Path, PathBuf},
    slice,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use rusqlite::ffi::{self, sqlite3_file, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs};

/// What happened to the files below a directory, in order.
#[derive(Debug, Clone)]
pub(super) enum Op {
    Write {
        file: PathBuf,
        at: usize,
        bytes: Vec<u8>,
    },
    Truncate {
        file: PathBuf,
        length: usize,
    },
    /// What was written to the file before is on the disk.
    Sync {
        file: PathBuf,
    },
    Delete {
        file: PathBuf,
    },
    /// What the test notes in between.
    Note(String),
}

/// The record of one directory.
#[derive(Debug, Default)]
pub(super) struct Record {
    directory: PathBuf,
    ops: Mutex<Vec<Op>>,
    is_full: AtomicBool,
}

impl Record {
    /// Takes down what happens below a directory from now on.
    pub(super) fn of(directory: &Path) -> Arc<Record> {
        register();
        let record = Arc::new(Record { directory: directory.to_owned(), ..Record::default() });
        locked(&RECORDS).push(Arc::clone(&record));
        record
    }

    /// There is no room for anything more, or there is again.
    pub(super) fn fill(&self, is_full: bool) {
        self.is_full.store(is_full, Ordering::Relaxed);
    }

    pub(super) fn note(&self, note: String) {
        self.push(Op::Note(note));
    }

    /// What has happened so far.
    pub(super) fn ops(&self) -> Vec<Op> {
        locked(&self.ops).clone()
    }

    fn push(&self, op: Op) {
        locked(&self.ops).push(op);
    }
}

static RECORDS: Mutex<Vec<Arc<Record>>> = Mutex::new(Vec::new());

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn record_of(file: &Path) -> Option<Arc<Record>> {
    // The log's index is rebuilt after a power cut.
    if file.extension().is_some_and(|extension| extension.to_string_lossy().ends_with("-shm")) {
        return None;
    }
    locked(&RECORDS).iter().find(|record| file.starts_with(&record.directory)).cloned()
}

/// A file that is recorded; the system's own follows it in memory.
#[repr(C)]
struct Recorded {
    base: sqlite3_file,
    /// Made by `Box::into_raw`, given back by `close`.
    of: *mut (Arc<Record>, PathBuf),
}

struct Vfs {
    ours: sqlite3_vfs,
    system: *mut sqlite3_vfs,
}

// SAFETY: both are only read after they were registered, and SQLite itself shares them between threads.
unsafe impl Sync for Vfs {}
// SAFETY: as above.
unsafe impl Send for Vfs {}

static VFS: OnceLock<&'static Vfs> = OnceLock::new();

/// Puts it in front of the system's VFS, once in a process.
fn register() {
    VFS.get_or_init(|| {
        // SAFETY: the system's VFS lives as long as the process, and so does what is leaked here.
        unsafe {
            ffi::sqlite3_initialize();
            let system = ffi::sqlite3_vfs_find(std::ptr::null());
            let mut ours = *system;
            ours.pNext = std::ptr::null_mut();
            ours.zName = c"recording".as_ptr();
            ours.szOsFile += c_int::try_from(size_of::<Recorded>()).unwrap_or(c_int::MAX);
            ours.xOpen = Some(open);
            ours.xDelete = Some(delete);
            let vfs: &'static mut Vfs = Box::leak(Box::new(Vfs { ours, system }));
            assert_eq!(ffi::sqlite3_vfs_register(&raw mut vfs.ours, 1), ffi::SQLITE_OK);
            vfs
        }
    });
}

fn system() -> *mut sqlite3_vfs {
    VFS.get().map_or(std::ptr::null_mut(), |vfs| vfs.system)
}

/// # Safety
/// `name` is a C string or null.
unsafe fn path(name: *const c_char) -> Option<PathBuf> {
    // SAFETY: as promised by the caller.
    (!name.is_null()).then(|| PathBuf::from(unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned()))
}

unsafe extern "C" fn open(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite hands over `szOsFile` bytes for the file, which is enough for both parts.
    unsafe {
        let system = system();
        let Some(open) = (*system).xOpen else { return ffi::SQLITE_CANTOPEN };
        let recorded = path(name).and_then(|path| Some((record_of(&path)?, path)));
        let Some(of) = recorded else { return open(system, name, file, flags, out) };
        let below = real(file);
        let opened = open(system, name, below, flags, out);
        let recorded = file.cast::<Recorded>();
        (*recorded).of = std::ptr::null_mut();
        (*recorded).base.pMethods = std::ptr::null();
        if opened == ffi::SQLITE_OK {
            (*recorded).of = Box::into_raw(Box::new(of));
            (*recorded).base.pMethods = &raw const METHODS;
        }
        opened
    }
}

unsafe extern "C" fn delete(_: *mut sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    // SAFETY: the arguments are SQLite's own.
    unsafe {
        let system = system();
        let Some(delete) = (*system).xDelete else { return ffi::SQLITE_IOERR };
        if let Some(file) = path(name)
            && let Some(record) = record_of(&file)
        {
            record.push(Op::Delete { file });
        }
        delete(system, name, sync)
    }
}

/// The system's part of a recorded file.
fn real(file: *mut sqlite3_file) -> *mut sqlite3_file {
    file.wrapping_byte_add(size_of::<Recorded>())
}

/// # Safety
/// `file` was opened by [`open`] and is recorded.
unsafe fn push(file: *mut sqlite3_file, op: impl FnOnce(PathBuf) -> Op) {
    // SAFETY: as promised by the caller; the box lives until the file is closed.
    let (record, path) = unsafe { &*(*file.cast::<Recorded>()).of };
    record.push(op(path.clone()));
}

/// A method that only continues to the system's.
macro_rules! passed_on {
    ($($method:ident as $name:ident($($parameter:ident: $kind:ty),*);)*) => {
        $(
            unsafe extern "C" fn $name(file: *mut sqlite3_file $(, $parameter: $kind)*) -> c_int {
                // SAFETY: the file is ours, so the system's part is behind it; the arguments are SQLite's own.
                unsafe {
                    let below = real(file);
                    match (*(*below).pMethods).$method {
                        Some(method) => method(below $(, $parameter)*),
                        None => ffi::SQLITE_IOERR,
                    }
                }
            }
        )*
    };
}

passed_on! {
    xClose as close_below();
    xRead as read(to: *mut c_void, amount: c_int, at: sqlite3_int64);
    xWrite as write_below(from: *const c_void, amount: c_int, at: sqlite3_int64);
    xTruncate as truncate_below(length: sqlite3_int64);
    xSync as sync_below(flags: c_int);
    xFileSize as file_size(size: *mut sqlite3_int64);
    xLock as lock(level: c_int);
    xUnlock as unlock(level: c_int);
    xCheckReservedLock as check_reserved_lock(out: *mut c_int);
    xFileControl as file_control(what: c_int, argument: *mut c_void);
    xSectorSize as sector_size();
    xDeviceCharacteristics as device_characteristics();
    xShmMap as shm_map(page: c_int, size: c_int, extend: c_int, out: *mut *mut c_void);
    xShmLock as shm_lock(offset: c_int, count: c_int, flags: c_int);
    xShmUnmap as shm_unmap(delete: c_int);
}

unsafe extern "C" fn shm_barrier(file: *mut sqlite3_file) {
    // SAFETY: as for the methods that are passed on.
    unsafe {
        let below = real(file);
        if let Some(method) = (*(*below).pMethods).xShmBarrier {
            method(below);
        }
    }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: SQLite closes a file once, so the box is given back once.
    unsafe {
        let closed = close_below(file);
        drop(Box::from_raw((*file.cast::<Recorded>()).of));
        closed
    }
}

unsafe extern "C" fn write(file: *mut sqlite3_file, from: *const c_void, amount: c_int, at: sqlite3_int64) -> c_int {
    // SAFETY: SQLite hands over that many bytes, and the file is ours.
    unsafe {
        let (record, _) = &*(*file.cast::<Recorded>()).of;
        if record.is_full.load(Ordering::Relaxed) {
            return ffi::SQLITE_FULL;
        }
        let bytes = slice::from_raw_parts(from.cast::<u8>(), usize::try_from(amount).unwrap_or(0)).to_vec();
        push(file, |file| Op::Write { file, at: usize::try_from(at).unwrap_or(0), bytes });
        write_below(file, from, amount, at)
    }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, length: sqlite3_int64) -> c_int {
    // SAFETY: the file is ours.
    unsafe {
        push(file, |file| Op::Truncate { file, length: usize::try_from(length).unwrap_or(0) });
        truncate_below(file, length)
    }
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, flags: c_int) -> c_int {
    // SAFETY: the file is ours.
    unsafe {
        let synced = sync_below(file, flags);
        push(file, |file| Op::Sync { file });
        synced
    }
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    // The second version: without memory-mapped files, which would be written without our knowing.
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};
