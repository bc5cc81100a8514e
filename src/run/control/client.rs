//! A tool's end of the control socket: asks and waits for the answer.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::protocol::{Answer, Request};

/// Answers are no longer than this, bytes.
const ANSWER_MAX: u64 = 256 << 20;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody is there.
    #[error("no daemon answers at {path} ({error}); start one with `parallax run --config C`, or name its socket (--socket, --name, --config)", path = .0.display(), error = .1)]
    Nobody(PathBuf, #[source] io::Error),
    /// The talk broke off.
    #[error("the daemon at {path} stopped answering: {error}", path = .0.display(), error = .1)]
    Broken(PathBuf, #[source] io::Error),
    /// The answer is none.
    #[error("what answers at {path} is no Parallax, or one of another version: {why}", path = .0.display(), why = .1)]
    NoAnswer(PathBuf, String),
    /// The daemon says no.
    #[error("{0}")]
    Refused(String),
}

/// See the module.
#[derive(Debug)]
pub struct Client {
    reader: BufReader<UnixStream>,
    path: PathBuf,
}

impl Client {
    /// Calls the daemon at `path`; an answer may take as long as `patience`.
    ///
    /// # Errors
    /// Nobody there, or no right to call.
    pub fn connect(path: &Path, patience: Duration) -> Result<Client, ClientError> {
        let nobody = |error| ClientError::Nobody(path.to_path_buf(), error);
        let stream = UnixStream::connect(path).map_err(nobody)?;
        stream.set_read_timeout(Some(patience)).map_err(nobody)?;
        stream.set_write_timeout(Some(patience)).map_err(nobody)?;
        Ok(Client { reader: BufReader::new(stream), path: path.to_path_buf() })
    }

    /// Asks; an answer that says no is an error.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn ask(&mut self, request: &Request) -> Result<Answer, ClientError> {
        let path = self.path.clone();
        let none = |why: String| ClientError::NoAnswer(path.clone(), why);
        let mut line = serde_json::to_vec(request).map_err(|e| none(e.to_string()))?;
        line.push(b'\n');
        let broken = |error| ClientError::Broken(path.clone(), error);
        self.reader.get_mut().write_all(&line).map_err(broken)?;
        let line = self.line().map_err(broken)?;
        if line.is_empty() {
            return Err(broken(io::ErrorKind::UnexpectedEof.into()));
        }
        let answer: Answer = serde_json::from_slice(&line).map_err(|e| none(e.to_string()))?;
        if answer.ok {
            return Ok(answer);
        }
        Err(ClientError::Refused(
            answer.why.unwrap_or_else(|| "the daemon says no, without a reason".to_owned()),
        ))
    }

    /// The next line, after a `follow`; nothing when the daemon has ended. It waits as long as it takes.
    ///
    /// # Errors
    /// The talk broke off.
    pub fn next_notice(&mut self) -> Result<Option<Vec<u8>>, ClientError> {
        let path = self.path.clone();
        let broken = |error| ClientError::Broken(path.clone(), error);
        self.reader.get_ref().set_read_timeout(None).map_err(broken)?;
        let line = self.line().map_err(broken)?;
        Ok((!line.is_empty()).then_some(line))
    }

    fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        self.reader.by_ref().take(ANSWER_MAX).read_until(b'\n', &mut line)?;
        Ok(line)
    }
}
