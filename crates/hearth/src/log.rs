//! The log of a server: lines on standard error, about what happens and never about what is said.
//!
//! There is one for the process, so that a panic and the thread of a model find it. Nobody waits
//! for it: lines go through a bounded queue to a thread that writes them. What does not fit into
//! the queue is dropped and counted.

mod line;
mod requests;

use std::any::Any;
use std::io::{ErrorKind, Write, stderr};
use std::panic::PanicHookInfo;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use crate::failure::Failure;
use crate::flags::{Level, LogFlags, LogFormat};

pub use requests::Requests;

/// Lines that may wait to be written.
const WAITING: usize = 4096;
/// How long the end of the process waits for what is still to be written.
const FLUSH: Duration = Duration::from_secs(1);

static LOG: OnceLock<Log> = OnceLock::new();

/// What a line says besides its message.
pub type Field<'a> = (&'a str, Value);

/// Where lines go.
struct Log {
    level: Level,
    format: LogFormat,
    has_content: bool,
    queue: Queue,
}

/// Begins to log, until what this gives is dropped. Panics are logged from now on; a server
/// outlives them, because they end the turns of one model only, which is loaded anew.
pub fn start(flags: &LogFlags) -> Result<Running, Failure> {
    if flags.log_content && flags.log != Level::Debug {
        let message = "--log-content goes with --log debug: only there it is written";
        return Err(Failure::Request(message.to_owned()));
    }
    let (level, format, has_content) = (flags.log, flags.log_format, flags.log_content);
    let lost = move |lines: u64| {
        let (now, fields) = (SystemTime::now(), [("lines", lines.into())]);
        line::write(format, (now, Level::Warn), "lines of this log were dropped", &fields)
    };
    let queue = Queue::new(stderr(), WAITING, lost)?;
    let log = Log { level, format, has_content, queue };
    // A process has one server.
    let _ = LOG.set(log);
    std::panic::set_hook(Box::new(panicked));
    if has_content {
        let message = "--log-content: whoever reads this log reads what is asked and answered";
        warn(message, &[]);
    }
    Ok(Running)
}

/// A log that is written. Dropped, it waits a little for its last lines.
pub struct Running;

impl Drop for Running {
    fn drop(&mut self) {
        LOG.get().into_iter().for_each(|log| log.queue.flush());
    }
}

/// Logs that something of ours failed.
pub fn error(message: &str, fields: &[Field]) {
    write(Level::Error, message, fields);
}

/// Logs what somebody should look at.
pub fn warn(message: &str, fields: &[Field]) {
    write(Level::Warn, message, fields);
}

/// Logs what happens.
pub fn info(message: &str, fields: &[Field]) {
    write(Level::Info, message, fields);
}

fn write(level: Level, message: &str, fields: &[Field]) {
    if let Some(log) = LOG.get().filter(|log| level <= log.level) {
        let line = line::write(log.format, (SystemTime::now(), level), message, fields);
        log.queue.push(line);
    }
}

fn has_content() -> bool {
    LOG.get().is_some_and(|log| log.has_content)
}

fn panicked(panic: &PanicHookInfo) {
    let place = panic.location().map(ToString::to_string);
    let message = message(panic.payload(), has_content());
    let fields = [("at", place.into()), ("panic", message.into())];
    error("a defect in hearth itself; please report it; the server goes on", &fields);
}

/// The message of a panic. One that was put together at run time may quote what somebody said: the
/// library's own do, where a text is cut within a character.
fn message(payload: &dyn Any, has_content: bool) -> &str {
    let made = payload.downcast_ref::<String>().filter(|_| has_content);
    match (payload.downcast_ref::<&'static str>(), made) {
        (Some(literal), _) => literal,
        (None, Some(made)) => made,
        (None, None) => "not logged, for it may quote a request; --log-content shows it",
    }
}

/// Lines on their way to a thread that writes them.
struct Queue {
    sender: SyncSender<Message>,
    dropped: Arc<AtomicU64>,
}

/// Lines that were lost so far, and how that is said.
type Lost<Say> = (Arc<AtomicU64>, Say);

enum Message {
    Line(String),
    /// Whoever waits for this knows that all before it is written.
    Flush(SyncSender<()>),
}

impl Queue {
    /// With what is written of lines that were lost.
    fn new(
        out: impl Write + Send + 'static,
        waiting: usize,
        say: impl Fn(u64) -> String + Send + 'static,
    ) -> std::io::Result<Queue> {
        let (sender, messages) = sync_channel(waiting);
        let dropped = Arc::new(AtomicU64::new(0));
        let lost = (Arc::clone(&dropped), say);
        let write = move || write_all(out, &messages, lost);
        std::thread::Builder::new().name("log".to_owned()).spawn(write)?;
        Ok(Queue { sender, dropped })
    }

    fn push(&self, line: String) {
        if let Err(TrySendError::Full(_)) = self.sender.try_send(Message::Line(line)) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn flush(&self) {
        let ((done, written), until) = (sync_channel(1), Instant::now() + FLUSH);
        while let Err(TrySendError::Full(_)) = self.sender.try_send(Message::Flush(done.clone())) {
            if Instant::now() > until {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = written.recv_timeout(FLUSH);
    }
}

/// The writing thread. What cannot be written, on a full disk, counts as lost; where half a line
/// came to be written, the next begins below it.
fn write_all(
    mut out: impl Write,
    messages: &Receiver<Message>,
    (lost, say): Lost<impl Fn(u64) -> String>,
) {
    let mut is_torn = false;
    let mut put = |line: &str| {
        if is_torn && written(&mut out, b"\n") == 0 {
            return false;
        }
        let count = written(&mut out, line.as_bytes());
        is_torn = (1..line.len()).contains(&count);
        count == line.len()
    };
    for message in messages {
        let before = lost.swap(0, Ordering::Relaxed);
        if before > 0 && !put(&say(before)) {
            lost.fetch_add(before, Ordering::Relaxed);
        }
        match message {
            Message::Line(line) if put(&line) => {}
            Message::Line(_) => drop(lost.fetch_add(1, Ordering::Relaxed)),
            Message::Flush(done) => drop(done.try_send(())),
        }
    }
}

/// Writes as much as can be written.
fn written(out: &mut impl Write, bytes: &[u8]) -> usize {
    let mut done = 0;
    while done < bytes.len() {
        match out.write(&bytes[done..]) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    done
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn a_panic_quotes_nobody() {
        let made = "it is inside of 'hush'".to_owned();
        let quoted = |has_content| message(&made, has_content).to_owned();
        assert!(!quoted(false).contains("hush") && quoted(true).contains("hush"));
        assert_eq!(message(&"fixed", false), "fixed");
    }

    /// Says that it is about to write, and writes when it is let.
    struct Slow(SyncSender<()>, Receiver<()>, Arc<Mutex<Vec<u8>>>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let _ = self.0.try_send(());
            let _ = self.1.recv();
            self.2.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// A disk that has no room for a while.
    struct Full(Arc<Mutex<Vec<u8>>>, std::ops::Range<usize>, usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.2 += 1;
            match self.2 {
                // Half of a line still fits.
                at if at == self.1.start => {
                    self.0.lock().unwrap().extend(&bytes[..1]);
                    Ok(1)
                }
                at if self.1.contains(&at) => Err(ErrorKind::StorageFull.into()),
                _ => {
                    self.0.lock().unwrap().extend(bytes);
                    Ok(bytes.len())
                }
            }
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_a_full_disk_takes_is_counted_and_tears_one_line_only() {
        let out = Arc::new(Mutex::new(Vec::new()));
        let full = Full(Arc::clone(&out), 2..6, 0);
        let queue = Queue::new(full, 100, |lost| format!("{lost} lost\n")).unwrap();
        (0..6).for_each(|line| queue.push(format!("line {line}\n")));
        queue.flush();
        let written = String::from_utf8(out.lock().unwrap().clone()).unwrap();
        // Of the second half is written, of the third nothing.
        assert_eq!(written, "line 0\nl\n2 lost\nline 3\nline 4\nline 5\n");
    }

    #[test]
    fn nobody_waits_and_what_is_lost_is_counted() {
        let ((about, is_about), (go, gate)) = (sync_channel(1), sync_channel(0));
        let out = Arc::new(Mutex::new(Vec::new()));
        let slow = Slow(about, gate, Arc::clone(&out));
        let queue = Queue::new(slow, 3, |lost| format!("{lost} lost\n")).unwrap();
        queue.push("0\n".to_owned());
        is_about.recv().unwrap();
        (1..10).for_each(|line| queue.push(format!("{line}\n")));
        drop(go);
        queue.flush();
        let written = String::from_utf8(out.lock().unwrap().clone()).unwrap();
        assert_eq!(written, "0\n6 lost\n1\n2\n3\n");
    }
}
