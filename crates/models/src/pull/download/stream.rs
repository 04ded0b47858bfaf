//! A file of which nobody says how long it is: one stream, from its beginning, up to a limit.

use std::fs::File;
use std::io::Read;

use super::super::session::{Fault, Progress, Session, Stage, Tries, body_fault};
use super::super::{Address, Error, Wanted, refusal};
use super::disk::write_at;
use super::fetch::Fetched;

const BUFFER: usize = 128 << 10;

/// Gets all there is, and says how much that was.
pub fn all(
    session: &Session,
    wanted: &Wanted,
    (address, file): (&Address, &File),
) -> Result<u64, Fetched> {
    let mut tries = Tries::new(session, address.origin());
    loop {
        *session.told() = Progress { done: 0, total: None, stage: Stage::Fetching };
        match once(session, wanted, (address, file)) {
            Ok(Ok(size)) => return Ok(size),
            Ok(Err(error)) => return Err(Fetched::Disk(error)),
            Err(fault) => tries.again(fault).map_err(Fetched::Failed)?,
        }
    }
}

fn once(
    session: &Session,
    wanted: &Wanted,
    (address, file): (&Address, &File),
) -> Result<std::io::Result<u64>, Fault> {
    let mut reply = session.try_get(wanted.ask(address, None))?;
    if reply.status != 200 {
        return Err(refusal(wanted.manner, &reply, &address.to_string()).into());
    }
    let limit = session.client.options().longest;
    let (mut buffer, mut at) = (vec![0; BUFFER], 0);
    loop {
        let count = reply.body.read(&mut buffer).map_err(|error| body_fault(&error))?;
        if session.is_stopped() {
            // A connection that we closed looks like the end of the file.
            return Err(Error::Stopped.into());
        }
        if count == 0 {
            return Ok(Ok(at));
        }
        if at + count as u64 > limit {
            return Err(Error::TooLong { file: wanted.name.clone(), limit }.into());
        }
        if let Err(error) = write_at(file, &buffer[..count], at) {
            return Ok(Err(error));
        }
        at += count as u64;
        session.told().done = at;
    }
}
