//! A server for as long as a test runs.

#![allow(clippy::unwrap_used)] // All of this is tests, their helpers too.

use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use api::{Access, Door, House, Options};

/// Serves a house behind a door that is prepared by `with`.
pub fn serve(
    house: Arc<dyn House>,
    (access, options): (Access, Options),
    with: impl FnOnce(Door) -> Door + Send + 'static,
) -> SocketAddr {
    let (sender, address) = mpsc::channel();
    thread::spawn(move || {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let door = with(Door::open("127.0.0.1:0".parse().unwrap()).await.unwrap());
            sender.send(door.address().unwrap()).unwrap();
            let router = api::router(house, access, options);
            door.serve(router, (std::future::pending(), Duration::ZERO)).await;
        });
    });
    address.recv().unwrap()
}
