//! What each client sends becomes a new file.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::client::Client;
use crate::error::{Action, Error, Result};
use crate::event::Event;
use crate::net::Address;
use crate::relay::End;
use crate::sys;

/// What the name of a file ends with while it is not complete.
const PART: &str = ".part";

/// How many names are tried for a file.
const TRIES: u32 = 10_000;

/// A directory that gets a new file for each client.
#[derive(Clone, Debug)]
pub struct Folder(Arc<Path>);

impl Folder {
    /// This directory.
    ///
    /// # Errors
    /// It is none.
    pub fn open(path: &Path) -> Result<Self> {
        let failed = |error| Error::new(Action::Open, path.display(), error);
        if !fs::metadata(path).map_err(failed)?.is_dir() {
            return Err(failed(io::ErrorKind::NotADirectory.into()));
        }
        Ok(Self(path.into()))
    }

    /// A new file for this client, and its name when it is complete.
    fn create(&self, stem: &str) -> Result<NewFile> {
        for attempt in 0..TRIES {
            let name = match attempt {
                0 => stem.to_owned(),
                again => format!("{stem}.{again}"),
            };
            let (whole, part) = (self.0.join(&name), self.0.join(name + PART));
            match OpenOptions::new().write(true).create_new(true).open(&part) {
                // Whoever has the one name may take the other; the whole one may be an older one.
                Ok(_) if fs::symlink_metadata(&whole).is_ok() => {
                    let _ = fs::remove_file(&part);
                }
                Ok(file) => {
                    let file = Arc::new(file);
                    return Ok(NewFile { file, part, whole });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(Error::new(Action::Open, part.display(), error)),
            }
        }
        let text = "too many files of this name".to_owned();
        Err(Error::new(Action::Write, self.0.join(stem).display(), text))
    }
}

/// A file that is being written.
struct NewFile {
    file: Arc<File>,
    part: PathBuf,
    whole: PathBuf,
}

impl NewFile {
    /// Adds to it, beside the clients: a disk may be slow.
    async fn write(&self, bytes: Vec<u8>) -> Result<()> {
        let file = Arc::clone(&self.file);
        let written = beside(move || (&*file).write_all(&bytes)).await;
        written.map_err(|error| Error::new(Action::Write, self.part.display(), error))
    }

    /// Closes it, which may fail where a network has the disk, and gives it its whole name.
    async fn complete(self) -> Result<PathBuf> {
        let Self { file, part, whole } = self;
        let name = whole.clone();
        let failed = |error| Error::new(Action::Write, name.display(), error);
        let done = beside(move || {
            // While it is open nobody else's can have its number.
            let ours = Identity::of(&file.metadata()?);
            ours.check(&part)?;
            if let Some(file) = Arc::into_inner(file) {
                sys::close(file)?;
            }
            give_name(&part, &whole, ours)?;
            Ok(whole)
        });
        done.await.map_err(failed)
    }
}

/// Which file it is, whatever it is called.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    fn of(file: &Metadata) -> Self {
        Self {
            device: file.dev(),
            inode: file.ino(),
        }
    }

    /// Fails unless it is the one of this name.
    fn check(self, name: &Path) -> io::Result<()> {
        if Self::of(&fs::symlink_metadata(name)?) == self {
            return Ok(());
        }
        Err(io::Error::other("somebody put another file in its place"))
    }
}

/// Gives our file another name, and takes nobody's place: rename(2) would.
fn give_name(part: &Path, whole: &Path, ours: Identity) -> io::Result<()> {
    match fs::hard_link(part, whole) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
        // Not every file system has links.
        Err(_) => {
            fs::rename(part, whole)?;
            return ours.check(whole);
        }
    }
    if let Err(error) = ours.check(whole) {
        let _ = fs::remove_file(whole);
        return Err(error);
    }
    fs::remove_file(part)
}

/// Does what blocks on a thread for that.
async fn beside<T, F>(work: F) -> io::Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> io::Result<T> + Send + 'static,
{
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// Writes what comes until the client ends; its file has its whole name only then. A connection
/// that breaks before a byte leaves none.
pub(super) async fn serve(client: &Client, folder: &Folder) -> Result<End> {
    let stem = stem(client.number, &client.peer);
    let mut file = None;
    while let Some(bytes) = client.receive(<[u8]>::to_vec).await? {
        let file = match &mut file {
            Some(file) => file,
            none => none.insert(folder.create(&stem)?),
        };
        file.write(bytes).await?;
    }
    let file = match file {
        Some(file) => file,
        None => folder.create(&stem)?,
    };
    let path = file.complete().await?;
    client.service.observer.notice(&Event::Saved {
        client: client.number,
        peer: &client.peer,
        path: &path,
        bytes: client.meter.received(),
    });
    Ok(End::Both)
}

/// What the file of a client is called: by its number and address, never by what it says.
fn stem(number: u64, peer: &Address) -> String {
    match peer.ip() {
        Some(peer) => {
            // A colon would make it the path of another host to many a program.
            let address = peer.ip().to_string().replace(':', "-");
            format!("client-{number}-{address}-{}", peer.port())
        }
        None => format!("client-{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    #[test]
    fn names_are_plain() {
        let name = |address: &str| stem(7, &address.parse::<SocketAddr>().unwrap().into());
        assert_eq!(name("192.0.2.1:80"), "client-7-192.0.2.1-80");
        assert_eq!(name("[2001:db8::1]:80"), "client-7-2001-db8--1-80");
        assert_eq!(stem(7, &Address::Unix(Some("/../x".into()))), "client-7");
    }

    #[test]
    fn no_file_takes_the_place_of_another() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = Folder::open(scratch.path()).unwrap();
        fs::write(scratch.path().join("a"), "old").unwrap();
        let first = folder.create("a").unwrap();
        assert!(first.whole.ends_with("a.1") && first.part.ends_with("a.1.part"));
        let second = folder.create("a").unwrap();
        assert!(second.whole.ends_with("a.2"));
        fs::write(&first.whole, "somebody else's").unwrap();
        let ours = Identity::of(&first.file.metadata().unwrap());
        assert!(give_name(&first.part, &first.whole, ours).is_err());
        assert_eq!(fs::read(&first.whole).unwrap(), b"somebody else's");
        assert!(!scratch.path().join("a.part").exists());
    }

    #[test]
    fn somebody_else_s_file_is_not_named_as_ours() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = Folder::open(scratch.path()).unwrap();
        let new = folder.create("a").unwrap();
        let ours = Identity::of(&new.file.metadata().unwrap());
        fs::remove_file(&new.part).unwrap();
        fs::write(&new.part, "somebody else's").unwrap();
        assert!(ours.check(&new.part).is_err());
        assert!(give_name(&new.part, &new.whole, ours).is_err());
        assert!(new.part.exists() && !new.whole.exists());
    }
}
