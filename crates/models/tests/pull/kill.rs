//! A download that is killed at random moments goes on, and fetches nothing twice that it has
//! marked.

use std::env;
use std::ops::Range;
use std::process::{Child, Command, Stdio};
use std::thread;

use super::*;
use crate::registry::{ALWAYS, Quirk};

const PIECES: u64 = 128;
const URL: &str = "HEARTH_TEST_PULL_FROM";
const INTO: &str = "HEARTH_TEST_PULL_INTO";

/// Not a test: what the process does that is killed.
#[test]
#[ignore = "another test starts it in a process of its own"]
fn a_process_that_fetches() {
    let (Ok(url), Ok(into)) = (env::var(URL), env::var(INTO)) else { return };
    let hub = Address::parse(&url).unwrap();
    let settings = Options {
        hub,
        proxy: Proxy::None,
        piece: PIECE,
        parallel_above: 2 * PIECE,
        ..Options::default()
    };
    let client = Client::new(settings).unwrap();
    download(&client, &only_file(&client, "hf:o/r"), Path::new(&into), &go_on).unwrap();
}

fn start(registry: &Registry, into: &Path) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "kill::a_process_that_fetches", "--ignored"]);
    command.env(URL, registry.url("")).env(INTO, into);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// The bytes that the map says are here.
fn marked(partial: &Path) -> Vec<Range<u64>> {
    let map = fs::read_to_string(partial.with_extension("map")).unwrap_or_default();
    let marks = map.lines().nth(1).unwrap_or_default().bytes().enumerate();
    let done = marks.filter(|(_, mark)| *mark == b'#').map(|(piece, _)| piece as u64);
    done.map(|piece| piece * PIECE..(piece + 1) * PIECE).collect()
}

#[test]
fn fifty_kills_lose_nothing_that_was_marked() {
    let bytes = noise((PIECES * PIECE) as usize, 30);
    let (registry, path) = hub(&bytes);
    registry.quirk(&path, ALWAYS, Quirk::Slow(Duration::from_millis(10)));
    let partial = folder("kill").join("x");
    let (mut kills, mut whole, mut resumed) = (0, 0, 0);
    while kills < 50 || whole == 0 {
        let before = marked(&partial);
        resumed += usize::from(!before.is_empty());
        registry.forget();
        let mut child = start(&registry, &partial);
        if kills < 50 {
            while registry.asked_of(&path).is_empty() && child.try_wait().unwrap().is_none() {
                thread::sleep(Duration::from_millis(1));
            }
            // Moments that are spread over the whole of it, and not the same in two runs.
            let after = std::process::id().wrapping_add(kills * 37) % 120;
            thread::sleep(Duration::from_millis(u64::from(after)));
        } else {
            child.wait().unwrap();
        }
        let ended = child.try_wait().unwrap();
        if ended.is_none() {
            child.kill().unwrap();
            child.wait().unwrap();
            kills += 1;
        }
        for asked in registry.asked_of(&path) {
            let is_again =
                |had: &&Range<u64>| asked.sent.start < had.end && had.start < asked.sent.end;
            let again = before.iter().find(is_again);
            assert_eq!(again, None, "{:?} was sent, and marked", asked.sent);
        }
        if let Some(status) = ended {
            assert!(status.success(), "{status}");
            assert_eq!(Digest::of(&fs::read(&partial).unwrap()), Digest::of(&bytes));
            fs::remove_file(&partial).unwrap();
            settled(&partial);
            whole += 1;
        }
    }
    assert!(resumed > 10, "only {resumed} of {kills} went on from something");
}
