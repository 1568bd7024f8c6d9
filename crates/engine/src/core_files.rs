//! Disables core files, which would be copies of the memory with its secrets.

/// Prevents core files of this process and of processes that it starts. Windows has none.
pub fn disable_core_files() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        // On Linux 0 holds for files alone; 1 holds for programs that receive core files as well (see core(5)), and no core
        // file is as small as that.
        let limit = Some(if cfg!(target_os = "linux") { 1 } else { 0 });
        if let Err(error) = setrlimit(Resource::Core, Rlimit { current: limit, maximum: limit }) {
            tracing::warn!(%error, "core files could not be disabled");
        }
    }
}
