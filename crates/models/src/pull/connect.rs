//! Connections that are given up at once when nobody wants them any more.
//!
//! The system cannot be told to stop connecting, so it connects in a thread of its own; a
//! connection that comes too late is closed by being dropped. Everything behind it, proxies and
//! TLS, is the client's own.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout,
    RustlsConnector, ShutdownHandle, Transport,
};
use ureq::{Error, Timeout};

/// A connection that does not come about in this time is given up.
const LIMIT: Duration = Duration::from_secs(10);
/// How often it is looked whether anybody still wants it.
const TICK: Duration = Duration::from_millis(50);

/// What connects: through a proxy where there is one, with TLS where that is asked for.
pub fn connector(stop: Arc<AtomicBool>) -> impl Connector {
    ().chain(ConnectProxyConnector::default())
        .chain(Connect { stop })
        .chain(RustlsConnector::default())
}

#[derive(Debug)]
struct Connect {
    stop: Arc<AtomicBool>,
}

impl<In: Transport> Connector<In> for Connect {
    type Out = Either<In, Tcp>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        if let Some(chained) = chained {
            return Ok(Some(Either::A(chained)));
        }
        let stream = Arc::new(self.open(details.addrs.iter().copied().collect())?);
        stream.set_nodelay(details.config.no_delay())?;
        let shared: Arc<dyn ShutdownHandle> = Arc::clone(&stream) as _;
        let handle: Weak<dyn ShutdownHandle> = Arc::downgrade(&shared);
        (details.register_shutdown)(handle)?;
        let (input, output) =
            (details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Either::B(Tcp { stream, buffers: LazyBuffers::new(input, output) })))
    }
}

impl Connect {
    fn open(&self, addresses: Vec<SocketAddr>) -> Result<TcpStream, Error> {
        let (sender, opened) = mpsc::sync_channel(1);
        thread::spawn(move || sender.send(first(&addresses)));
        let begin = Instant::now();
        while begin.elapsed() < LIMIT && !self.stop.load(Ordering::Relaxed) {
            match opened.recv_timeout(TICK) {
                Ok(opened) => return Ok(opened?),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        Err(Error::Timeout(Timeout::Connect))
    }
}

/// The first address that answers. Each has its share of the time.
fn first(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let share = LIMIT / u32::try_from(addresses.len()).unwrap_or(1).max(1);
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match TcpStream::connect_timeout(address, share) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[derive(Debug)]
struct Tcp {
    stream: Arc<TcpStream>,
    buffers: LazyBuffers,
}

impl Transport for Tcp {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = timeout.for_write();
        self.stream.set_write_timeout(timeout.not_zero().map(|limit| *limit))?;
        let written = (&*self.stream).write_all(&self.buffers.output()[..amount]);
        written.map_err(|error| named(error, &timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = timeout.for_read();
        self.stream.set_read_timeout(timeout.not_zero().map(|limit| *limit))?;
        loop {
            match (&*self.stream).read(self.buffers.input_append_buf()) {
                Ok(count) => {
                    self.buffers.input_appended(count);
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(named(error, &timeout)),
            }
        }
    }

    /// Nothing may be there to be read before something was asked.
    fn is_open(&mut self) -> bool {
        let probe = || {
            self.stream.set_nonblocking(true)?;
            let read = (&*self.stream).read(&mut [0]);
            self.stream.set_nonblocking(false)?;
            read
        };
        matches!(probe(), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }
}

fn named(error: io::Error, timeout: &NextTimeout) -> Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Error::Timeout(timeout.reason),
        _ => Error::Io(error),
    }
}
