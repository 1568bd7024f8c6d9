//! A log file of limited size: a full file replaces the previous one, and a new file is started.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::PathBuf,
};

/// The maximum size of a file, in bytes. There are at most two files.
const LARGEST: u64 = 128 * 1024;

#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    /// The previous file, which is full.
    older: PathBuf,
    largest: u64,
    /// Whether the end of what an earlier run wrote was checked.
    mended: bool,
}

impl LogFile {
    pub(super) fn new(path: PathBuf) -> LogFile {
        let mut older = OsString::from(&path);
        older.push(".1");
        LogFile { path, older: older.into(), largest: LARGEST, mended: false }
    }

    /// Adds a line. It is not flushed to the disk: losing the last lines in a power failure is better than wearing out
    /// the flash.
    pub(super) fn append(&mut self, line: &str) -> io::Result<()> {
        // Opened again each time, so that thousands of devices do not hold thousands of files.
        let mut file = self.open()?;
        let length = file.metadata()?.len();
        if length > 0 && length + line.len() as u64 > self.largest {
            drop(file);
            fs::rename(&self.path, &self.older)?;
            file = self.open()?;
        } else if !self.mended && length > 0 && !ends_with_a_line(&mut file)? {
            // The power went while the last line was written.
            file.write_all(b"\n")?;
        }
        self.mended = true;
        file.write_all(line.as_bytes())
    }

    /// Everything, oldest first; only the end of a file that another program has enlarged.
    pub(super) fn read(&self) -> io::Result<String> {
        let mut bytes = self.end_of(&self.older)?;
        bytes.extend(self.end_of(&self.path)?);
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn open(&self) -> io::Result<File> {
        // It would be written elsewhere.
        if self.path.is_symlink() {
            return Err(io::Error::other("there is a symbolic link in its place"));
        }
        let mut options = OpenOptions::new();
        options.create(true).read(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&self.path)
    }

    fn end_of(&self, path: &PathBuf) -> io::Result<Vec<u8>> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let surplus = file.metadata()?.len().saturating_sub(self.largest);
        file.seek(SeekFrom::Start(surplus))?;
        let mut bytes = Vec::new();
        file.take(self.largest).read_to_end(&mut bytes)?;
        if surplus > 0 {
            let first_line = bytes.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            bytes.drain(..first_line);
        }
        Ok(bytes)
    }
}

fn ends_with_a_line(file: &mut File) -> io::Result<bool> {
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::LogFile;

    fn log(directory: &tempfile::TempDir) -> LogFile {
        LogFile { largest: 100, ..LogFile::new(directory.path().join("dock-1.log")) }
    }

    #[test]
    fn a_full_file_takes_the_place_of_the_one_before_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut log = log(&directory);
        assert_eq!(log.read().expect("nothing yet"), "");
        for number in 0..100 {
            log.append(&format!("line {number:03}\n")).expect("written");
            for entry in fs::read_dir(directory.path()).expect("listed") {
                assert!(entry.expect("an entry").metadata().expect("its size").len() <= 100);
            }
        }
        let lines: Vec<String> = (0..100).map(|number| format!("line {number:03}")).collect();
        let text = log.read().expect("read");
        let read: Vec<&str> = text.lines().collect();
        assert!((11..=22).contains(&read.len()), "one full file and what has come since: {read:?}");
        assert_eq!(read, lines[lines.len() - read.len()..]);
        assert_eq!(fs::read_dir(directory.path()).expect("listed").count(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn its_owner_alone_reads_it_and_a_symbolic_link_is_not_followed() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let directory = tempfile::tempdir().expect("a directory");
        log(&directory).append("one\n").expect("written");
        let path = directory.path().join("dock-1.log");
        assert_eq!(path.metadata().expect("a file").permissions().mode() & 0o777, 0o600);
        let elsewhere = directory.path().join("elsewhere");
        fs::rename(&path, &elsewhere).expect("moved");
        symlink(&elsewhere, &path).expect("a link");
        assert!(log(&directory).append("two\n").is_err());
        assert_eq!(fs::read_to_string(&elsewhere).expect("read"), "one\n");
    }

    #[test]
    fn it_goes_on_after_a_restart_also_when_the_last_line_was_cut() {
        let directory = tempfile::tempdir().expect("a directory");
        log(&directory).append("one\n").expect("written");
        log(&directory).append("two, cu").expect("written");
        let mut log = log(&directory);
        log.append("three\n").expect("written");
        log.append("four\n").expect("written");
        assert_eq!(log.read().expect("read"), "one\ntwo, cu\nthree\nfour\n");
    }

    #[test]
    fn of_a_file_that_somebody_else_has_filled_the_end_is_read() {
        let directory = tempfile::tempdir().expect("a directory");
        let text = format!("{}\n\u{fffd}the end\n", "x".repeat(1_000));
        let mut bytes = text.into_bytes();
        bytes.insert(1_001, 0xff);
        fs::write(directory.path().join("dock-1.log"), bytes).expect("written");
        let mut log = log(&directory);
        assert_eq!(log.read().expect("read"), "\u{fffd}\u{fffd}the end\n");
        log.append("more\n").expect("written");
        assert!(log.read().expect("read").ends_with("the end\nmore\n"));
    }
}
