//! Files that somebody has named, to be read. Only ordinary ones are: a pipe waits for somebody who writes to it, so that Wilco
//! could not be closed any more, and a device such as `/dev/zero` has no end.

use std::{
    fs::File,
    io::{self, ErrorKind, Read},
    path::Path,
};

/// Opens an ordinary file. Blocks, as all of it does, but for no other program.
///
/// # Errors
/// That of the file system; [`ErrorKind::IsADirectory`]; for anything else that is no ordinary file, a sentence's end.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    let file = options.open(path)?;
    let kind = file.metadata()?.file_type();
    match (kind.is_file(), kind.is_dir()) {
        (true, _) => Ok(file),
        (_, true) => Err(ErrorKind::IsADirectory.into()),
        _ => Err(io::Error::other("it is not an ordinary file")),
    }
}

/// The text of an ordinary file of at most so many bytes.
///
/// # Errors
/// As [`open`]; [`ErrorKind::FileTooLarge`]; [`ErrorKind::InvalidData`] for what is not UTF-8.
pub(crate) fn text(path: &Path, limit: u64) -> io::Result<String> {
    let mut text = String::new();
    let read = open(path)?.take(limit + 1).read_to_string(&mut text)?;
    if read as u64 > limit { Err(ErrorKind::FileTooLarge.into()) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot continue has failed")]

    use std::io::ErrorKind;

    use super::{open, text};

    #[test]
    fn a_text_is_read_up_to_its_limit() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let read = |limit| text(&path, limit).map_err(|error| error.kind());
        assert_eq!(read(4), Err(ErrorKind::NotFound));
        std::fs::write(&path, "abcd").unwrap();
        assert_eq!((read(4).as_deref(), read(3)), (Ok("abcd"), Err(ErrorKind::FileTooLarge)));
        std::fs::write(&path, b"ab\xff").unwrap();
        assert_eq!(read(4), Err(ErrorKind::InvalidData));
        assert_eq!(open(dir.path()).unwrap_err().kind(), ErrorKind::IsADirectory);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_pipe_and_a_device_are_refused_at_once() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        mknodat(CWD, pipe.as_path(), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        for path in [pipe.as_path(), "/dev/zero".as_ref()] {
            assert_eq!(open(path).unwrap_err().to_string(), "it is not an ordinary file", "{}", path.display());
        }
    }
}
